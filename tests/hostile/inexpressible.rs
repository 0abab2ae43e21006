//! Rows of the table of what breaks Automerge that our records have no way to say, each with the reason, shown.
//!
//! Of three rows there is nothing to show, for a change has no field that could say them: a `start_op` below what is
//! there, twice the same, or at the end of numbers (readers number operations by their places; that the numbers end in
//! time is tested beside the validator); a time before 1970 (it has no sign); and an orphan in what is saved (only what
//! is accepted is projected).

use std::sync::Arc;

use pistol_core::chain::{ChainId, Tip};
use pistol_core::change::{Action, Change, Kind, Place, Reference, Scalar};
use pistol_core::envelope::{Envelope, Run};
use pistol_core::id::{ChangeId, DocumentId, Session};

use super::hand::{self, at_key, op, text};
use super::stage::{LIST, MAP, TEXT};

/// A row, why it cannot be said, and whether that is so.
type Row = (&'static str, &'static str, fn() -> bool);

const ROWS: &[Row] = &[
    ("seq 0", "the first place of a chain is 1", || envelope_at(0).is_none() && envelope_at(1).is_some()),
    ("the last seq of all", "the place after a tip must have a number", || envelope_at(u64::MAX).is_none()),
    (
        "an author's footer on a change that is not the first",
        "each change names its author, and nothing follows it",
        || is_refused(&[sample().to_bytes(), vec![0; 34]].concat()),
    ),
    ("garbage of a mebibyte at the end", "nothing follows the operations", || {
        is_refused(&[sample().to_bytes(), vec![7; 1 << 20]].concat())
    }),
    (
        "an actor id of no bytes, or of 100 kB",
        "an author's key has 32 bytes, and the list of authors is of keys",
        || is_refused(&altered(1..33, &[])) && is_refused(&altered(1..33, &[1; 100])),
    ),
    ("an author who is no key", "a key is a point of full order", || is_refused(&altered(1..33, &[0xff; 32]))),
    ("an actor past the list of actors", "references name entries of the change's own table, at most 1,024", || {
        let mut change = sample();
        change.ops[0].object = Some(Reference::Entry(1024, 0));
        is_refused(&change.to_bytes())
    }),
    ("an object of type Table", "there are maps, lists and texts", || has_no_other_tag()),
    ("an unknown action", "each tag has its meaning, others are refused", || has_no_other_tag()),
    ("an update at the head of a list", "an update names an element", || {
        // The place of the list's update, as if it were the head.
        let mut change = sample();
        change.ops = vec![op(LIST, Place::At(Reference::Own(0)), Action::Put(Scalar::Null), &[])];
        let bytes = change.to_bytes();
        let place = bytes.len() - 4;
        let head = [&bytes[..place], &[0], &bytes[place + 2..]].concat();
        Change::from_bytes(&bytes).is_ok() && is_refused(&head)
    }),
    ("text that is not UTF-8", "texts are UTF-8", || {
        let bytes = sample().to_bytes();
        let at = bytes.windows(5).position(|window| window == b"words").unwrap();
        is_refused(&[&bytes[..at], &[0xff], &bytes[at + 1..]].concat())
    }),
    ("dependencies out of order", "lists of ids ascend", || {
        let mut change = sample();
        change.deps = vec![ChangeId([2; 32]), ChangeId([1; 32])];
        is_refused(&change.to_bytes())
    }),
    ("a wrong checksum", "there is none: a change's name is the hash of all of it", || {
        let bytes = sample().to_bytes();
        let read = |bytes: &[u8]| Change::from_bytes(bytes).map(|change| change.id());
        (0..bytes.len()).all(|at| {
            let mut other = bytes.clone();
            other[at] ^= 1;
            read(&other) != read(&bytes)
        })
    }),
    ("a document or a bundle of Automerge's where a change is expected", "no reader of ours reads its chunks", || {
        let chunks =
            [0u8, 1, 2, 3].map(|kind| [&[0x85, 0x6f, 0x4a, 0x83, 1, 2, 3, 4, kind, 2], [0u8; 40].as_slice()].concat());
        chunks.iter().all(|chunk| is_refused(chunk) && Envelope::from_bytes(DocumentId([1; 32]), chunk).is_err())
    }),
];

