//! A picture's row, stamped.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pistol_fuzz::entry::snapshot;

fuzz_target!(|bytes: &[u8]| {
    snapshot::accepts(bytes).unwrap();
});
