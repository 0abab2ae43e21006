//! V2: places in a chain, links, forks, and who signed.

use std::sync::Arc;

use pistol_core::chain::Tip;
use pistol_core::envelope::{Envelope, Run};
use pistol_core::id::{ChangeId, DocumentId, Link, Session};

use super::Expected::{Accepted, Either, Refused};
use super::{Kind, accepted, refused, scene};
use crate::history::draft::Draft;
use crate::history::forge::Forge;
use crate::history::hand::Hand;
use crate::sealing;

pub(super) const KINDS: &[Kind] = &[
    accepted("nothing", |_| {}),
    refused("place-0", |draft| draft.change.seq = 0),
    refused("place-plus-1", |draft| draft.change.seq += 1),
    refused("place-largest", |draft| draft.change.seq = u64::MAX),
    refused("place-from-afar", |draft| draft.change.seq = 1 << 40),
    scene("place-repeated", |forge| altered_after(forge, |draft| draft.change.seq -= 1)),
    scene("place-1-with-own-dependency", |forge| altered_after(forge, |draft| draft.change.seq = 1)),
    refused("another-session", |draft| draft.change.session = Session(99)),
    refused("another-author", |draft| draft.change.author = sealing::author(5).id()),
    scene("own-previous-not-named", |forge| {
        altered_after(forge, |draft| {
            let last = draft.hand.last;
            draft.change.deps.retain(|dep| Some(*dep) != last);
        });
    }),
    scene("two-own-previous", |forge| {
        let ends: Vec<ChangeId> = branch_ends(forge);
        let hand = forge.ann();
        let mut draft = forge.draft(hand);
        ends.into_iter().for_each(|end| draft.add_dep(end));
        forge.give(draft, Refused);
    }),
    scene("own-grandparent-named-too", |forge| {
        let hand = forge.ann();
        let mut draft = forge.draft(hand);
        draft.add_dep(forge.stage.first);
        forge.give(draft, Refused);
    }),
    refused("link-of-nothing", |draft| draft.hand.link = Link([7; 32])),
    scene("link-of-the-root-in-the-middle", |forge| {
        let document = forge.document();
        altered_after(forge, |draft| draft.hand.link = draft.hand.chain.root(&DocumentId([0; 32])));
        let mut draft = written_once(forge);
        draft.hand.link = draft.hand.chain.root(&document);
        forge.give(draft, Refused);
    }),
    scene("link-of-another-chain", |forge| {
        let other = forge.ann().link;
        let mut draft = forge.lonely(1);
        draft.hand.link = other;
        forge.give(draft, Refused);
    }),
    scene("right-change-at-a-wrong-link-too", |forge| {
        let hand = forge.any_hand();
        let draft = forge.draft(hand);
        let mut wrong = draft.clone();
        wrong.hand.link = Link([7; 32]);
        forge.give(wrong, Either);
        forge.give(draft, Accepted);
    }),
    scene("fork-at-any-place", |forge| {
        let hand = any_place(forge);
        let draft = forge.draft(hand);
        forge.give(draft, Accepted);
    }),
    scene("forks-at-every-place", |forge| {
        for ordinal in 1..forge.stage.history.next() {
            let Some(hand) = place_before(forge, ordinal) else { continue };
            let draft = forge.draft(hand);
            forge.give(draft, Accepted);
        }
    }),
    scene("twins", |forge| {
        let hand = any_place(forge);
        for time_ms in 10..13 {
            let mut draft = forge.draft(hand);
            draft.change.time_ms = time_ms;
            forge.give(draft, Accepted);
        }
    }),
    scene("fork-of-a-fork", |forge| forks(forge, 3, Accepted)),
    scene("fork-20-deep", |forge| forks(forge, 20, Accepted)),
    scene("session-begun-again", |forge| {
        let mut hand = forge.any_hand();
        hand = Hand { seq: 0, link: hand.chain.root(&forge.document()), last: None, operations: 0, ..hand };
        let draft = fresh_draft(forge, hand);
        let is_empty = draft.change.ops.is_empty();
        let after = forge.give(draft, Accepted);
        if !is_empty {
            let draft = forge.draft(after);
            forge.give(draft, Accepted);
        }
    }),
    scene("gap", |forge| {
        let draft = forge.lonely(1);
        let after = Hand::after(&draft.hand, &draft.change);
        let draft = forge.draft(after);
        forge.give(draft, Refused);
    }),
    scene("child-of-a-refused-change", |forge| {
        let mut draft = forge.lonely(1);
        draft.change.time_ms = u64::MAX;
        let after = forge.give(draft, Refused);
        let draft = forge.draft(after);
        forge.give(draft, Refused);
    }),
    scene("chain-in-reverse", |forge| {
        let mut hand = forge.mallory(1);
        for _ in 0..5 {
            let draft = fresh_draft(forge, hand);
            hand = forge.give(draft, Accepted);
        }
        forge.given.reverse();
    }),
    scene("signed-by-somebody-else", |forge| {
        sealed_as(forge, Refused, |run| run.tip.signature.0 = sealing::author(4).sign(b"x").0);
    }),
    scene("signature-flipped", |forge| sealed_as(forge, Refused, |run| run.tip.signature.0[40] ^= 1)),
    scene("signature-of-another-document", |forge| {
        sealed_as(forge, Refused, |run| {
            let key = sealing::author(9);
            run.tip = Tip::sign(&key, &DocumentId([3; 32]), run.chain.session, run.tip.seq, run.tip.link);
        });
    }),
    scene("signature-of-another-place", |forge| {
        sealed_as(forge, Refused, |run| {
            let key = sealing::author(9);
            run.tip = Tip::sign(&key, &DocumentId([3; 32]), run.chain.session, run.tip.seq + 1, run.tip.link);
        });
    }),
    scene("later-changes-withheld", |forge| {
        let document = forge.document();
        let draft = forge.lonely(1);
        let id = draft.change.id();
        let withheld: Vec<ChangeId> = (0..20).map(|number| ChangeId([number; 32])).collect();
        let link = withheld.iter().fold(draft.hand.link.then(&id), |link, id| link.then(id));
        let tip = Tip::sign(&sealing::author(9), &document, draft.change.session, 21, link);
        let run = Run { chain: draft.hand.chain, first_seq: 1, base: draft.hand.link, withheld, tip };
        let envelope = Envelope::new(document, vec![run], vec![(0, Arc::new(draft.change))]).ok();
        forge.give_envelope(envelope, Accepted);
    }),
];

