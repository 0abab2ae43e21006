//! V4: what an operation may say that it replaces.

use pistol_core::change::{Action, Place, Reference, Scalar};

use super::Expected::{Accepted, Refused};
use super::{Kind, accepted, refused, scene};
use crate::history::draft::{self, Draft};
use crate::history::stage::{self, LIST, MAP, TEXT, key, text};

pub(super) const KINDS: &[Kind] = &[
    accepted("value-put-beside-another", |draft| draft.at(draft::PUT, |op| op.pred.clear())),
    refused("predecessor-twice", |draft| {
        draft.at(draft::PUT, |op| {
            let pred = op.pred.clone();
            op.pred.extend(pred);
        });
    }),
    refused("predecessors-not-sorted", |draft| {
        let own = draft.own(draft::PUT);
        let k = draft.anns(stage::PUT_K);
        let mut pred = vec![own, k];
        pred.sort_unstable();
        pred.reverse();
        draft.push(MAP, key("k"), text("q"), &pred);
    }),
    accepted("predecessors-both", |draft| {
        let mut pred = vec![draft.own(draft::PUT), draft.anns(stage::PUT_K)];
        pred.sort_unstable();
        draft.push(MAP, key("k"), text("q"), &pred);
    }),
    accepted("predecessor-replaced-before", |draft| {
        let k = draft.anns(stage::PUT_K);
        draft.push(MAP, key("k"), text("q"), &[k]);
    }),
    refused("predecessor-at-another-key", |draft| {
        let k = draft.anns(stage::PUT_K);
        draft.push(MAP, key("l"), text("q"), &[k]);
    }),
    refused("predecessor-in-another-object", |draft| {
        let k = draft.anns(stage::PUT_K);
        draft.push(None, key("k"), text("q"), &[k]);
    }),
    refused("predecessor-is-a-deletion", |draft| over(draft, TEXT, stage::Y, stage::DELETED)),
    refused("predecessor-is-an-increment", |draft| {
        let counted = draft.anns(stage::COUNTED);
        draft.push(MAP, key("n"), text("q"), &[counted]);
    }),
    refused("predecessor-is-another-element", |draft| over(draft, TEXT, stage::X, stage::Y)),
    refused("predecessor-is-an-object-elsewhere", |draft| {
        let nested = draft.anns(stage::NESTED);
        draft.push(MAP, key("k"), text("q"), &[nested]);
    }),
    accepted("predecessor-is-an-object", |draft| {
        let nested = draft.anns(stage::NESTED);
        draft.push(None, key("nested"), text("q"), &[nested]);
    }),
    refused("insert-with-a-predecessor", |draft| {
        let x = draft.anns(stage::X);
        draft.push(TEXT, Place::After(None), text("q"), &[x]);
    }),
    refused("deletion-without-a-predecessor", |draft| draft.at(draft::DELETE, |op| op.pred.clear())),
    refused("deletion-of-a-free-key", |draft| draft.push(MAP, key("free"), Action::Delete, &[])),
    refused("increment-without-a-predecessor", |draft| draft.at(draft::COUNT, |op| op.pred.clear())),
    refused("increment-of-a-number", |draft| {
        let k = draft.anns(stage::PUT_K);
        draft.push(MAP, key("k"), Action::Increment(1), &[k]);
    }),
    refused("increment-of-an-increment", |draft| {
        let counted = draft.anns(stage::COUNTED);
        draft.push(MAP, key("n"), Action::Increment(1), &[counted]);
    }),
    refused("increment-of-an-object", |draft| {
        let nested = draft.anns(stage::NESTED);
        draft.push(None, key("nested"), Action::Increment(1), &[nested]);
    }),
    refused("increment-of-a-counter-and-a-number", |draft| {
        draft.push(MAP, key("n"), Action::Put(Scalar::Int(1)), &[]);
        let mut pred = vec![draft.own(draft.change.ops.len() - 1), draft.anns(stage::COUNTER)];
        pred.sort_unstable();
        draft.push(MAP, key("n"), Action::Increment(1), &pred);
    }),
    accepted("increment-of-two-counters", |draft| {
        draft.push(MAP, key("n"), Action::Put(Scalar::Counter(1)), &[]);
        let mut pred = vec![draft.own(draft.change.ops.len() - 1), draft.anns(stage::COUNTER)];
        pred.sort_unstable();
        draft.push(MAP, key("n"), Action::Increment(1), &pred);
    }),
    accepted("counter-replaced-and-incremented", |draft| {
        let counter = draft.anns(stage::COUNTER);
        draft.push(MAP, key("n"), text("q"), &[counter]);
        draft.push(MAP, key("n"), Action::Increment(1), &[counter]);
    }),
    accepted("counter-deleted-and-incremented", |draft| {
        let counter = draft.anns(stage::COUNTER);
        draft.push(MAP, key("n"), Action::Delete, &[counter]);
        draft.push(MAP, key("n"), Action::Increment(1), &[counter]);
    }),
    accepted("item-counter-incremented", |draft| {
        let item = draft.anns(stage::ITEM);
        draft.push(LIST, Place::At(item), Action::Increment(1), &[item]);
    }),
    accepted("deleted-item-put-again", |draft| {
        let item = draft.anns(stage::ITEM);
        draft.push(LIST, Place::At(item), Action::Delete, &[item]);
        draft.push(LIST, Place::At(item), text("q"), &[]);
    }),
    accepted("item-put-with-the-value-before-last", |draft| {
        let set = draft.own(draft::SET);
        let item = draft.anns(stage::ITEM);
        draft.push(LIST, Place::At(item), text("q"), &[set]);
        draft.push(LIST, Place::At(item), text("r"), &[set]);
    }),
    scene("predecessor-not-in-the-past", |forge| {
        let other = forge.lonely(2);
        let other = forge.give(other, Accepted);
        let mut draft = forge.lonely(1);
        if let Some(id) = other.last {
            // The entry is right but for the dependency that would bring it here.
            draft.add_entry(id);
            let at = draft.change.table.iter().position(|entry| *entry == id);
            let entry = at.and_then(|at| u32::try_from(at).ok()).unwrap_or(0);
            draft.at(draft::PUT, |op| op.pred = vec![Reference::Entry(entry, 2)]);
        }
        forge.give(draft, Refused);
    }),
    scene("predecessor-of-a-rival-branch", |forge| {
        let ends = forge.stage.hands.iter().filter(|hand| draft::is_after_first(hand)).copied().collect::<Vec<_>>();
        let Some(hand) = ends.first().copied() else { return };
        let rival = ends.last().and_then(|hand| hand.last);
        let mut draft = forge.draft(hand);
        if let Some(rival) = rival {
            draft.add_entry(rival);
            // Named along the own path, it would be another operation; along the rival's it needs the rival in the past.
            draft.push(TEXT, Place::After(Some(Reference::Entry(0, stage::COUNTED + 1))), text("q"), &[]);
            let is_known = draft.change.deps.contains(&rival);
            forge.give(draft, if is_known { Refused } else { super::Expected::Either });
        }
    }),
];

/// A deletion at one element that says it replaces something else.
fn over(draft: &mut Draft, object: Option<Reference>, element: u32, pred: u32) {
    let (element, pred) = (draft.anns(element), draft.anns(pred));
    draft.push(object, Place::At(element), Action::Delete, &[pred]);
}
