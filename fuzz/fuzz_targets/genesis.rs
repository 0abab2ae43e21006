//! A genesis, signed again, and its document.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pistol_fuzz::entry::genesis;

fuzz_target!(|bytes: &[u8]| {
    genesis::accepts_sealed(bytes, 0).unwrap();
});
