//! A random world judged by the code in use, in many orders, and by the oracle; and the theorems on what both say.
//!
//! T3 and T5 are about projections and signatures, which worlds do not have: histories of first writers do.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use pistol_acl::record::Role;
use pistol_acl::{Access, Place, State};
use pistol_core::id::ChangeId;
use pistol_oracle::{
    self as oracle, Action, Author, Change, Judgement, Limits, LogId, Mask, Operation, Policy, State as Said, Subject,
    Verdict, World,
};

use super::story::{Item, Story, author, take};
use super::told::{Told, comparable, log_id};

/// All orders are tried of a history with so many operations and changes.
const ALL_ORDERS_MAX: usize = 5;
/// Of a longer one so many random ones, with duplicates, settling in between.
const RANDOM_ORDERS: u64 = 4;
/// The document that random worlds are about.
const DOCUMENT: LogId = LogId(0);

/// What was compared, so that a run that compares nothing is noticed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) histories: u64,
    /// Of these, those that were told in all orders.
    pub(crate) in_all_orders: u64,
    pub(crate) orders: u64,
    pub(crate) valid: u64,
    pub(crate) invalid: u64,
    pub(crate) accepted: u64,
    pub(crate) masked: u64,
    pub(crate) places: u64,
    /// Changes of which T6 says that they stay, histories of which T7 says that nothing enters, and that T8 is about.
    pub(crate) t6: u64,
    pub(crate) t7: u64,
    pub(crate) t8: u64,
}

/// A world as both judges can be asked. The limits in use are those of the protocol; small ones are for the oracle's own
/// tests. A group may not contain itself here, which the oracle lets pass.
pub(crate) fn askable(world: World) -> Option<World> {
    let contains_itself = |op: &Operation| op.grant().is_some_and(|(to, _)| to == Subject::Group(op.log));
    let is_askable = world.limits == Limits::default() && !world.operations.iter().any(contains_itself);
    is_askable.then(|| comparable(world))
}

/// Judges a history by both, in many orders, then what hostile authors make of it. `false` if it cannot be asked of both.
///
/// # Panics
/// Where the judges differ, orders do, or a theorem does not hold.
pub(crate) fn check(seed: u64, world: World, tally: &mut Tally) -> bool {
    let Some(world) = askable(world) else { return false };
    let (judgement, told) = (world.judge(), Told::of(&world));
    if !is_comparable(&judgement, &told) {
        return false;
    }
    tally.histories += 1;
    compare(seed, &world, &judgement, &told, tally);
    for log in world.logs.iter().filter(|log| log.kind == oracle::Kind::Document) {
        orders(seed, &told.story(&world, log.id), told.node_of(log.id), tally);
    }
    if world.logs.iter().any(|log| log.id == DOCUMENT) {
        goes_on(seed, &world, &judgement, &told, tally);
    }
    true
}

/// Two operations of the oracle with one content are one here. And the oracle hears of a release whose cited operations
/// follow on something unknown; a node waits for that.
fn is_comparable(judgement: &Judgement, told: &Told) -> bool {
    !told.has_merged() && !judgement.released.values().any(|release| told.waits(*release))
}

/// Every operation, change and place, and T2.
fn compare(seed: u64, world: &World, judgement: &Judgement, told: &Told, tally: &mut Tally) {
    for (id, verdict) in &judgement.operations {
        let is_valid = *verdict == Verdict::Valid;
        assert_eq!(told.is_valid(*id), is_valid, "world {seed}: {id} is {verdict:?}\n{world}");
        tally.valid += u64::from(is_valid);
        tally.invalid += u64::from(!is_valid);
    }
    for change in &world.changes {
        let Some(said) = judgement.changes.get(&change.id) else { continue };
        let state = told.state(change);
        let agrees = match said {
            Said::Accepted(_) => state == State::Accepted,
            Said::Masked(_) => state == State::Masked,
            Said::Pending(_) | Said::Rejected(_) => !matches!(state, State::Accepted | State::Masked),
        };
        assert!(agrees, "world {seed}: {} is {state:?}, {}, and {said:?}\n{world}", change.id, told.explain(change));
        tally.accepted += u64::from(state == State::Accepted);
        tally.masked += u64::from(state == State::Masked);
        let is_open = |dep: &&oracle::ChangeId| told.state_of(change.document, **dep) != State::Accepted;
        let open = change.deps.iter().find(is_open).filter(|_| state == State::Accepted);
        assert_eq!(open, None, "world {seed}, T2: {} is accepted, and not all of its past\n{world}", change.id);
    }
    for (document, said) in &judgement.documents {
        let place = told.place(*document);
        let agrees = match said {
            Said::Accepted(_) => *place == Place::Here,
            Said::Masked(_) => matches!(place, Place::Masked(_) | Place::Removed(_)),
            Said::Pending(_) => matches!(place, Place::Pending(_)),
            Said::Rejected(_) => matches!(place, Place::Refused(_)),
        };
        assert!(agrees, "world {seed}: {document} is {place:?}, and {said:?}\n{world}");
        tally.places += 1;
    }
}

