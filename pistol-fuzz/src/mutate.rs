//! Mutations of bytes that know what bytes are made of: bits, stretches, lengths and numbers of variable length.

use crate::chance::Chance;

/// Numbers at which lengths and counters go wrong.
const EXTREMES: [u64; 24] = [
    0,
    1,
    2,
    3,
    63,
    64,
    65,
    127,
    128,
    255,
    256,
    1000,
    1001,
    4096,
    65_535,
    65_536,
    131_072,
    131_073,
    1 << 20,
    (1 << 31) - 1,
    1 << 31,
    u32::MAX as u64,
    i64::MAX as u64,
    u64::MAX,
];

/// No mutation makes bytes longer than this.
const BYTES_MAX: usize = (1 << 20) + 4096;

/// Mutates bytes once to four times; `other` lends stretches.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    for _ in 0..=chance.below(4) {
        mutate_once(bytes, other, chance);
        bytes.truncate(BYTES_MAX);
    }
}

fn mutate_once(bytes: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    let at = chance.index(bytes.len());
    match chance.below(15) {
        0 | 1 => change(bytes, at, |byte| byte ^ (1 << (at % 8))),
        2 => {
            let byte = chance.byte();
            change(bytes, at, |_| byte);
        }
        3 => change(bytes, at, |byte| byte.wrapping_add(1)),
        4 => change(bytes, at, |byte| byte.wrapping_sub(1)),
        5 => bytes.truncate(at),
        6 => drop(bytes.splice(at..stretch_end(at, bytes.len(), chance), [])),
        7 => {
            let end = stretch_end(at, bytes.len(), chance);
            let twice = bytes.get(at..end).unwrap_or_default().repeat(1 + chance.index(3));
            drop(bytes.splice(end..end, twice));
        }
        8 => swap_stretches(bytes, at, chance),
        9 => {
            let from = chance.index(other.len());
            let lent = other.get(from..stretch_end(from, other.len(), chance)).unwrap_or_default();
            let end = if chance.one_in(2) { at } else { stretch_end(at, bytes.len(), chance) };
            drop(bytes.splice(at..end, lent.to_vec()));
        }
        10 => {
            let from = chance.index(other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(other.get(from..).unwrap_or_default());
        }
        11 => replace_number(bytes, at, chance),
        12 => replace_fixed(bytes, at, chance),
        13 => lengthen_number(bytes, at),
        _ => {
            let byte = chance.byte();
            let run = vec![byte; 1 + chance.index(40)];
            drop(bytes.splice(at..at, run));
        }
    }
}

fn change(bytes: &mut [u8], at: usize, new: impl FnOnce(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = new(*byte);
    }
}

/// Where a stretch that begins at a place ends: nearly always soon.
fn stretch_end(at: usize, length: usize, chance: &mut Chance) -> usize {
    let longest = [4, 32, 64, 300, usize::MAX].get(chance.index(5)).copied().unwrap_or(1);
    let room = length.saturating_sub(at).min(longest);
    at + chance.index(room + 1)
}

fn swap_stretches(bytes: &mut [u8], at: usize, chance: &mut Chance) {
    let length = [1, 4, 32].get(chance.index(3)).copied().unwrap_or(1);
    let other = chance.index(bytes.len());
    let (low, high) = (at.min(other), at.max(other));
    if let Some((front, back)) = bytes.split_at_mut_checked(high)
        && let Some(front) = front.get_mut(low..low + length)
        && let Some(back) = back.get_mut(..length)
    {
        front.swap_with_slice(back);
    }
}

/// Puts an extreme number where a number of variable length may stand.
fn replace_number(bytes: &mut Vec<u8>, at: usize, chance: &mut Chance) {
    let extreme = chance.pick(&EXTREMES).copied().unwrap_or_default();
    let number = if chance.one_in(3) { chance.number() >> chance.below(64) } else { extreme };
    let old = bytes.iter().skip(at).take(9).take_while(|byte| **byte >= 0x80).count() + 1;
    let end = (at + old).min(bytes.len());
    drop(bytes.splice(at..end, variable(number)));
}

/// The same number in more bytes than it needs.
fn lengthen_number(bytes: &mut Vec<u8>, at: usize) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte |= 0x80;
        bytes.insert(at + 1, 0);
    }
}

fn variable(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low & 0x7f);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Puts an extreme number where 4 or 8 bytes may hold one.
fn replace_fixed(bytes: &mut [u8], at: usize, chance: &mut Chance) {
    let extreme = chance.pick(&EXTREMES).copied().unwrap_or_default();
    let length = if chance.one_in(2) { 4 } else { 8 };
    let mut number = extreme.to_le_bytes();
    if chance.one_in(3) {
        number.reverse();
    }
    if let (Some(to), Some(from)) = (bytes.get_mut(at..at + length), number.get(..length)) {
        to.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_can_be_mutated_also_none() {
        for number in 0..20_000 {
            let mut chance = Chance::new(number);
            let mut bytes = vec![7; usize::try_from(number % 40).unwrap()];
            mutate(&mut bytes, &[1; 9], &mut chance);
            assert!(bytes.len() <= BYTES_MAX);
        }
    }
}
