//! What a ticket holds, under a right checksum.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pistol_fuzz::entry::ticket;

fuzz_target!(|bytes: &[u8]| {
    ticket::accepts_inside(bytes).unwrap();
});
