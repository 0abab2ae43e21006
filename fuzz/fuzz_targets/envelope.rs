//! An envelope, through to the document.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pistol_fuzz::entry::envelope;

fuzz_target!(|bytes: &[u8]| {
    envelope::accepts(bytes).unwrap();
});
