//! Comparing two texts from both ends.

use super::Delta;

pub(super) fn replaced(before: &str, after: &str) -> Delta {
    let (at, bytes) = same(before.chars(), after.chars());
    let before = before.get(bytes..).unwrap_or_default();
    let after = after.get(bytes..).unwrap_or_default();
    let (kept, bytes) = same(before.chars().rev(), after.chars().rev());
    let added = after.get(..after.len() - bytes).unwrap_or_default();
    Delta::splice(at, before.chars().count() - kept, added)
}

/// In how many code points two texts agree before they differ, and how many bytes those are.
fn same(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> (usize, usize) {
    one.zip(other)
        .take_while(|(one, other)| one == other)
        .fold((0, 0), |(count, bytes), (char, _)| (count + 1, bytes + char.len_utf8()))
}
