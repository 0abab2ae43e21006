//! The canonical bytes of a change, signed by its author, after any change of an honest history: the first byte says which.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pistol_fuzz::entry::change;

fuzz_target!(|bytes: &[u8]| {
    let Some((place, change)) = bytes.split_first() else { return };
    change::accepts(change, usize::from(*place)).unwrap();
});
