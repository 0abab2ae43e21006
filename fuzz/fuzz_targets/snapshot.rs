//! A picture's row or a stretch of a history, stamped; the first byte says which.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pistol_fuzz::entry::snapshot;

fuzz_target!(|bytes: &[u8]| {
    snapshot::accepts(bytes).unwrap();
});
