//! V3: the table of references, which has one form.

use pistol_core::change::{Op, Place, Reference};
use pistol_core::id::ChangeId;

use super::Expected::{Accepted, Refused};
use super::{Kind, scene};
use crate::history::draft::{self, Draft};
use crate::history::forge::Forge;
use crate::history::hand::Hand;
use crate::history::stage::{self, TEXT, op, text};

pub(super) const KINDS: &[Kind] = &[
    scene("table-left-out", |forge| altered(forge, |draft| draft.change.table.clear())),
    scene("entry-unknown", |forge| {
        altered(forge, |draft| {
            let id = draft.no_id();
            draft.add_entry(id);
        });
    }),
    scene("entry-replaced-by-an-unknown", |forge| {
        altered(forge, |draft| {
            let id = draft.no_id();
            draft.change.table = vec![id];
        });
    }),
    scene("entry-twice", |forge| altered(forge, |draft| draft.change.table.push(draft.entry))),
    scene("entries-not-sorted", |forge| {
        let (mut draft, entry) = with_two_entries(forge);
        draft.add_entry(entry);
        draft.change.ops.push(letter_of(&draft, entry));
        draft.change.table.reverse();
        forge.give(draft, Refused);
    }),
    scene("two-entries", |forge| {
        let (mut draft, entry) = with_two_entries(forge);
        draft.add_entry(entry);
        draft.change.ops.push(letter_of(&draft, entry));
        forge.give(draft, Accepted);
    }),
    scene("entries-swapped-in-references", |forge| {
        let (mut draft, entry) = with_two_entries(forge);
        draft.add_entry(entry);
        draft.change.ops.push(letter_of(&draft, entry));
        for op in &mut draft.change.ops {
            op.pred.iter_mut().for_each(swap_entry);
            op.object.iter_mut().for_each(swap_entry);
        }
        forge.give(draft, Refused);
    }),
    scene("entry-that-nothing-refers-to", |forge| {
        let (mut draft, entry) = with_two_entries(forge);
        draft.add_entry(entry);
        forge.give(draft, Refused);
    }),
    scene("entry-not-in-the-past", |forge| {
        let other = forge.lonely(2);
        let other = forge.give(other, Accepted);
        let mut draft = forge.lonely(1);
        if let Some(entry) = other.last {
            draft.add_entry(entry);
            draft.change.ops.push(letter_of(&draft, entry));
        }
        forge.give(draft, Refused);
    }),
    scene("entry-is-the-document", |forge| {
        let id = ChangeId(forge.document().0);
        altered(forge, |draft| draft.add_entry(id));
    }),
    scene("entry-of-the-own-chain", |forge| {
        let draft = forge.lonely(1);
        let after = forge.give(draft, Accepted);
        let mut draft = forge.draft(after);
        if let Some(entry) = after.last {
            draft.add_entry(entry);
            draft.change.ops.push(letter_of(&draft, entry));
        }
        forge.give(draft, Refused);
    }),
    scene("entry-later-than-what-is-referred-to", |forge| {
        let ann = forge.ann();
        let mut draft = forge.lonely(1);
        ann.last.into_iter().for_each(|end| draft.add_dep(end));
        forge.give(draft, Accepted);
    }),
    scene("entry-continued-in-the-past", |forge| {
        let ann = forge.ann();
        let mut draft = forge.lonely(1);
        let first = draft.entry;
        ann.last.into_iter().for_each(|end| draft.add_dep(end));
        draft.change.table = vec![first];
        forge.give(draft, Refused);
    }),
    scene("entry-continued-by-what-an-own-change-saw", |forge| {
        let ann = forge.ann();
        let mut before = forge.lonely(1);
        let first = before.entry;
        ann.last.into_iter().for_each(|end| before.add_dep(end));
        let hand = forge.give(before, Accepted);
        let mut draft = forge.draft_on(hand, &[]);
        draft.change.table = vec![first];
        forge.give(draft, Refused);
    }),
    scene("entry-continued-elsewhere-only", |forge| {
        let ann = forge.ann();
        let mut rival = forge.lonely(2);
        ann.last.into_iter().for_each(|end| rival.add_dep(end));
        let draft = forge.lonely(1);
        forge.give(draft, Accepted);
        forge.give(rival, Accepted);
    }),
    scene("fork-referred-to-by-either-side-alone", |forge| {
        for end in 0..2 {
            let mut draft = forge.lonely(end);
            let ends = draft.anns_ends.clone();
            ends.iter().for_each(|end| draft.add_dep(*end));
            draft.change.table = ends.into_iter().skip(usize::from(end == 1)).take(1).collect();
            draft.entry = draft.change.table.first().copied().unwrap_or(draft.entry);
            forge.give(draft, Accepted);
        }
    }),
    scene("fork-referred-to-by-where-it-parted", |forge| {
        let mut draft = forge.lonely(1);
        let first = draft.entry;
        draft.anns_ends.clone().iter().for_each(|end| draft.add_dep(*end));
        draft.change.table = vec![first];
        forge.give(draft, Refused);
    }),
    scene("entry-on-the-path-of-another", |forge| {
        let ann = forge.ann();
        let mut draft = forge.lonely(1);
        if let Some(end) = ann.last {
            let first = draft.entry;
            draft.add_dep(end);
            draft.add_entry(first);
            draft.change.ops.push(letter_of(&draft, end));
        }
        forge.give(draft, Refused);
    }),
    scene("entries-for-both-sides-of-a-fork", |forge| both_sides(forge, false)),
    scene("fork-referred-to-by-its-second-side", |forge| both_sides(forge, true)),
    scene("operation-past-the-entry", |forge| {
        altered(forge, |draft| {
            let past_end = Reference::Entry(0, stage::COUNTED + 1);
            draft.at(draft::LETTER, |op| op.place = Place::After(Some(past_end)));
        });
    }),
    scene("1024-entries", |forge| many(forge, 1024)),
    scene("1025-entries", |forge| many(forge, 1025)),
];

