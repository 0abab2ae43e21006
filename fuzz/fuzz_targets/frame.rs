//! The payload of a frame.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pistol_fuzz::entry::frame;

fuzz_target!(|bytes: &[u8]| {
    frame::accepts(bytes).unwrap();
});
