//! What takes too many operations to reach by writing them.

use std::sync::Arc;

use super::{Check, History, Ordinal, Rule};
use crate::chain::ChainId;
use crate::change::{Action, Change, Op, Place, Scalar};
use crate::envelope::Linked;
use crate::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use crate::id::{ChangeId, Session};
use crate::key::AuthorKey;
use crate::limits;

fn history(key: &AuthorKey) -> History {
    let terms = Terms {
        kind: Kind::Document,
        roots: vec![key.id()],
        creator: 0,
        policy: Policy::WorldWritable,
        limits: Limits::default(),
        read: Read::Public,
        skeleton: vec![],
        space: None,
        authority: vec![],
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: [0; 16],
    };
    History::new(Arc::new(Genesis::sign(key, terms).unwrap())).unwrap()
}

fn change(chain: ChainId, seq: u64, deps: Vec<ChangeId>, ops: Vec<Op>) -> Change {
    let (authority, time_ms, message, table) = (vec![], 0, None, vec![]);
    Change { author: chain.author, session: chain.session, seq, deps, authority, time_ms, message, table, ops }
}

fn put() -> Op {
    Op { object: None, place: Place::Key("a".into()), action: Action::Put(Scalar::Null), pred: vec![] }
}

#[test]
fn the_counters_of_a_document_end_before_automerge_counts_no_further() {
    let key = AuthorKey::from_seed(&[1; 32]);
    let mut history = history(&key);
    history.nodes[0].start = limits::COUNTER_MAX - 2;
    let chain = ChainId { author: key.id(), session: Session(1) };
    let check = |count| {
        let change = change(chain, 1, vec![], vec![put(); count]);
        history.check(&Linked::after(chain.root(&history.genesis.id()), change))
    };
    assert!(matches!(check(2), Check::Valid(_)));
    assert!(matches!(check(3), Check::Rejected(Rule::CountersUsedUp)));
}

/// Grows a chain that forks: each change continues one of the last few before it, or any.
fn forked(history: &mut History, chain: ChainId, changes: u32, mut chance: impl FnMut(u32) -> u32) {
    let root = chain.root(&history.genesis.id());
    for time_ms in 0..changes {
        let known = history.next() - 1;
        let back = if chance(4) == 0 { chance(known + 1) } else { chance(known.min(3) + 1) };
        let previous = (known - back > 0).then_some(known - back);
        let seq = previous.map_or(1, |previous| history.seq(previous).unwrap() + 1);
        let deps = previous.into_iter().filter_map(|previous| history.id(previous)).collect();
        let ops = vec![put(); chance(3) as usize];
        let change = Change { time_ms: time_ms.into(), ..change(chain, seq, deps, ops) };
        let base = previous.map_or(root, |previous| history.link(previous).unwrap());
        let Check::Valid(valid) = history.check(&Linked::after(base, change)) else { panic!("it is good") };
        history.accept(*valid).unwrap();
    }
}

/// The changes of a path, the last first.
fn path(history: &History, tip: Ordinal) -> Vec<Ordinal> {
    let is_on_path = |earlier: &Ordinal| history.is_on_path(*earlier, tip);
    (1..=tip).rev().filter(is_on_path).collect()
}

#[test]
fn of_paths_that_forked_each_has_in_common_with_earlier_ones_what_is_on_both() {
    let key = AuthorKey::from_seed(&[1; 32]);
    let chain = ChainId { author: key.id(), session: Session(1) };
    for seed in 0..20 {
        let mut state: u64 = seed;
        let mut chance = |end: u32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from(state >> 33).unwrap() % end
        };
        let mut history = history(&key);
        forked(&mut history, chain, 150, &mut chance);
        let mut tips: Vec<Ordinal> = (0..12).map(|_| 1 + chance(150)).collect();
        tips.sort_unstable();
        tips.dedup();
        let on_both = |one, other| {
            let other = path(&history, other);
            let last = path(&history, one).into_iter().find(|ordinal| other.contains(ordinal));
            last.map_or(0, |last| history.node(last).unwrap().end())
        };
        let shared = |place: usize| tips[..place].iter().map(|earlier| on_both(*earlier, tips[place])).max();
        let expected: Vec<u32> = (1..tips.len()).map(|place| shared(place).unwrap()).collect();
        assert_eq!(history.shared(tips.first().copied(), &tips[1..]), expected, "seed {seed}");
    }
}
