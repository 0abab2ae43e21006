//! A row of a store; the first byte says of what kind.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pistol_fuzz::entry::row;

fuzz_target!(|bytes: &[u8]| {
    row::accepts(bytes).unwrap();
});
