//! An operation of an access log.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pistol_fuzz::entry::operation;

fuzz_target!(|bytes: &[u8]| {
    operation::accepts(bytes).unwrap();
});
