//! V1: what a change may depend on.

use pistol_core::id::ChangeId;

use super::Expected::{Accepted, Either, Refused};
use super::{Kind, either, refused, scene};
use crate::history::draft::Draft;
use crate::history::hand::Hand;
use crate::history::stage::LIMITS;

pub(super) const KINDS: &[Kind] = &[
    refused("dependency-twice", |draft| {
        let deps = draft.change.deps.clone();
        draft.change.deps.extend(deps);
        draft.change.deps.sort_unstable();
    }),
    scene("dependencies-not-sorted", |forge| {
        let after = {
            let draft = forge.lonely(1);
            forge.give(draft, Accepted)
        };
        let mut draft = forge.draft(after);
        draft.add_dep(forge.stage.first);
        draft.change.deps.reverse();
        forge.give(draft, Refused);
    }),
    refused("dependency-unknown", |draft| {
        let id = draft.no_id();
        draft.add_dep(id);
    }),
    refused("dependency-of-zeros", |draft| draft.add_dep(ChangeId([0; 32]))),
    refused("dependency-swapped-for-an-unknown", |draft| {
        let id = draft.no_id();
        draft.change.deps = vec![id];
    }),
    scene("dependency-is-the-document", |forge| {
        let id = ChangeId(forge.document().0);
        let mut draft = forge.lonely(1);
        draft.add_dep(id);
        forge.give(draft, Refused);
    }),
    refused("dependency-flipped", |draft| {
        if let Some(dep) = draft.change.deps.first_mut() {
            dep.0[9] ^= 1;
        }
        draft.change.deps.sort_unstable();
    }),
    refused("no-dependencies", |draft| draft.change.deps.clear()),
    scene("no-dependencies-and-none-needed", |forge| {
        let mut draft = forge.lonely(1);
        draft.change.deps.clear();
        draft.change.table.clear();
        draft.change.ops.clear();
        forge.give(draft, Accepted);
    }),
    scene("dependency-of-the-future", |forge| {
        let draft = forge.lonely(2);
        let later = draft.change.id();
        let mut first = forge.lonely(1);
        first.add_dep(later);
        forge.give(first, Accepted);
        forge.give(draft, Accepted);
    }),
    scene("dependency-on-a-refused-change", |forge| {
        let mut bad = forge.lonely(1);
        bad.change.time_ms = u64::MAX;
        let bad = forge.give(bad, Refused);
        let mut draft = forge.lonely(2);
        bad.last.into_iter().for_each(|id| draft.add_dep(id));
        forge.give(draft, Refused);
    }),
    scene("dependency-on-a-waiting-change", |forge| {
        let mut waits = forge.lonely(1);
        waits.add_dep(ChangeId([5; 32]));
        let waits = forge.give(waits, Refused);
        let mut draft = forge.lonely(2);
        waits.last.into_iter().for_each(|id| draft.add_dep(id));
        forge.give(draft, Refused);
    }),
    scene("dependency-on-an-ancestor-too", |forge| {
        let id = forge.chance.pick(&forge.stage.honest).map(|change| change.id());
        let mut draft = forge.lonely(1);
        id.into_iter().for_each(|id| draft.add_dep(id));
        forge.give(draft, Accepted);
    }),
    scene("dependencies-to-the-limit", |forge| many(forge, LIMITS.deps, true)),
    scene("dependencies-past-the-limit", |forge| many(forge, LIMITS.deps + 1, false)),
    scene("dependencies-on-everything", |forge| {
        let mut draft = forge.lonely(1);
        draft.change.deps = forge.stage.honest.iter().map(|change| change.id()).collect();
        draft.change.deps.sort_unstable();
        forge.give(draft, Either);
    }),
    either("one-dependency-left-out", |draft| {
        let at = draft.chance.index(draft.change.deps.len());
        draft.change.deps.remove(at);
    }),
    scene("heads-to-the-limit", |forge| {
        for session in 0..12 {
            let draft = forge.lonely(session);
            forge.give(draft, Accepted);
        }
    }),
    scene("merge-of-all-sessions", |forge| {
        let ends: Vec<Hand> = (0..6)
            .map(|session| {
                let draft = forge.lonely(session);
                forge.give(draft, Accepted)
            })
            .collect();
        let mut draft = forge.lonely(7);
        ends.iter().filter_map(|end| end.last).for_each(|id| draft.add_dep(id));
        forge.give(draft, Accepted);
    }),
    scene("dependencies-swapped", |forge| {
        let mut one = forge.lonely(1);
        let mut other = forge.lonely(2);
        std::mem::swap(&mut one.change.deps, &mut other.change.deps);
        std::mem::swap(&mut one.hand.link, &mut other.hand.link);
        forge.give(one, Refused);
        forge.give(other, Refused);
    }),
];

/// A change with so many dependencies, all there: sessions of Mallory's, and Ann's first.
fn many(forge: &mut crate::history::forge::Forge<'_>, count: u32, is_good: bool) {
    let ends: Vec<Hand> = (2..=u64::from(count))
        .map(|session| {
            let mut draft: Draft = forge.lonely(session);
            draft.change.ops.truncate(1);
            forge.give(draft, Accepted)
        })
        .collect();
    let mut draft = forge.lonely(1);
    ends.iter().filter_map(|end| end.last).for_each(|id| draft.add_dep(id));
    forge.give(draft, if is_good { Accepted } else { Refused });
}
