//! Faults on purpose.

#![expect(clippy::unnecessary_wraps, reason = "they look like every other way in")]

use crate::chance::Chance;
use crate::finding::{Divergence, Outcome};

pub(super) fn panic(chance: &mut Chance) -> Outcome {
    assert!(!chance.one_in(50), "a planted panic");
    Ok(false)
}

pub(super) fn contained_panic(chance: &mut Chance) -> Outcome {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| panic(chance)));
    Ok(caught.is_err())
}

pub(super) fn allocation(chance: &mut Chance) -> Outcome {
    let bytes = if chance.one_in(50) { 17 << 20 } else { 1 << 10 };
    Ok(std::hint::black_box(vec![1_u8; bytes]).len() > 1 << 20)
}

pub(super) fn divergence(chance: &mut Chance) -> Outcome {
    if chance.one_in(50) { Err(Divergence::new("a planted divergence")) } else { Ok(false) }
}