#[test]
fn what_our_records_cannot_say_is_refused_by_whoever_reads_them() {
    for (row, why, is_so) in ROWS {
        assert!(is_so(), "{row}: {why}");
    }
}

/// An encoding that is not the one that a writer gives (longer numbers, other counts, another order) is refused.
#[test]
fn every_change_has_one_form() {
    let bytes = sample().to_bytes();
    assert_eq!(Change::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    let mut read = 0;
    for at in 0..bytes.len() {
        for value in 0..=u8::MAX {
            let mut other = bytes.clone();
            other[at] = value;
            let longer = [&other[..=at], &[0], &other[at + 1..]].concat();
            let shorter = [&other[..at], &other[at + 1..]].concat();
            for bytes in [other, longer, shorter] {
                let Ok(change) = Change::from_bytes(&bytes) else { continue };
                read += 1;
                assert_eq!(change.to_bytes(), bytes, "byte {at} as {value}");
            }
        }
    }
    assert!(read > 1000, "{read}");
}

/// A count that no bytes stand behind is refused before anything is made of it.
#[test]
fn a_length_is_refused_if_nothing_is_behind_it() {
    let bytes = sample().to_bytes();
    for at in 41..bytes.len() {
        for huge in [vec![0xff, 0xff, 0xff, 0xff, 0x0f], [vec![0xff; 9], vec![1]].concat(), vec![0xff; 11]] {
            let read = Change::from_bytes(&[&bytes[..at], &huge, &bytes[at + 1..]].concat());
            assert!(read.is_err() || read.is_ok_and(|change| change.ops.len() < 10), "{at}");
        }
    }
}

fn sample() -> Change {
    Change {
        author: hand::key(9).id(),
        session: Session(1),
        seq: 2,
        deps: vec![ChangeId([1; 32])],
        authority: vec![],
        time_ms: 1,
        message: Some("words".to_owned()),
        table: vec![ChangeId([1; 32])],
        ops: vec![
            op(TEXT, Place::After(Some(Reference::Entry(0, 300))), text("a"), &[]),
            op(MAP, at_key("k"), Action::Put(Scalar::Int(-70)), &[Reference::Own(1), Reference::Skeleton(2)]),
            op(None, at_key("m"), Action::Make(Kind::Map), &[]),
        ],
    }
}

fn altered(range: std::ops::Range<usize>, with: &[u8]) -> Vec<u8> {
    let bytes = sample().to_bytes();
    [&bytes[..range.start], with, &bytes[range.end..]].concat()
}

fn is_refused(bytes: &[u8]) -> bool {
    Change::from_bytes(bytes).is_err()
}

/// Whether the tags of operations are those that have a meaning, and no others.
fn has_no_other_tag() -> bool {
    let mut change = sample();
    change.ops = vec![op(None, at_key("k"), Action::Make(Kind::Map), &[])];
    let bytes = change.to_bytes();
    let tag = bytes.len() - 5;
    let meant = |tag_byte: u8| Change::from_bytes(&[&bytes[..tag], &[tag_byte], &bytes[tag + 1..]].concat()).is_ok();
    let makes_and_delete = [32, 33, 34, 36];
    makes_and_delete.into_iter().all(meant)
        && (40..=u8::MAX).filter(|tag| tag & 0x0f > 7 || *tag >= 64).all(|tag| !meant(tag))
}

/// An envelope with one change at a place of a stranger's chain.
fn envelope_at(seq: u64) -> Option<Envelope> {
    let document = DocumentId([1; 32]);
    let change = Change { seq, deps: vec![], table: vec![], ops: vec![], ..sample() };
    let chain = ChainId { author: change.author, session: change.session };
    let base = chain.root(&document);
    let tip = Tip::sign(&hand::key(9), &document, change.session, seq, base.then(&change.id()));
    let run = Run { chain, first_seq: seq, base, withheld: vec![], tip };
    Envelope::new(document, vec![run], vec![(0, Arc::new(change))]).ok()
}
