//! A written chunk is what Automerge itself would save, byte for byte: the order of rows is checked by nothing else.

#![allow(clippy::cast_possible_truncation, reason = "a test fails by panicking")]

#[path = "../../../tests/support/crafted.rs"]
mod crafted;
#[path = "../../../tests/support/hand.rs"]
mod hand;
pub(in crate::document) mod stories;
#[path = "../../../tests/support/replica.rs"]
mod support;
#[path = "../../../tests/support/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use automerge::{Automerge, ObjId, ObjType, Prop, ROOT, ReadDoc};

use super::super::names::Names;
use super::super::tree::Tree;
use super::super::{Document, project};
use super::Chunk;
use crate::document::hashes::Hashes;
use crate::envelope::VerifiedChange;
use crate::genesis::Genesis;
use crate::validate::{Accepted, Check};
use stories::Story;
use support::{Dice, Replica, any_edit};

/// A document that took changes in and projected none of them.
fn unprojected(genesis: &Arc<Genesis>, changes: &[VerifiedChange]) -> Document {
    let mut document = Document::new(Arc::clone(genesis)).unwrap();
    for change in changes {
        if let Check::Valid(valid) = document.check(change) {
            document.accept(*valid).unwrap();
        }
    }
    document
}

/// The changes that a document took in and did not project.
fn waiting(document: &Document) -> Vec<Accepted> {
    document.backlog.clone().take(&document.history, usize::MAX)
}

/// The same document, its changes applied one by one, so that they stay in order; many, of one chain, at once.
fn applied(document: &Document) -> Document {
    let mut applied = Document::new(Arc::clone(document.history.genesis())).unwrap();
    applied.history = document.history.clone();
    applied.names = Names::of(&document.history);
    applied.automerge = Automerge::new();
    let skeleton = project::skeleton(&applied.history, &applied.names);
    let changes = applied.expand_all(&waiting(document));
    let changes: Vec<_> = skeleton.into_iter().chain(changes).collect();
    for some in changes.chunks(if changes.len() > 1_000 { changes.len() } else { 1 }) {
        applied.automerge.apply_changes(some.iter().cloned()).unwrap();
    }
    applied
}

/// Writes a document both ways and compares them. Returns the document that was opened from the chunk, and the other.
fn compare(genesis: &Arc<Genesis>, changes: &[VerifiedChange]) -> (Document, Document) {
    let mut opened = unprojected(genesis, changes);
    let applied = applied(&opened);
    let chunk = Chunk::write(&opened.history, &applied.names, &waiting(&opened)).expect("a whole history is written");
    assert!(Hashes::new(chunk.hashes) == applied.hashes, "the hashes of changes");
    assert!(chunk.bytes == applied.automerge.save_nocompress(), "the bytes of the chunk");
    moved_ends(&applied);
    let mut backlog = std::mem::take(&mut opened.backlog);
    opened.open_chunk(&mut backlog, usize::MAX).expect("Automerge takes the chunk");
    assert_alike_in_parts(genesis, changes, &applied);
    (opened, applied)
}

/// Compares with a document of which a part is opened from a chunk and the rest is applied.
fn assert_alike_in_parts(genesis: &Arc<Genesis>, changes: &[VerifiedChange], applied: &Document) {
    let mut in_parts = unprojected(genesis, changes);
    let mut backlog = std::mem::take(&mut in_parts.backlog);
    in_parts.open_chunk(&mut backlog, changes.len() / 2).expect("Automerge takes the chunk of a part");
    for one in backlog.take(&in_parts.history, usize::MAX) {
        in_parts.apply(&[one]).unwrap();
    }
    assert_alike(&in_parts, applied);
}