/// A hand that has written one good change.
fn written_once(forge: &mut Forge<'_>) -> Draft {
    let draft = forge.lonely(1);
    let after = forge.give(draft, Accepted);
    forge.draft(after)
}

fn altered_after(forge: &mut Forge<'_>, alter: impl FnOnce(&mut Draft)) {
    let mut draft = written_once(forge);
    alter(&mut draft);
    forge.give(draft, Refused);
}

/// A draft by a hand of any chain that depends on Ann's first change only by others' work.
fn fresh_draft(forge: &mut Forge<'_>, hand: Hand) -> Draft {
    let mut draft = forge.lonely(1);
    let is_ann = hand.chain.author == sealing::author(crate::history::stage::ANN).id();
    if is_ann {
        // Nothing of her own first change may be named where the chain begins anew.
        draft.change.deps.clear();
        draft.change.table.clear();
        draft.change.ops.clear();
    } else if hand.last.is_some() {
        return forge.draft_on(hand, &draft.change.deps);
    }
    (draft.change.author, draft.change.session, draft.hand) = (hand.chain.author, hand.chain.session, hand);
    draft
}

fn branch_ends(forge: &Forge<'_>) -> Vec<ChangeId> {
    let ann = sealing::author(crate::history::stage::ANN).id();
    forge.stage.hands.iter().filter(|hand| hand.chain.author == ann).filter_map(|hand| hand.last).collect()
}

/// The hand before an accepted change that is not the first of its chain.
fn place_before(forge: &Forge<'_>, ordinal: u32) -> Option<Hand> {
    let history = &forge.stage.history;
    let id = history.id(ordinal)?;
    let change = forge.stage.honest.iter().find(|change| change.id() == id)?;
    let chain = change.chain();
    let deps = change.change().deps.iter().filter_map(|dep| history.ordinal(dep));
    let is_own = |dep: &u32| {
        history
            .branch_index(*dep)
            .and_then(|index| history.branch(index))
            .and_then(pistol_core::validate::Branch::chain)
            == Some(chain)
    };
    Hand::at(history, chain, deps.into_iter().find(is_own)?)
}

fn any_place(forge: &mut Forge<'_>) -> Hand {
    let places: Vec<Hand> =
        (1..forge.stage.history.next()).filter_map(|ordinal| place_before(forge, ordinal)).collect();
    forge.chance.pick(&places).copied().unwrap_or(forge.mallory(1))
}

/// Forks inside forks: each change has two children, and the chain goes on from the second.
fn forks(forge: &mut Forge<'_>, depth: u64, expected: super::Expected) {
    let mut hand = forge.ann();
    for time_ms in 0..depth {
        let mut other = forge.draft(hand);
        other.change.time_ms = 1000 + time_ms;
        other.change.ops.truncate(2);
        let mut draft = forge.draft(hand);
        draft.change.ops.truncate(1);
        forge.give(other, expected);
        hand = forge.give(draft, expected);
    }
}

/// A good change under a run that is altered.
fn sealed_as(forge: &mut Forge<'_>, expected: super::Expected, alter: fn(&mut Run)) {
    let document = forge.document();
    let draft = forge.lonely(1);
    let link = draft.hand.link.then(&draft.change.id());
    let tip = Tip::sign(&sealing::author(9), &document, draft.change.session, 1, link);
    let mut run = Run { chain: draft.hand.chain, first_seq: 1, base: draft.hand.link, withheld: vec![], tip };
    alter(&mut run);
    let envelope = Envelope::new(document, vec![run], vec![(0, Arc::new(draft.change))]).ok();
    forge.give_envelope(envelope, expected);
}
