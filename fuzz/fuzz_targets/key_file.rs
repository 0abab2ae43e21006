//! The file of an author's secret key.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pistol_fuzz::entry::key_file;

fuzz_target!(|bytes: &[u8]| {
    key_file::accepts(bytes).unwrap();
});
