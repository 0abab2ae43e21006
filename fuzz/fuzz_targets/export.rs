//! A document as a file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pistol_fuzz::entry::export;

fuzz_target!(|bytes: &[u8]| {
    export::accepts(bytes).unwrap();
});
