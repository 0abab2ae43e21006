//! Each limit of `pistol_core::limits` and of a genesis, at its bound and one past it.
//!
//! Those that are not here have a test of their own where they belong: keys, counters, increments, predecessors, times,
//! messages, authority and depth in `rules/`, the end of operation counters beside the validator, and what an envelope may
//! be inflated to beside its columns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "support/hand.rs"]
mod hand;
#[path = "support/replica.rs"]
mod support;

use std::sync::Arc;

use hand::{Hand, at_key, op, text};
use pistol_core::chain::{ChainId, Tip};
use pistol_core::change::{Action, Change, Kind, Op, Place, Reference, Scalar};
use pistol_core::document::EditError;
use pistol_core::envelope::{Envelope, NotAnEnvelope, Run, Verified, VerifiedChange};
use pistol_core::genesis::{Genesis, Limits, Terms};
use pistol_core::id::{ChangeId, DocumentId, Session};
use pistol_core::limits;
use pistol_core::validate::Rule;
use support::{Replica, genesis};

const TEXT: Option<Reference> = Some(Reference::Skeleton(0));

/// What becomes of a change.
fn verdict(replica: &mut Replica, change: &VerifiedChange) -> Result<(), Rule> {
    replica.receive(std::slice::from_ref(change));
    replica.rejected.get(&change.id()).map_or(Ok(()), |rule| Err(*rule))
}

/// Whether a change can be sent.
fn travels(change: &VerifiedChange) -> bool {
    let bytes = Verified::seal(genesis().id(), std::slice::from_ref(change)).to_bytes();
    Envelope::from_bytes(genesis().id(), &bytes).is_ok()
}

#[test]
fn a_change_holds_960_kib_and_no_more() {
    let (mut replica, hand) = (Replica::new(&genesis(), 9, 9), Hand::new(genesis().id(), 1, 1));
    let sized = |length| {
        let bytes = Action::Put(Scalar::Bytes(vec![7; length]));
        hand.sign(hand.draft(&[], &[], vec![op(None, at_key("b"), bytes, &[])]))
    };
    let rest = sized(limits::CHANGE_BYTES_MAX / 2).bytes() - limits::CHANGE_BYTES_MAX / 2;
    let (most, more) = (sized(limits::CHANGE_BYTES_MAX - rest), sized(limits::CHANGE_BYTES_MAX - rest + 1));
    assert_eq!(most.bytes(), limits::CHANGE_BYTES_MAX);
    assert!(travels(&most) && !travels(&more));
    assert_eq!(verdict(&mut replica, &more), Err(Rule::ChangeTooLarge));
    assert_eq!(verdict(&mut replica, &most), Ok(()));
}

#[test]
fn a_change_holds_131072_operations_and_no_more() {
    let (mut replica, hand) = (Replica::new(&genesis(), 9, 9), Hand::new(genesis().id(), 1, 1));
    let letters = |count| hand.sign(hand.draft(&[], &[], vec![op(TEXT, Place::After(None), text(""), &[]); count]));
    // Operations of the least size: a change of so many is within its bytes.
    let (most, more) = (letters(limits::OPERATIONS_PER_CHANGE_MAX), letters(limits::OPERATIONS_PER_CHANGE_MAX + 1));
    assert!(most.bytes() < limits::CHANGE_BYTES_MAX);
    assert!(travels(&most) && !travels(&more));
    assert_eq!(verdict(&mut replica, &more), Err(Rule::ChangeTooLarge));
    assert_eq!(verdict(&mut replica, &most), Ok(()));
}

/// So many changes that depend on nothing.
fn heads(count: u64) -> Vec<VerifiedChange> {
    (0..count).map(|session| Hand::new(genesis().id(), 2, session).write(&[], &[], vec![])).collect()
}

