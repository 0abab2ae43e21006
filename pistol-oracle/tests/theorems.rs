//! The theorems, on random worlds with hostile authors, and that the worlds are worth judging. T3, T4 and T5 are about
//! projections, crashes and signatures, which do not exist here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use pistol_oracle::{
    Action, Author, Chance, Change, ChangeId, Judgement, LogId, Mask, Operation, OperationId, Policy, Size, State,
    World, verify_release,
};

const DOCUMENT: LogId = LogId(0);

/// Many small worlds and some larger ones.
fn worlds() -> impl Iterator<Item = (u64, World)> {
    (0..5_000).map(|seed| (seed, World::random(seed, if seed % 5 == 0 { Size::Medium } else { Size::Small })))
}

fn everybody() -> Vec<Author> {
    (0..12).map(Author).collect()
}

#[test]
fn t1_neither_order_nor_repetition_changes_a_verdict() {
    for (seed, world) in worlds() {
        let mut other = world.clone();
        let mut chance = Chance::new(seed);
        other.operations.extend(world.operations.iter().filter(|_| chance.one_in(3)).cloned());
        other.changes.extend(world.changes.iter().filter(|_| chance.one_in(3)).cloned());
        chance.shuffle(&mut other.logs);
        chance.shuffle(&mut other.operations);
        chance.shuffle(&mut other.changes);
        assert_eq!(world.judge(), other.judge(), "seed {seed}\n{world}");
    }
}

#[test]
fn t1_what_is_rejected_or_ready_stays_so_whatever_else_becomes_known() {
    for (seed, world) in worlds() {
        let mut chance = Chance::new(seed);
        let mut less = world.clone();
        less.operations.retain(|_| !chance.one_in(4));
        less.changes.retain(|_| !chance.one_in(6));
        let (before, after) = (less.judge(), world.judge());
        for (id, state) in before.changes {
            let later = after.changes[&id];
            let stays = match state {
                State::Pending(_) => true,
                State::Rejected(_) => matches!(later, State::Rejected(_)),
                State::Masked(_) | State::Accepted(_) => matches!(later, State::Masked(_) | State::Accepted(_)),
            };
            assert!(stays, "seed {seed}: {id} was {state:?}, is {later:?}\n{world}");
        }
    }
}

#[test]
fn t2_the_past_of_an_accepted_change_is_accepted() {
    for (seed, world) in worlds() {
        let judgement = world.judge();
        for change in world.changes.iter().filter(|change| judgement.accepts(change.id)) {
            let is_closed = change.deps.iter().all(|dep| judgement.accepts(*dep));
            assert!(is_closed, "seed {seed}: {}\n{world}", change.id);
        }
    }
}

/// Which of these authors would write with an active path now: a new change of each, without deps, tells.
fn may_write(world: &World, cited: &[(Author, Vec<OperationId>)]) -> Vec<bool> {
    let mut asked = world.clone();
    let ids = (0..).map(|number| ChangeId(u32::MAX / 2 + number));
    let change = |(id, (author, authority)): (ChangeId, &(Author, Vec<OperationId>))| {
        let (author, authority) = (*author, authority.clone());
        let (deps, writes) = (vec![], vec![]);
        Change { id, document: DOCUMENT, author, deps, authority, is_structurally_valid: true, writes }
    };
    asked.changes = ids.clone().zip(cited).map(change).collect();
    let judgement = asked.judge();
    ids.take(cited.len()).map(|id| judgement.accepts(id)).collect()
}