/// How many marks there are, and how many of their ends were moved: just those that are not after their begins when one
/// writes down all elements in order.
fn moved_ends(document: &Document) -> (usize, usize) {
    let (history, mut tree) = (&document.history, Tree::default());
    tree.grow(history, &document.names, history.next() - 1);
    let rows = history.operations() as u32;
    let elements = (0..rows).filter(|row| history.element(*row).is_some());
    let mut children: BTreeMap<Option<u32>, Vec<u32>> = BTreeMap::new();
    elements.clone().for_each(|row| children.entry(tree.parent(row)).or_default().push(row));
    for siblings in children.values_mut() {
        siblings.sort_by_key(|row| tree.op_id(history, &document.names, *row));
    }
    let (mut places, mut stack) = (BTreeMap::new(), vec![None]);
    while let Some(element) = stack.pop() {
        places.insert(element, places.len());
        stack.extend(children.remove(&element).into_iter().flatten().map(Some));
    }
    let (mut marks, mut moved) = (0, 0);
    for (row, end) in elements.filter_map(|row| Some((row, history.element(row)?))).filter(|(_, end)| end.is_mark_end) {
        let is_after = places[&end.after] > places[&history.element(row - 1).unwrap().after];
        let expected = if end.after == Some(row - 1) || is_after { end.after } else { Some(row - 1) };
        assert_eq!(tree.parent(row), expected);
        marks += 1;
        moved += usize::from(expected != end.after);
    }
    (marks, moved)
}

/// Everything that reading a document gives.
fn picture(document: &Document) -> String {
    let mut picture = format!("{:?}\n{:?}\n", document.projected_heads(), document.log());
    describe(&document.automerge, &ROOT, &mut picture);
    picture
}

fn describe(automerge: &Automerge, object: &ObjId, out: &mut String) {
    let sequence = (0..automerge.length(object)).map(Prop::from);
    let props: Vec<Prop> = match automerge.object_type(object).unwrap() {
        ObjType::Map | ObjType::Table => automerge.keys(object).map(Prop::from).collect(),
        ObjType::List | ObjType::Text => sequence.collect(),
    };
    out.push_str(&automerge.text(object).unwrap_or_default());
    writeln!(out, "{:?}", automerge.marks(object)).unwrap();
    for prop in props {
        for (value, id) in automerge.get_all(object, prop.clone()).unwrap() {
            writeln!(out, "{object} {prop:?} {id} {value:?}").unwrap();
            if value.is_object() {
                describe(automerge, &id, out);
            }
        }
    }
}

/// Edits both in the same ways and lets both hear of what the other authors wrote last.
fn go_on(opened: Document, applied: Document, later: &[VerifiedChange], seed: u64) {
    let genesis = Arc::clone(opened.history.genesis());
    let [opened, applied] = [opened, applied].map(|document| {
        let mut dice = Dice(seed);
        let mut replica = Replica::new(&genesis, 78, 1);
        replica.document = document;
        replica.document.project().unwrap();
        for change in later {
            let _ = replica.edit(|edit| any_edit(edit, &mut dice));
            replica.receive(std::slice::from_ref(change));
            replica.document.project().unwrap();
        }
        let _ = replica.edit(|edit| any_edit(edit, &mut dice));
        replica.document
    });
    assert!(opened.history.next() > later.len() as u32, "later changes and edits were taken in");
    assert_alike(&opened, &applied);
}

fn assert_alike(one: &Document, other: &Document) {
    assert_eq!(picture(one), picture(other));
    assert!(one.hashes == other.hashes, "the hashes of changes");
    assert!(one.automerge.save_nocompress() == other.automerge.save_nocompress(), "what is saved");
}

fn check(story: &Story, seed: u64) {
    let known = if seed.is_multiple_of(2) { story.changes.len() } else { story.changes.len() * 3 / 4 };
    let (known, later) = story.changes.split_at(known);
    let (opened, applied) = compare(&story.genesis, known);
    assert_alike(&opened, &applied);
    go_on(opened, applied, later, seed);
}

/// How many histories are tried; more by hand, with `CHUNK_SEEDS=first..end`.
fn seeds() -> std::ops::Range<u64> {
    #[expect(clippy::disallowed_methods, reason = "a person asks for more seeds so")]
    let given = std::env::var("CHUNK_SEEDS").ok();
    let given =
        given.and_then(|text| text.split_once("..").and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?))));
    given.map_or(0..320, |(first, end)| first..end)
}

