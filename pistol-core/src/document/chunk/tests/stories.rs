//! Histories to write: by authors who edit and exchange, by authors who write whatever is legal, and by crowds.

use std::sync::Arc;

use super::hand::{self, Hand, op};
use super::support::{self, Dice, Replica, any_edit};
use super::world::World;
use super::{crafted, unprojected};
use crate::change::{Action, Kind, Op, Place, Reference, Scalar};
use crate::envelope::VerifiedChange;
use crate::genesis::{Genesis, Terms};
use crate::id::{ChangeId, Session};
use crate::validate::Check;

/// Changes of one document, in some causal order.
pub(in crate::document) struct Story {
    pub(in crate::document) genesis: Arc<Genesis>,
    pub(in crate::document) changes: Vec<VerifiedChange>,
}

impl Story {
    pub(in crate::document) fn any(seed: u64) -> Self {
        let mut dice = Dice(seed);
        match dice.below(8) {
            0 | 1 => Story::turns(dice.roll(), 10 + dice.below(15)),
            2 => Story::forked(dice.roll(), 20),
            3 => Story::crowd(dice.roll(), 2 + dice.below(12), 1 + dice.below(4)),
            _ => Story::crafted(dice.roll(), 10 + dice.below(25)),
        }
    }

    /// Authors who edit apart and hear of each other now and then.
    pub(in crate::document) fn turns(seed: u64, edits: usize) -> Self {
        let (genesis, mut dice) = (support::genesis(), Dice(seed));
        let mut replicas: Vec<Replica> = (1..4).map(|number| Replica::new(&genesis, number, 7)).collect();
        let mut changes: Vec<VerifiedChange> = Vec::new();
        for _ in 0..edits {
            let index = dice.below(replicas.len());
            replicas[index].edit(|edit| any_edit(edit, &mut dice)).unwrap();
            changes.extend(replicas[index].commit());
            if dice.below(4) == 0 && !changes.is_empty() {
                let from = changes.len().saturating_sub(1 + dice.below(60));
                replicas[dice.below(3)].receive(&changes[from..]);
            }
        }
        Story { genesis, changes }
    }

    /// One author who types and deletes.
    pub(in crate::document) fn typed(changes: u32) -> Self {
        let genesis = support::genesis();
        let mut hand = Hand::new(genesis.id(), 1, 1);
        let body = Some(Reference::Skeleton(0));
        let write = |number: u32| {
            let before = number.checked_sub(1).map(Reference::Own);
            let after = if number.is_multiple_of(10) { None } else { before };
            let typed = op(body, Place::After(after), hand::text("a"), &[]);
            let deleted = |before| op(body, Place::At(before), Action::Delete, &[before]);
            let change = before.filter(|_| number % 10 == 9).map_or(typed, deleted);
            hand.write(&[], &[], vec![change])
        };
        Story { genesis, changes: (0..changes).map(write).collect() }
    }

    /// The same session on two devices, and others who build on both.
    fn forked(seed: u64, edits: usize) -> Self {
        let (genesis, mut dice) = (support::genesis(), Dice(seed));
        let mut replicas: Vec<Replica> = [1, 1, 2].map(|number| Replica::new(&genesis, number, 7)).into();
        let mut changes: Vec<VerifiedChange> = Vec::new();
        for round in 0..edits {
            let index = dice.below(3);
            let replica = &mut replicas[index];
            let chain = crate::chain::ChainId { author: replica.key.id(), session: replica.session };
            if replica.document.history().branches_of(&chain).len() > 1 {
                // Now and then both devices choose the same new session, and fork again.
                replica.session = Session(100 + (round as u64 / 6));
                continue;
            }
            replica.edit(|edit| any_edit(edit, &mut dice)).unwrap();
            changes.extend(replica.commit());
            if dice.below(3) == 0 && !changes.is_empty() {
                let known = changes.clone();
                replicas[dice.below(3)].receive(&known);
            }
        }
        Story { genesis, changes }
    }

    /// Many authors who type at the same places without seeing each other, in any order, and one who reads them.
    pub(in crate::document) fn crowd(seed: u64, authors: usize, each: usize) -> Self {
        let (genesis, mut dice) = (support::genesis(), Dice(seed));
        let (body, list) = (Some(Reference::Skeleton(0)), Some(Reference::Skeleton(1)));
        let mut chains: Vec<Vec<VerifiedChange>> = Vec::new();
        for number in 1..=authors {
            let mut hand = Hand::new(genesis.id(), (number % 200 + 1) as u8, number as u64);
            let mut written = 0;
            let mut chain = Vec::new();
            for _ in 0..each {
                let mut ops: Vec<Op> = Vec::new();
                for place in 0..=dice.below(3) as u32 {
                    let last = (written + place).checked_sub(1 + dice.below(2) as u32);
                    let after = Place::After(last.filter(|_| dice.below(3) > 0).map(Reference::Own));
                    ops.push(op(body, after, hand::text(["a", "\u{1f980}", "long"][dice.below(3)]), &[]));
                }
                written += ops.len() as u32;
                if dice.below(3) == 0 {
                    let first = Reference::Own(0);
                    ops.push(op(body, Place::At(first), Action::Delete, &[first]));
                    ops.push(op(list, Place::After(None), Action::Put(Scalar::Null), &[]));
                    chain.push(hand.write(&[], &[], ops));
                    break;
                }
                chain.push(hand.write(&[], &[], ops));
            }
            chains.push(chain);
        }
        dice.shuffle(&mut chains);
        let mut changes = Vec::new();
        while chains.iter().any(|chain| !chain.is_empty()) {
            let chain = dice.below(chains.len());
            if !chains[chain].is_empty() {
                changes.push(chains[chain].remove(0));
            }
        }
        let mut reader = Replica::new(&genesis, 250, 1);
        reader.receive(&changes);
        for _ in 0..3 {
            reader.edit(|edit| any_edit(edit, &mut dice)).unwrap();
        }
        changes.extend(reader.commit());
        Story { genesis, changes }
    }