/// The new exact revocations that are valid purge what they name, whoever built on it; nothing else may touch the work
/// of one whose path stays active.
#[test]
fn t6_work_of_an_author_whose_path_stays_active_stays_but_for_an_exact_purge() {
    let mut compared = 0;
    for (seed, world) in worlds() {
        let after = world.continued(seed, 8, &everybody());
        let (old, new) = (world.judge(), after.judge());
        let here = |change: &&Change| old.accepts(change.id) && change.document == DOCUMENT;
        let changes: Vec<&Change> = world.changes.iter().filter(here).collect();
        let cited: Vec<_> = changes.iter().map(|change| (change.author, change.authority.clone())).collect();
        for (change, is_active) in changes.iter().zip(may_write(&after, &cited)) {
            if is_active {
                compared += 1;
                let is_purged = matches!(new.changes[&change.id], State::Masked(Mask::Purged(_) | Mask::OnPurged(..)));
                assert!(new.accepts(change.id) || is_purged, "seed {seed}: {}\n{after}", change.id);
            }
        }
    }
    assert!(compared > 5_000, "only {compared} changes were compared");
}

/// What strangers and revoked authors may do: everything but what was granted, and no root among them.
fn outsiders(world: &World) -> Vec<Author> {
    let roots: BTreeSet<Author> = world.logs.iter().flat_map(|log| log.roots.iter().copied()).collect();
    let added = world.operations.iter().filter_map(|operation| match operation.action {
        Action::AddRoot { key } => Some(key),
        _ => None,
    });
    let ever: BTreeSet<Author> = roots.into_iter().chain(added).collect();
    everybody().into_iter().filter(|author| !ever.contains(author)).collect()
}

/// Every path that leads anywhere and ends at this author, tried with a change.
fn is_active(world: &World, author: Author) -> bool {
    let tails = world.operations.iter().filter(|operation| match operation.action {
        Action::Grant { to, .. } => to == pistol_oracle::Subject::Key(author),
        _ => false,
    });
    let grants: Vec<&Operation> = world.operations.iter().filter(|operation| operation.grant().is_some()).collect();
    let mut paths: Vec<Vec<_>> = tails.map(|tail| vec![tail.id]).collect();
    let mut longer = paths.clone();
    for _ in 0..3 {
        longer =
            longer.iter().flat_map(|path| grants.iter().map(|hop| [&[hop.id], path.as_slice()].concat())).collect();
        longer.retain(|path| leads_on(world, path));
        paths.extend(longer.iter().cloned());
    }
    let cited: Vec<_> = paths.into_iter().map(|path| (author, path)).collect();
    may_write(world, &cited).contains(&true)
}

/// Whether the first hop of a path names the log of the second.
fn leads_on(world: &World, path: &[OperationId]) -> bool {
    let hop = |number: usize| world.operations.iter().find(|operation| Some(&operation.id) == path.get(number));
    let (Some(first), Some(second)) = (hop(0), hop(1)) else { return false };
    match first.grant() {
        Some((to, _)) => {
            use pistol_oracle::Subject::{Group, Identity, Key, Space};
            matches!(to, Identity(log) | Group(log) | Space(log) if log == second.log) && !matches!(to, Key(_))
        }
        None => false,
    }
}

/// The accepted set of a document.
fn accepted(world: &World, judgement: &Judgement) -> BTreeSet<ChangeId> {
    let here = world.changes.iter().filter(|change| change.document == DOCUMENT).map(|change| change.id);
    here.filter(|change| judgement.accepts(*change)).collect()
}

/// They have no path that is active any more, and everybody else knows it: whatever they say and write now, backdated or
/// not, nothing of it enters, and nothing leaves.
#[test]
fn t7_of_those_who_are_revoked_or_strangers_nothing_more_enters() {
    let mut wrote = 0;
    for (seed, world) in (0..2_500).map(|seed| (seed, World::random(seed, Size::Small))) {
        let judgement = world.judge();
        let document = world.logs.iter().find(|log| log.id == DOCUMENT);
        let is_closed = document.is_some_and(|log| matches!(log.policy, Policy::Members | Policy::Owned));
        if !is_closed || judgement.released.contains_key(&DOCUMENT) {
            continue;
        }
        let outside: Vec<Author> = outsiders(&world).into_iter().filter(|author| !is_active(&world, *author)).collect();
        let after = world.continued(seed, 12, &outside);
        wrote += after.changes.len() - world.changes.len();
        let now = accepted(&after, &after.judge());
        assert_eq!(accepted(&world, &judgement), now, "seed {seed}: {outside:?}\n{world}\nthen\n{after}");
    }
    assert!(wrote > 3_000, "only {wrote} changes were tried");
}