#[test]
fn a_change_depends_on_64_others_and_no_more() {
    for (count, expected) in [(64, Ok(())), (65, Err(Rule::Dependencies))] {
        let (mut replica, hand) = (Replica::new(&genesis(), 9, 9), Hand::new(genesis().id(), 1, 1));
        let heads = heads(count);
        replica.receive(&heads);
        let deps: Vec<_> = heads.iter().map(|change| change.id()).collect();
        let change = hand.sign(hand.draft(&deps, &[], vec![]));
        assert_eq!(travels(&change), expected.is_ok());
        assert_eq!(verdict(&mut replica, &change), expected);
    }
}

#[test]
fn an_edit_on_63_heads_is_one_change_and_on_more_a_merge_comes_first() {
    let heads_merged_at = limits::HEADS_MERGED_AT as u64;
    for (count, made) in [(heads_merged_at, 1), (heads_merged_at + 1, 2)] {
        let mut replica = Replica::new(&genesis(), 9, 9);
        replica.receive(&heads(count));
        replica.edit(|edit| edit.text("body").push("x")).unwrap();
        assert_eq!(replica.commit().len(), made, "{count} heads");
    }
}

#[test]
fn a_change_refers_to_1024_chains_and_no_more() {
    let most = limits::REFERENCES_MAX;
    let mut replica = Replica::new(&genesis(), 9, 9);
    for session in 0..=most as u64 {
        let letter = vec![op(TEXT, Place::After(None), text("x"), &[])];
        replica.receive(&[Hand::new(genesis().id(), 2, session).write(&[], &[], letter)]);
    }
    assert_eq!(replica.edit(|edit| edit.text("body").delete(0, most + 1)), Err(EditError::TooLarge));
    replica.edit(|edit| edit.text("body").delete(0, most)).unwrap();
    let made = replica.commit();
    assert_eq!(made.iter().map(|change| change.change().table.len()).max(), Some(most));
    let last = made.last().unwrap();
    let longer = |count: usize| {
        let mut change = Change::clone(last.change());
        change.table = (0..count).map(numbered).collect();
        Change::from_bytes(&change.to_bytes()).is_ok()
    };
    assert!(longer(most) && !longer(most + 1));
}

fn numbered(number: usize) -> ChangeId {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&(number as u64).to_be_bytes());
    ChangeId(id)
}

fn is_genesis(alter: impl FnOnce(&mut Terms)) -> bool {
    let mut terms = genesis().terms().clone();
    alter(&mut terms);
    Genesis::sign(&support::author(0), terms).is_ok()
}

#[test]
fn the_limits_of_a_genesis_are_those_of_the_protocol_at_most() {
    let most = Limits::default();
    let with = |limits| is_genesis(|terms| terms.limits = limits);
    assert!(with(most));
    assert!(!with(Limits { change_bytes: most.change_bytes + 1, ..most }));
    assert!(!with(Limits { ops_per_change: most.ops_per_change + 1, ..most }));
    assert!(!with(Limits { deps: most.deps + 1, ..most }));
    assert!(!with(Limits { ops_per_chain: most.ops_per_chain + 1, ..most }));
    assert!(!with(Limits { bytes_per_chain: most.bytes_per_chain + 1, ..most }));
    let least = Limits { change_bytes: 0, ops_per_change: 0, deps: 0, ops_per_chain: 0, bytes_per_chain: 0, ..most };
    assert!(with(least), "a document may allow less, down to nothing");
}

#[test]
fn a_document_has_8_roots_and_no_more() {
    let roots = |count: u8| {
        is_genesis(|terms| {
            terms.roots = (0..count).map(|number| support::author(number).id()).collect();
            terms.roots.sort_unstable();
            let is_creator = |root: &_| *root == support::author(0).id();
            terms.creator = u32::try_from(terms.roots.iter().position(is_creator).unwrap()).unwrap();
        })
    };
    let most = u8::try_from(limits::ROOTS_MAX).unwrap();
    assert!(roots(most) && !roots(most + 1));
}