#[test]
fn a_chunk_is_what_automerge_saves_of_the_same_changes() {
    let (mut changes, mut operations, mut forks, mut heads) = (0, 0, 0, 0);
    let (mut marks, mut moved_marks) = (0, 0);
    for seed in seeds() {
        let story = Story::any(seed);
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&story, seed)));
        assert!(checked.is_ok(), "seed {seed}");
        let mut document = unprojected(&story.genesis, &story.changes);
        document.names = Names::of(&document.history);
        let (all, moved) = moved_ends(&document);
        (marks, moved_marks) = (marks + all, moved_marks + moved);
        changes += document.history.next();
        operations += document.history.operations();
        forks += document.history.branches().iter().filter(|branch| branch.parent().is_some()).count();
        heads += document.history.heads().len();
    }
    eprintln!(
        "{changes} changes, {operations} operations, {forks} forks, {heads} heads, {marks} marks, {moved_marks} moved"
    );
    assert!(forks > 0 && moved_marks > 0 && marks > moved_marks);
}

#[test]
fn the_ends_of_marks_that_editors_make_stay_where_they_are() {
    let mut marks = 0;
    for seed in 0..20 {
        let story = Story::turns(seed, 30);
        let mut document = unprojected(&story.genesis, &story.changes);
        document.names = Names::of(&document.history);
        let (all, moved) = moved_ends(&document);
        assert_eq!(moved, 0, "seed {seed}");
        marks += all;
    }
    assert!(marks > 20);
}

#[test]
fn thousands_of_waiting_changes_are_opened_at_once_and_edited_on() {
    let story = Story::typed(2_100);
    let (opened, applied) = compare(&story.genesis, &story.changes);
    let mut projected = unprojected(&story.genesis, &story.changes);
    let mut backlog = std::mem::take(&mut projected.backlog);
    assert!(projected.project_in_bulk(&mut backlog));
    assert_alike(&projected, &opened);
    let mut projected = unprojected(&story.genesis, &story.changes);
    projected.project().unwrap();
    assert_alike(&projected, &opened);
    go_on(projected, applied, &[], 3);
}

#[test]
fn few_changes_a_followed_text_and_a_projected_document_are_not_opened_from_a_chunk() {
    let story = Story::typed(2_100);
    let mut few = unprojected(&story.genesis, &story.changes[..50]);
    let mut followed = unprojected(&story.genesis, &story.changes);
    followed.follow(|content| content.text("body")).unwrap();
    let mut known = unprojected(&story.genesis, &story.changes[..50]);
    known.project().unwrap();
    for change in &story.changes[50..] {
        if let Check::Valid(valid) = known.check(change) {
            known.accept(*valid).unwrap();
        }
    }
    for document in [&mut few, &mut followed, &mut known] {
        let mut backlog = document.backlog.clone();
        assert!(!document.project_in_bulk(&mut backlog));
    }
    known.project().unwrap();
    let whole = unprojected(&story.genesis, &story.changes);
    assert_eq!(known.projected_heads(), applied(&whole).projected_heads());
}

#[test]
fn a_chunk_with_a_gap_is_not_written() {
    let story = Story::turns(1, 20);
    let document = unprojected(&story.genesis, &story.changes);
    let names = Names::of(&document.history);
    let waiting = waiting(&document);
    assert!(Chunk::write(&document.history, &names, &waiting).is_some());
    assert!(Chunk::write(&document.history, &names, &waiting[..5]).is_some());
    assert!(Chunk::write(&document.history, &names, &waiting[1..]).is_none());
    assert!(Chunk::write(&document.history, &names, &[&waiting[..5], &waiting[6..]].concat()).is_none());
}

#[test]
fn a_crowd_typing_at_one_place_is_written_in_the_order_that_automerge_gives_it() {
    let story = Story::crowd(4, 120, 2);
    compare(&story.genesis, &story.changes);
}