#[test]
fn t8_after_release_all_that_is_ready_is_accepted_whatever_anybody_does() {
    let mut released = 0;
    for (seed, world) in worlds() {
        let judgement = world.judge();
        let Some(release) = judgement.released.get(&DOCUMENT).copied() else { continue };
        released += 1;
        let after = world.continued(seed, 12, &everybody());
        let later = after.judge();
        assert!(accepted(&world, &judgement).is_subset(&accepted(&after, &later)), "seed {seed}\n{world}");
        for change in after.changes.iter().filter(|change| change.document == DOCUMENT) {
            let is_masked = matches!(later.changes[&change.id], State::Masked(_));
            assert!(!is_masked, "seed {seed}: {}\n{after}", change.id);
        }
        let found = after.operations.iter().find(|operation| operation.id == release && operation.is_well_signed);
        assert!(verify_release(&after.logs, &after.operations, found.unwrap()), "seed {seed}");
    }
    assert!(released > 50, "only {released} worlds were released");
}

/// The kind of a verdict, without the ids in it.
fn kind(verdict: &impl std::fmt::Debug) -> String {
    format!("{verdict:?}").chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

#[test]
fn random_worlds_meet_every_rule() {
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for (_, world) in worlds() {
        let judgement = world.judge();
        let operations = judgement.operations.values().map(kind);
        let documents = judgement.documents.values().map(|state| format!("in space: {}", kind(state)));
        let changes = judgement.changes.values().map(kind);
        operations.chain(documents).chain(changes).for_each(|verdict| *met.entry(verdict).or_default() += 1);
        *met.entry("void".to_owned()).or_default() += judgement.void.values().filter(|void| !void.is_empty()).count();
    }
    for (verdict, least) in EXPECTED {
        let times: usize = met.iter().filter(|(name, _)| name.starts_with(verdict)).map(|(_, times)| times).sum();
        assert!(times >= *least, "{verdict} was met {times} times: {met:#?}");
    }
}

/// What the random worlds must hold, and how often at least.
const EXPECTED: &[(&str, usize)] = &[
    ("Accepted(ActivePath)", 1_000),
    ("Accepted(EndorsedBy", 100),
    ("Accepted(NoGrantNeeded)", 1_000),
    ("Accepted(Named", 20),
    ("Accepted(Released", 100),
    ("Invalid(BadSignature)", 100),
    ("Invalid(Hop", 100),
    ("Invalid(NotARoot)", 100),
    ("Invalid(NotInThisLog)", 100),
    ("Invalid(NotReleasable)", 20),
    ("Invalid(PathBroken)", 100),
    ("Invalid(PathThroughPeers)", 50),
    ("Invalid(PathTooLong)", 50),
    ("Invalid(PrevElsewhere)", 50),
    ("Invalid(QuotaExceeded)", 20),
    ("Invalid(BytesExceeded)", 20),
    ("Invalid(Relinquished", 50),
    ("Invalid(Revoked", 100),
    ("Invalid(RoleTooLow)", 100),
    ("Masked(Inactive(Hop", 10),
    ("Masked(Inactive(Relinquished", 50),
    ("Masked(Inactive(Revoked", 200),
    ("Masked(OnPurged", 20),
    ("Masked(Purged", 50),
    ("Pending(Change", 50),
    ("Pending(Log", 50),
    ("Pending(Operation", 50),
    ("Rejected(Authority", 100),
    ("Rejected(FirstWriter", 50),
    ("Rejected(RejectedDep", 50),
    ("Rejected(Structure)", 50),
    ("Valid", 10_000),
    ("in space: Accepted(ActivePath)", 100),
    ("in space: Accepted(NoGrantNeeded)", 100),
    ("in space: Accepted(Released", 10),
    ("in space: Masked(Inactive", 20),
    ("in space: Masked(Purged", 5),
    ("in space: Masked(Removed", 5),
    ("void", 3),
];