fn altered(forge: &mut Forge<'_>, alter: impl FnOnce(&mut Draft)) {
    let mut draft = forge.lonely(1);
    alter(&mut draft);
    forge.give(draft, Refused);
}

/// A draft that depends on another session's change, which its table may name.
fn with_two_entries(forge: &mut Forge<'_>) -> (Draft, ChangeId) {
    let other = forge.lonely(2);
    let other: Hand = forge.give(other, Accepted);
    let mut draft = forge.lonely(1);
    let entry = other.last.unwrap_or(draft.entry);
    draft.add_dep(entry);
    (draft, entry)
}

fn swap_entry(reference: &mut Reference) {
    if let Reference::Entry(entry, _) = reference {
        *entry ^= 1;
    }
}

fn entry_of(draft: &Draft, id: ChangeId) -> u32 {
    let at = draft.change.table.iter().position(|entry| *entry == id);
    at.and_then(|at| u32::try_from(at).ok()).unwrap_or(0)
}

/// A letter after the first operation of an entry's change: Mallory's first, or the one after Ann's first change.
fn letter_of(draft: &Draft, id: ChangeId) -> Op {
    let number = if draft.anns_ends.contains(&id) { stage::COUNTED + 1 } else { 0 };
    op(TEXT, Place::After(Some(Reference::Entry(entry_of(draft, id), number))), text("e"), &[])
}

/// Both sides of Ann's fork as entries, with the shared part by the first, or wrongly by the second.
fn both_sides(forge: &mut Forge<'_>, is_by_second: bool) {
    let mut draft = forge.lonely(1);
    let mut ends = draft.anns_ends.clone();
    ends.sort_unstable();
    ends.iter().for_each(|end| draft.add_dep(*end));
    draft.change.table = ends;
    let by = u32::from(is_by_second);
    let place = |entry, number| Place::After(Some(Reference::Entry(entry, number)));
    draft.change.ops = vec![
        op(TEXT, place(0, 8), text("1"), &[]),
        op(TEXT, place(1, 8), text("2"), &[]),
        op(TEXT, place(by, 0), text("3"), &[]),
    ];
    forge.give(draft, if is_by_second { Refused } else { Accepted });
}

fn many(forge: &mut Forge<'_>, count: u32) {
    let mut draft = forge.lonely(1);
    let numbered = |number: u32| {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        ChangeId(id)
    };
    draft.change.table = (0..count).map(numbered).collect();
    forge.give(draft, Refused);
}
