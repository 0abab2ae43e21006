//! Catalogue rows 1 to 15: what is signed, by whom, for what, and in which form.

use std::sync::Arc;

use pistol_core::chain::Tip;
use pistol_core::change::{Action, Change, Kind, Place, Reference, Scalar};
use pistol_core::envelope::{Envelope, Run, Verified, VerifiedChange, VerifyError};
use pistol_core::genesis::{Genesis, GenesisError, Limits, Policy, Terms};
use pistol_core::id::{ChangeId, DocumentId};
use pistol_core::key::{AuthorId, Signature, Verifier};
use pistol_core::limits;
use pistol_core::validate::Rule;

use super::hand::{self, Hand, at_key, op, text};
use super::scene::{self, Piece, Verdict};
use super::stage::{self, LIST, MAP, Stage, TEXT};
use super::support::{self, Dice, Replica, any_edit};

const ORDERS: u64 = 200;

/// A change under a tip of the test's making, as bytes.
fn under(document: DocumentId, change: &VerifiedChange, tip: Tip) -> Vec<u8> {
    let run = Run { chain: change.chain(), first_seq: change.change().seq, base: change.base(), withheld: vec![], tip };
    Envelope::new(document, vec![run], vec![(0, Arc::clone(change.change()))]).unwrap().to_bytes()
}

fn tip(document: DocumentId, number: u8, change: &VerifiedChange) -> Tip {
    Tip::sign(&hand::key(number), &document, change.change().session, change.change().seq, change.link())
}

fn unreadable(name: &str, bytes: Vec<u8>, change: &VerifiedChange) -> Piece {
    Piece { name: name.to_owned(), bytes, ids: vec![change.id()], verdict: Verdict::Unreadable }
}

/// A stranger's letter.
fn letter(stage: &mut Stage) -> VerifiedChange {
    let stranger = stage.stranger();
    stranger.sign(stranger.draft(&[stage.first], &[], vec![op(TEXT, Place::After(None), text("w"), &[])]))
}

#[test]
fn row_1_what_honest_authors_write_is_accepted_by_all() {
    let genesis = support::genesis();
    let mut dice = Dice(1);
    let mut authors: Vec<_> = (1..4).map(|number| Replica::new(&genesis, number, 7)).collect();
    let mut pieces = Vec::new();
    for _ in 0..14 {
        let index = dice.below(3);
        authors[index].edit(|edit| any_edit(edit, &mut dice)).unwrap();
        let made = authors[index].commit();
        let reader = dice.below(3);
        authors[reader].receive(&made);
        pieces.extend(
            made.iter()
                .map(|change| Piece::of("an honest edit", Verdict::Accepted, &genesis, std::slice::from_ref(change))),
        );
    }
    assert!(pieces.len() > 10);
    scene::check(&genesis, &pieces, ORDERS);
}