/// T1 and T4: every order gives the same, and the fast path what judging anew does. What follows on something refused and on
/// something that never came is refused or waits, by the order; it is no part of the document either way.
fn orders(seed: u64, story: &Story, first: &Access, tally: &mut Tally) {
    let shown = |state: State| (state == State::Accepted, state == State::Masked);
    let states = |access: &Access| -> Vec<_> {
        story.states(access).into_iter().map(|(change, state)| (change, shown(state))).collect()
    };
    let said = |access: &Access| (states(access), story.valid(access), access.place().clone());
    let expected = said(first);
    let mut items: Vec<Item> = story.items().split_off(story.charters.len());
    if items.len() > ALL_ORDERS_MAX {
        for order in 0..RANDOM_ORDERS {
            let told = story.told_in_order(seed ^ (order << 32));
            assert_eq!(said(&told), expected, "world {seed}, random order {order}");
        }
        tally.orders += RANDOM_ORDERS;
        return;
    }
    tally.in_all_orders += u64::from(story.document == log_id(DOCUMENT));
    every_order(&mut items, 0, &mut |order| {
        let mut access = Access::new(story.document);
        story.charters.iter().for_each(|charter| drop(access.found(charter.clone())));
        order.iter().for_each(|item| take(&mut access, item.clone()));
        access.settle();
        assert_eq!(said(&access), expected, "world {seed}, in another order");
        tally.orders += 1;
    });
}

/// Tells these in every order.
pub(crate) fn every_order<T>(items: &mut [T], from: usize, tell: &mut impl FnMut(&[T])) {
    if from + 1 >= items.len() {
        return tell(items);
    }
    for next in from..items.len() {
        items.swap(from, next);
        every_order(items, from + 1, tell);
        items.swap(from, next);
    }
}

/// What hostile authors make of it: T8 if the document was released, T7 if all of them are outside, else T6.
fn goes_on(seed: u64, world: &World, before: &Judgement, told: &Told, tally: &mut Tally) {
    let everybody: Vec<Author> = (0..12).map(Author).collect();
    let is_released = before.released.contains_key(&DOCUMENT);
    let policy = world.logs.iter().find(|log| log.id == DOCUMENT).map(|log| log.policy);
    let is_closed = matches!(policy, Some(Policy::Members | Policy::Owned));
    let is_t7 = !is_released && is_closed && seed.is_multiple_of(2);
    let authors = if is_t7 { outsiders(world, told, &everybody) } else { everybody };
    let Some(after) = askable(world.continued(seed, 4, &authors)) else { return };
    let (judgement, later) = (after.judge(), Told::of(&after));
    if !is_comparable(&judgement, &later) {
        return;
    }
    compare(seed, &after, &judgement, &later, tally);
    let (old, new) = (accepted(told), accepted(&later));
    let story = || format!("world {seed}\n{world}\nthen\n{after}");
    if is_released {
        assert!(old.is_subset(&new), "T8: {}", story());
        let is_masked = |change: &&Change| later.state(change) == State::Masked;
        let masked = after.changes.iter().filter(|change| change.document == DOCUMENT).find(is_masked);
        assert!(masked.is_none(), "T8: {}", story());
        tally.t8 += 1;
    } else if is_t7 {
        assert_eq!(old, new, "T7: {authors:?}, {}", story());
        tally.t7 += u64::from(after.changes.len() > world.changes.len());
    } else {
        tally.t6 += stays(&after, &world.changes, told, &later, &judgement).unwrap_or_else(|change| {
            panic!("T6: {change} went, {}", story());
        });
    }
}

/// T6: how many accepted changes had to stay since their path still counts for a new change; one that did not is an error.
/// An `Exact` purge apart.
fn stays(
    after: &World,
    changes: &[Change],
    told: &Told,
    later: &Told,
    judgement: &Judgement,
) -> Result<u64, oracle::ChangeId> {
    let here = |change: &&Change| change.document == DOCUMENT && told.state(change) == State::Accepted;
    let old: Vec<&Change> = changes.iter().filter(here).collect();
    let ids = (0..).map(|number| oracle::ChangeId(u32::MAX / 2 + number));
    let probe = |(id, change): (oracle::ChangeId, &&Change)| Change { id, deps: vec![], ..(*change).clone() };
    let probes = ids.zip(&old).map(probe).collect();
    let asked = World { changes: probes, ..after.clone() };
    let counts = asked.judge();
    let mut kept = 0;
    for (probe, change) in asked.changes.iter().zip(old).filter(|(probe, _)| counts.accepts(probe.id)) {
        let is_purged =
            matches!(judgement.changes.get(&change.id), Some(Said::Masked(Mask::Purged(_) | Mask::OnPurged(..))));
        if later.state(change) != State::Accepted && !is_purged {
            return Err(probe.id);
        }
        kept += 1;
    }
    Ok(kept)
}

fn accepted(told: &Told) -> BTreeSet<ChangeId> {
    told.node_of(DOCUMENT).accepted().copied().collect()
}

/// Strangers and those who were revoked: they are no roots of anything, nothing leads to them that counts, and no other log
/// names them. Whom an identity or a group names may resign there, with what it did until then, its revocations in the document
/// too: what these took away comes back.
fn outsiders(world: &World, told: &Told, everybody: &[Author]) -> Vec<Author> {
    let added = world.operations.iter().filter_map(|operation| match operation.action {
        Action::AddRoot { key } => Some(key),
        _ => None,
    });
    let named = world.operations.iter().filter(|operation| operation.log != DOCUMENT);
    let named = named.filter_map(|operation| match operation.grant() {
        Some((Subject::Key(key), _)) => Some(key),
        _ => None,
    });
    let roots = world.logs.iter().flat_map(|log| log.roots.iter().copied());
    let inside: BTreeSet<Author> = roots.chain(added).chain(named).collect();
    let node = told.node_of(DOCUMENT);
    let leads = |key: &Author| node.path(&author(key.0 as u8 + 1), Role::Relay).is_some();
    everybody.iter().copied().filter(|author| !inside.contains(author) && !leads(author)).collect()
}