#[test]
fn a_skeleton_has_4096_operations_and_no_more_and_a_genesis_256_kib() {
    let make = |number: usize, key: usize| -> Op {
        op(None, at_key(&format!("{number:0key$}")), Action::Make(Kind::Map), &[])
    };
    let skeleton =
        |count: usize, key: usize| is_genesis(|terms| terms.skeleton = (0..count).map(|n| make(n, key)).collect());
    let most = limits::SKELETON_OPERATIONS_MAX;
    assert!(skeleton(most, 4) && !skeleton(most + 1, 4));
    // Of one length of keys the genesis fits to the last byte, or one byte more does not.
    let sized = |last: usize| {
        let mut terms = genesis().terms().clone();
        terms.skeleton = (0..260).map(|number| make(number, 1000)).chain([make(260, last)]).collect();
        Genesis::sign(&support::author(0), terms).map(|genesis| genesis.bytes().len())
    };
    let rest = limits::GENESIS_BYTES_MAX - sized(200).unwrap();
    assert_eq!(sized(200 + rest), Ok(limits::GENESIS_BYTES_MAX));
    assert!(sized(200 + rest + 1).is_err());
}

const DOCUMENT: DocumentId = DocumentId([1; 32]);

/// An envelope of chains of empty changes, by one author in many sessions.
fn envelope(chains: u64, length: u64, withheld: usize) -> Result<Envelope, NotAnEnvelope> {
    let document = DOCUMENT;
    let (mut runs, mut changes) = (vec![], vec![]);
    for session in 0..chains {
        let mut hand = Hand::new(document, 1, session);
        for _ in 0..length {
            let change = hand.draft(&[], &[], vec![]);
            let id = change.id();
            (hand.seq, hand.link, hand.last) = (change.seq, hand.link.then(&id), Some(id));
            changes.push((usize::try_from(session).unwrap(), Arc::new(change)));
        }
        let withheld: Vec<_> = (0..withheld).map(numbered).collect();
        let link = withheld.iter().fold(hand.link, |link, id| link.then(id));
        let tip = Tip::sign(&hand::key(1), &document, Session(session), length + withheld.len() as u64, link);
        let chain = ChainId { author: hand::key(1).id(), session: Session(session) };
        runs.push(Run { chain, first_seq: 1, base: chain.root(&document), withheld, tip });
    }
    Envelope::new(document, runs, changes)
}

fn is_readable(envelope: &Envelope) -> bool {
    Envelope::from_bytes(DOCUMENT, &envelope.to_bytes()).is_ok()
}

#[test]
fn an_envelope_holds_1000_changes_of_256_chains_and_no_more() {
    assert!(is_readable(&envelope(2, 500, 0).unwrap()));
    assert!(!is_readable(&envelope(7, 143, 0).unwrap()), "1001 changes");
    assert!(is_readable(&envelope(256, 1, 0).unwrap()));
    assert!(!is_readable(&envelope(257, 1, 0).unwrap()));
}

#[test]
fn a_signature_covers_1000_changes_and_no_more_withheld_ones_included() {
    let most = limits::SIGNED_MAX;
    assert!(is_readable(&envelope(1, most as u64, 0).unwrap()));
    assert!(envelope(1, most as u64 + 1, 0).is_err());
    assert!(is_readable(&envelope(1, 1, most - 1).unwrap()));
    assert!(envelope(1, 1, most).is_err());
    assert!(most - 1 < limits::WITHHELD_MAX, "so that all but one may be withheld");
}

#[test]
fn bytes_that_are_longer_than_an_envelope_are_refused_unread() {
    let good = envelope(1, 1, 0).unwrap().to_bytes();
    let padded = |length: usize| [good.as_slice(), &vec![0; length - good.len()]].concat();
    let why = |bytes: &[u8]| Envelope::from_bytes(DOCUMENT, bytes).unwrap_err();
    let (most, more) = (padded(limits::ENVELOPE_BYTES_MAX), padded(limits::ENVELOPE_BYTES_MAX + 1));
    assert_ne!(why(&most), pistol_core::codec::Malformed::Limit, "it is read, and is none");
    assert_eq!(why(&more), pistol_core::codec::Malformed::Limit);
}