#[test]
fn row_2_a_flipped_bit_anywhere_is_refused_and_the_original_is_still_accepted() {
    let mut stage = Stage::new();
    let change = letter(&mut stage);
    stage.give("the original", Verdict::Accepted, &change);
    let (document, whole) = (stage.genesis.id(), stage.pieces.last().unwrap().bytes.clone());
    let bits: Vec<usize> = (0..whole.len() * 8).collect();
    let flipped = |bit: usize| {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    // Every bit by itself: refused, or nothing that was signed is another. A few on machines, with the original.
    for bit in &bits {
        let read = Envelope::from_bytes(document, &flipped(*bit));
        let verified = read.ok().and_then(|envelope| envelope.verify(&mut Verifier::default()).ok());
        let is_same = |verified: Verified| verified.changes().iter().map(|c| c.id()).eq([change.id()]);
        assert!(verified.is_none_or(is_same), "bit {bit}");
    }
    let is_refused = |bit: &&usize| {
        let read = Envelope::from_bytes(document, &flipped(**bit));
        !read.is_ok_and(|envelope| envelope.verify(&mut Verifier::default()).is_ok())
    };
    let bits: Vec<usize> = bits.iter().filter(is_refused).copied().collect();
    let some = bits.iter().step_by(bits.len() / 12);
    let pieces = some.map(|bit| Piece { ids: vec![], ..unreadable("a flipped bit", flipped(*bit), &change) });
    stage.pieces.extend(pieces);
    stage.check(ORDERS);
}

#[test]
fn row_3_a_signature_that_is_not_canonical_and_a_weak_key_are_refused() {
    let mut stage = Stage::new();
    let change = letter(&mut stage);
    let document = stage.genesis.id();
    let good = tip(document, 9, &change);
    // The order of the group added to S: the same signature to those who do not look.
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut malleable = good;
    let mut carry = 0u16;
    for (byte, added) in malleable.signature.0[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_eq!(carry, 0);
    stage.pieces.push(unreadable("S above the order of the group", under(document, &change, malleable), &change));
    let zero = Tip { signature: Signature([0; 64]), ..good };
    stage.pieces.push(unreadable("all zero", under(document, &change, zero), &change));
    let mut small = [0u8; 64];
    small[0] = 1;
    let small = Tip { signature: Signature(small), ..good };
    stage.pieces.push(unreadable("R of small order", under(document, &change, small), &change));
    stage.check(ORDERS);
    for weak in weak_keys() {
        assert!(AuthorId::from_bytes(&weak).is_err(), "{weak:?}");
    }
}

/// The eight points of small order, and two encodings of y beyond the field.
fn weak_keys() -> Vec<[u8; 32]> {
    let hex = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let digit = |at: &[u8]| u8::from_str_radix(std::str::from_utf8(at).unwrap(), 16).unwrap();
    hex.iter().map(|hex| std::array::from_fn(|at| digit(&hex.as_bytes()[at * 2..at * 2 + 2]))).collect()
}

#[test]
fn row_4_an_envelope_replayed_into_another_document_is_refused() {
    let mut stage = Stage::new();
    let other = DocumentId([9; 32]);
    let mut elsewhere = Hand::new(other, 9, 1);
    let mut write = || elsewhere.write(&[], &[], vec![op(None, at_key("a"), Action::Put(Scalar::Int(1)), &[])]);
    // The bytes name no document. The first change stands on the root of a chain, which no document shares with another; the
    // second on a link that the envelope carries, so that only the signature tells.
    for change in [write(), write()] {
        let bytes = Verified::seal(other, std::slice::from_ref(&change)).to_bytes();
        let verify = |document| Envelope::from_bytes(document, &bytes).unwrap().verify(&mut Verifier::default());
        assert!(verify(other).is_ok());
        assert_eq!(verify(stage.genesis.id()).unwrap_err(), VerifyError::Signature);
        stage.pieces.push(unreadable("signed for another document", bytes, &change));
    }
    stage.check(ORDERS);
}

#[test]
fn row_5_nobody_writes_in_another_authors_chain() {
    let mut stage = Stage::new();
    let document = stage.genesis.id();
    let stolen = stage.bob.sign(stage.bob.draft(&[], &[], vec![op(TEXT, Place::After(None), text("w"), &[])]));
    let bytes = under(document, &stolen, tip(document, 9, &stolen));
    stage.pieces.push(unreadable("Bob's next change, signed by a stranger", bytes, &stolen));
    let stranger = stage.stranger();
    let mut change = stranger.draft(&[stage.bob.last.unwrap()], &[], vec![]);
    change.seq = 3;
    let change = hand::sign(document, 9, stage.bob.link, change);
    stage.give("a stranger's own change, at the link of Bob's chain", Verdict::Refused(Rule::Chain), &change);
    stage.check(ORDERS);
}

#[test]
fn row_6_an_altered_genesis_is_another_document_or_none() {
    let genesis = support::genesis();
    let bytes = genesis.bytes();
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.to_vec();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(Genesis::verify_for(genesis.id(), &altered, &mut Verifier::default()).is_err(), "bit {bit}");
    }
    let terms = Terms { policy: Policy::Owned, ..genesis.terms().clone() };
    let other = Genesis::sign(&support::author(0), terms).unwrap();
    let asked = Genesis::verify_for(genesis.id(), other.bytes(), &mut Verifier::default());
    assert_eq!(asked.unwrap_err(), GenesisError::WrongId);
}

#[test]
fn row_7_a_genesis_signed_by_another_than_its_creator_is_refused() {
    let genesis = support::genesis();
    assert!(Genesis::sign(&support::author(5), genesis.terms().clone()).is_err());
    let body = &genesis.bytes()[..genesis.bytes().len() - 64];
    let message = [b"pistol/genesis/1\0".as_slice(), genesis.id().as_bytes()].concat();
    let signed = |number| [body, &support::author(number).sign(&message).0].concat();
    let read = |bytes: Vec<u8>| Genesis::verify(&bytes, &mut Verifier::default()).map(|read| read.id());
    assert_eq!(read(signed(0)), Ok(genesis.id()), "the creator's own");
    assert_eq!(read(signed(5)), Err(GenesisError::Signature));
}

#[test]
fn row_8_a_stranger_writes_nothing_into_an_owned_document() {
    let terms = Terms { policy: Policy::Owned, ..support::genesis().terms().clone() };
    let genesis = Arc::new(Genesis::sign(&support::author(0), terms).unwrap());
    let (mut owner, mut stranger) = (Hand::new(genesis.id(), 0, 1), Hand::new(genesis.id(), 9, 1));
    let one = |letter| vec![op(TEXT, Place::After(None), text(letter), &[])];
    let mine = owner.write(&[], &[], one("o"));
    let theirs = stranger.write(&[mine.id()], &[], one("s"));
    let built_on = owner.clone().write(&[theirs.id()], &[], one("b"));
    let next = owner.write(&[], &[], one("n"));
    let piece =
        |name, verdict, change: &VerifiedChange| Piece::of(name, verdict, &genesis, std::slice::from_ref(change));
    let pieces = [
        piece("the owner's", Verdict::Accepted, &mine),
        piece("the owner's next", Verdict::Accepted, &next),
        piece("a stranger's", Verdict::Refused(Rule::Policy), &theirs),
        piece("even the owner's, on what is refused", Verdict::Refused(Rule::Dependencies), &built_on),
    ];
    scene::check(&genesis, &pieces, ORDERS);
}

#[test]
fn row_9_a_gap_in_a_chain_and_a_first_change_that_is_not_the_first_are_refused() {
    let mut stage = Stage::new();
    for seq in [2, 3, 1 << 33] {
        stage.give_altered("first seq not 1", Verdict::Refused(Rule::Chain), vec![], |change| change.seq = seq);
    }
    let mut gap = stage.bob.draft(&[], &[], vec![]);
    gap.seq = 3;
    stage.give("the first, then the third", Verdict::Refused(Rule::Chain), &stage.bob.sign(gap));
    stage.check(ORDERS);
}

#[test]
fn row_10_a_change_that_does_not_depend_on_its_authors_previous_one_is_refused() {
    let mut stage = Stage::new();
    let (first, left, right) = (stage.first, stage.left.last.unwrap(), stage.right.last.unwrap());
    for (name, deps) in [("on another's", vec![first]), ("on nothing", vec![])] {
        let mut change = stage.bob.draft(&[], &[], vec![]);
        change.deps = deps;
        stage.give(name, Verdict::Refused(Rule::Chain), &stage.bob.sign(change));
    }
    for (name, also) in [("on the one before that too", first), ("on both ways of a fork", right)] {
        let change = stage.left.sign(stage.left.draft(&[also], &[], vec![]));
        assert!(change.change().deps.contains(&left));
        stage.give(name, Verdict::Refused(Rule::Chain), &change);
    }
    stage.check(ORDERS);
}

#[test]
fn row_11_a_reference_outside_the_past_is_refused_whichever_came_first() {
    let mut stage = Stage::new();
    let left = stage.left.last.unwrap();
    let stranger = stage.stranger();
    let (after, entry) = (|reference| Place::After(Some(reference)), Reference::Entry(0, 8));
    let concurrent = [
        ("an element", op(TEXT, after(entry), text("z"), &[])),
        ("an object", op(Some(entry), at_key("a"), Action::Put(Scalar::Int(1)), &[])),
        ("what it replaces", op(TEXT, Place::At(entry), Action::Delete, &[entry])),
    ];
    for (name, operation) in concurrent {
        let change = stranger.sign(stranger.draft(&[stage.first], &[left], vec![operation]));
        stage.give(name, Verdict::Refused(Rule::Reference), &change);
    }
    let change = stranger.sign(stranger.draft(&[left], &[left], vec![op(TEXT, after(entry), text("z"), &[])]));
    stage.give("the same within the past: harmless", Verdict::Accepted, &change);
    stage.check(ORDERS);
}

#[test]
fn row_12_an_absent_object_a_wrong_object_and_a_wrong_kind_are_refused() {
    let mut stage = Stage::new();
    let put = |object| vec![op(object, at_key("a"), Action::Put(Scalar::Int(1)), &[])];
    let anns = |number| Some(Reference::Entry(0, number));
    let (reference, operation) = (Verdict::Refused(Rule::Reference), Verdict::Refused(Rule::Operation));
    stage.give_ops("absent", reference, put(anns(9)));
    stage.give_ops("absent in the skeleton", reference, put(Some(Reference::Skeleton(3))));
    stage.give_ops("a value", operation, put(anns(stage::PUT_K)));
    stage.give_ops("a list, taken for a map", operation, put(LIST));
    stage.give_ops(
        "a map, taken for a list",
        operation,
        vec![op(MAP, Place::After(None), Action::Make(Kind::Map), &[])],
    );
    stage.give_ops(
        "a text, taken for a list",
        operation,
        vec![op(TEXT, Place::After(None), Action::Make(Kind::List), &[])],
    );
    stage.check(ORDERS);
}

#[test]
fn row_13_counters_past_their_bounds_are_refused() {
    let mut stage = Stage::new();
    let exact = i64::try_from(limits::EXACT_MAX).unwrap();
    let (value, counter) = (Verdict::Refused(Rule::Value), [Reference::Entry(0, stage::COUNTER)]);
    for start in [exact + 1, -exact - 1, i64::MIN, i64::MAX] {
        stage.give_ops("starts", value, vec![op(MAP, at_key("c"), Action::Put(Scalar::Counter(start)), &[])]);
    }
    for by in [limits::INCREMENT_MAX + 1, -limits::INCREMENT_MAX - 1, i64::MIN, i64::MAX] {
        stage.give_ops("counts", value, vec![op(MAP, at_key("n"), Action::Increment(by), &counter)]);
    }
    stage.give_ops(
        "at its bound",
        Verdict::Accepted,
        vec![op(MAP, at_key("n"), Action::Increment(limits::INCREMENT_MAX), &counter)],
    );
    stage.check(ORDERS);
}

#[test]
fn row_14_bombs_are_refused_for_what_they_say_not_for_what_they_would_cost() {
    let mut stage = Stage::with(Limits { ops_per_change: 1000, change_bytes: 20_000, ..Limits::default() });
    let too_large = Verdict::Refused(Rule::ChangeTooLarge);
    let letters = |count: usize| vec![op(TEXT, Place::After(None), text("a"), &[]); count];
    stage.give_ops("a thousand letters in few bytes: harmless", Verdict::Accepted, letters(1000));
    stage.give_ops("one more", too_large, letters(1001));
    stage.give_ops("a hundred thousand", too_large, letters(100_000));
    stage.give_ops("a long text", too_large, vec![op(TEXT, Place::After(None), text(&"x".repeat(900_000)), &[])]);
    stage.give_altered("more dependencies than there may be", Verdict::Never, vec![], |change| {
        change.deps = ids(limits::DEPENDENCIES_MAX + 1);
    });
    stage.give_altered("ten thousand", Verdict::Never, vec![], |change| {
        change.deps = ids(10_000);
    });
    for piece in &stage.pieces {
        assert!(piece.bytes.len() < 400_000, "{} is {} bytes", piece.name, piece.bytes.len());
    }
    stage.check(4);
}

/// Ids in order.
fn ids(count: usize) -> Vec<ChangeId> {
    let id = |number: usize| {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&(number as u64).to_be_bytes());
        ChangeId(id)
    };
    (1..=count).map(id).collect()
}

#[test]
fn row_15_a_change_of_an_unknown_version_is_none_of_this_one() {
    let change = Stage::new().bob.draft(&[], &[], vec![]);
    let bytes = change.to_bytes();
    assert_eq!(bytes[0], Change::VERSION);
    assert_eq!(Change::from_bytes(&bytes), Ok(change));
    for version in (0..=u8::MAX).filter(|version| *version != Change::VERSION) {
        assert!(Change::from_bytes(&[&[version], &bytes[1..]].concat()).is_err(), "version {version}");
    }
}
