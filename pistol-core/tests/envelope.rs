//! The bytes of envelopes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "envelope/desk.rs"]
mod desk;
#[path = "envelope/golden.rs"]
mod golden;

use desk::{Chain, DOCUMENT, any_envelope, seal, typed};
use pistol_core::change::{Action, Op, Reference, Scalar};
use pistol_core::envelope::Envelope;
use pistol_core::key::Verifier;

/// Hexadecimal digits in lines.
fn bytes_of(hex: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(hex.replace('\n', "").as_bytes()).unwrap()
}

/// Envelopes, and the bytes that they have had since version 1. The last has forks, withheld changes, and references
/// to anywhere.
fn goldens() -> [(&'static str, Envelope, Vec<u8>); 6] {
    let typing = bytes_of(include_str!("fixtures/envelope-v1-typing.hex"));
    let turns = bytes_of(include_str!("fixtures/envelope-v1-turns.hex"));
    let middle = bytes_of(include_str!("fixtures/envelope-v1-middle.hex"));
    let scalars = bytes_of(include_str!("fixtures/envelope-v1-scalars.hex"));
    let marks = bytes_of(include_str!("fixtures/envelope-v1-marks.hex"));
    let odd = bytes_of(include_str!("fixtures/envelope-v1-odd.hex"));
    [
        ("typing", golden::typing(), typing),
        ("turns", golden::turns(12), turns),
        ("middle", golden::turns_after(9, 12), middle),
        ("scalars", golden::scalars(), scalars),
        ("marks", golden::marks(), marks),
        ("odd", Envelope::from_bytes(DOCUMENT, &odd).unwrap(), odd),
    ]
}

#[test]
fn envelopes_of_version_1_keep_their_bytes() {
    for (name, envelope, bytes) in goldens() {
        assert_eq!(
            data_encoding::HEXLOWER.encode(&envelope.to_bytes()),
            data_encoding::HEXLOWER.encode(&bytes),
            "{name}"
        );
        assert_eq!(Envelope::from_bytes(DOCUMENT, &bytes).as_ref(), Ok(&envelope), "{name}");
    }
}

#[test]
fn every_envelope_survives_being_written_and_read() {
    for seed in 0..500 {
        let envelope = any_envelope(seed);
        let read = Envelope::from_bytes(DOCUMENT, &envelope.to_bytes());
        assert_eq!(read.as_ref(), Ok(&envelope), "seed {seed}");
    }
}

#[test]
fn the_largest_changes_survive() {
    let text = Scalar::Text("0123456789abcdef".repeat((960 << 10) / 16 - 10));
    let value = |value| vec![Op { action: Action::Put(value), ..typed(None, "") }];
    let operations = vec![typed(None, ""); 131_072];
    for ops in [value(text), operations] {
        let mut chain = Chain::new(1, 1);
        let order = [chain.write(&[], 0, ops)];
        let envelope = seal(&order, chain.sign());
        assert!(Envelope::from_bytes(DOCUMENT, &envelope.to_bytes()) == Ok(envelope));
    }
}

#[test]
fn what_was_read_is_as_well_signed_as_what_was_written() {
    let mut verifier = Verifier::default();
    for seed in 0..20 {
        let read = Envelope::from_bytes(DOCUMENT, &any_envelope(seed).to_bytes()).unwrap();
        assert!(read.verify(&mut verifier).is_ok(), "seed {seed}");
    }
}

#[test]
fn a_flipped_bit_is_refused_or_changes_nothing_that_is_signed() {
    let mut verifier = Verifier::default();
    for (name, envelope, bytes) in goldens() {
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = Envelope::from_bytes(DOCUMENT, &flipped) {
                let is_same = read == envelope;
                assert!(is_same || read.verify(&mut verifier).is_err(), "{name}: bit {bit}");
            }
        }
    }
}

/// Bytes that each of so many keystrokes takes, all of them in one envelope.
fn bytes_a_keystroke(keystrokes: u32) -> usize {
    let text = "It was the best of times, it was the worst of times, it was the age of wisdom. ";
    let mut chain = Chain::new(1, u64::MAX);
    let mut order = Vec::new();
    for (number, character) in (0..keystrokes).zip(text.chars().cycle()) {
        let after = number.checked_sub(1).map(Reference::Own);
        let time_ms = 1_700_000_000_000 + u64::from(number) * 150;
        order.push(chain.write(&[], time_ms, vec![typed(after, &character.to_string())]));
    }
    let changes = chain.sign();
    seal(&order, changes).to_bytes().len() / keystrokes as usize
}

#[test]
fn a_keystroke_costs_a_few_bytes() {
    assert!(bytes_a_keystroke(100) < 4);
    assert!(bytes_a_keystroke(1000) < 1);
}

#[test]
fn what_came_before_costs_a_link_and_an_id_for_each_author() {
    let (beginning, middle) = (golden::turns(100).to_bytes(), golden::turns_after(200, 100).to_bytes());
    let (hashes, larger_numbers) = (2 * (32 + 32), 4);
    assert!(middle.len() <= beginning.len() + hashes + larger_numbers, "{} and {}", beginning.len(), middle.len());
}

#[test]
fn two_people_who_type_in_turn_cost_as_little_as_one() {
    let (few, many) = (golden::turns(200).to_bytes(), golden::turns(1000).to_bytes());
    assert!(many.len() - few.len() < 800, "{} and {}", few.len(), many.len());
}