    /// Whatever is legal on any past: odd predecessors, forks, changes without operations, messages, every value.
    fn crafted(seed: u64, steps: usize) -> Self {
        let mut dice = Dice(seed);
        let genesis = if dice.below(3) == 0 { bare_genesis(&mut dice) } else { support::genesis() };
        let mut world = World::new(&genesis.terms().skeleton);
        let mut document = unprojected(&genesis, &[]);
        let mut changes = Vec::new();
        // World's changes need objects to choose from.
        let mut first = Hand::new(genesis.id(), 1, 7);
        let make = |kind, key| op(None, hand::at_key(key), Action::Make(kind), &[]);
        let ops = vec![make(Kind::List, "k"), make(Kind::Text, "body"), make(Kind::Map, "a")];
        let mut shown = vec![first.write(&[], &[], ops)];
        for step in 0..steps {
            if step > 0 {
                shown.extend(craft(&mut dice, &genesis, &world));
            }
            for change in shown.drain(..) {
                if let Check::Valid(valid) = document.check(&change) {
                    document.accept(*valid).unwrap();
                    world.add(change.change(), change.base());
                    changes.push(change);
                }
            }
        }
        Story { genesis, changes }
    }
}

/// A document whose skeleton holds nothing, or everything that there is.
fn bare_genesis(dice: &mut Dice) -> Arc<Genesis> {
    let mut terms: Terms = support::genesis().terms().clone();
    terms.skeleton.clear();
    if dice.below(2) == 0 {
        let at = |key| hand::at_key(key);
        terms.skeleton = vec![
            op(None, at("list"), Action::Make(Kind::List), &[]),
            op(Some(Reference::Skeleton(0)), Place::After(None), Action::Put(Scalar::Counter(3)), &[]),
            op(None, at("k"), Action::Put(Scalar::Text("value".to_owned())), &[]),
        ];
    }
    Arc::new(Genesis::sign(&support::author(0), terms).unwrap())
}

fn craft(dice: &mut Dice, genesis: &Genesis, world: &World) -> Option<VerifiedChange> {
    let number = (1 + dice.below(5)) as u8;
    let session = Session(7 + dice.below(2) as u64);
    let author = hand::key(number).id();
    let known = |id: &ChangeId| &world.known[id];
    let is_own = |id: &&ChangeId| known(id).change.author == author && known(id).change.session == session;
    let own: Vec<ChangeId> = world.order.iter().filter(is_own).copied().collect();
    let previous = match dice.below(6) {
        0 if !own.is_empty() => Some(own[dice.below(own.len())]),
        1 if dice.below(4) == 0 => None,
        _ => own.last().copied(),
    };
    let mut hand = Hand { session, ..Hand::new(genesis.id(), number, session.0) };
    if let Some(previous) = previous {
        (hand.seq, hand.link, hand.last) = (known(&previous).change.seq, known(&previous).link, Some(previous));
    }
    let order = &world.order;
    let near = order.len().saturating_sub(if dice.below(2) == 0 { 3 } else { 1000 });
    let mut others: Vec<ChangeId> =
        (0..dice.below(5)).filter_map(|_| order.get(near + dice.below(order.len() - near)).copied()).collect();
    others.retain(|id| !own.contains(id));
    others.sort_unstable();
    others.dedup();
    let has_object = genesis.terms().skeleton.iter().any(|op| matches!(op.action, Action::Make(_)));
    if others.is_empty() && previous.is_none() && !has_object {
        others.extend(order.first().filter(|first| !own.contains(first)));
        if others.is_empty() && !order.is_empty() {
            return None;
        }
    }
    let deps: Vec<ChangeId> = others.iter().copied().chain(previous).collect();
    let past = world.past(&deps);
    let ops: Vec<_> =
        (0..4).map(|_| crafted::any_ops(dice, world, &past)).find(|ops| world.fits(&past, ops)).unwrap_or_default();
    let (table, ops) = world.canonical(previous, &past, &ops, |ends| dice.below(ends));
    let mut change = hand.draft(&others, &table, ops);
    change.time_ms = [0, 1, 1_700_000_000_000, crate::limits::EXACT_MAX][dice.below(4)];
    change.message = [None, None, Some(String::new()), Some("said \u{1f980}".to_owned())][dice.below(4)].clone();
    Some(hand.sign(change))
}
