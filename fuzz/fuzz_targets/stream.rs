//! The bytes of a stream of frames.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pistol_fuzz::entry::stream;

fuzz_target!(|bytes: &[u8]| {
    stream::accepts(bytes).unwrap();
});
