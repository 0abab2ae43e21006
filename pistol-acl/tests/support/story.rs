//! Stories: logs and changes by numbered keys, told to nodes in many orders.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and no test uses everything"
)]

use std::collections::{BTreeMap, BTreeSet};

use pistol_acl::record::{AclOp, Action, Heads, Keep, LogId, Mode, Role, Subject};
use pistol_acl::{Access, AccessPolicy, Charter, Held, Kind, News, SignedOp, State, Summary};
use pistol_core::id::{AuthorityId, ChangeId, DocumentId};
use pistol_core::key::{AuthorId, AuthorKey};

/// Numbers that look random, the same for the same seed.
#[derive(Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

/// Something that arrives.
#[derive(Clone)]
pub(crate) enum Item {
    Charter(Charter),
    Operation(SignedOp),
    Change(Summary),
}

/// Everything that happened around one document.
#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) document: DocumentId,
    pub(crate) charters: Vec<Charter>,
    pub(crate) operations: Vec<SignedOp>,
    pub(crate) changes: Vec<Summary>,
    /// How many changes were ever written.
    numbered: u64,
}

pub(crate) fn key(number: u8) -> AuthorKey {
    AuthorKey::from_seed(&[number; 32])
}

pub(crate) fn author(number: u8) -> AuthorId {
    thread_local!(static KNOWN: std::cell::RefCell<BTreeMap<u8, AuthorId>> = std::cell::RefCell::default());
    KNOWN.with_borrow_mut(|known| *known.entry(number).or_insert_with(|| key(number).id()))
}

pub(crate) fn log(number: u8) -> LogId {
    DocumentId([number; 32])
}

pub(crate) fn grant(number: u8, role: Role) -> Action {
    Action::Grant { to: Subject::Key(author(number)), role }
}

pub(crate) fn revoke(who: Subject, mode: Mode) -> Action {
    Action::Revoke { who, mode, cascade: false, keep: Keep::default() }
}

pub(crate) fn revoke_key(number: u8, mode: Mode) -> Action {
    revoke(Subject::Key(author(number)), mode)
}

pub(crate) fn heads(document: DocumentId, heads: &[ChangeId]) -> Heads {
    let heads: BTreeSet<ChangeId> = heads.iter().copied().collect();
    Heads { document, heads: heads.into_iter().collect(), tips: vec![] }
}

impl Story {
    /// A document, log 1, whose root is key 1.
    pub(crate) fn new(policy: AccessPolicy) -> Self {
        let mut story = Story { document: log(1), charters: vec![], operations: vec![], changes: vec![], numbered: 0 };
        story.charter(1, Kind::Document, policy, &[1]);
        story
    }

    /// What happened elsewhere.
    pub(crate) fn of(
        document: DocumentId,
        charters: Vec<Charter>,
        operations: Vec<SignedOp>,
        changes: Vec<Summary>,
    ) -> Self {
        Story { document, charters, operations, changes, numbered: 0 }
    }

    pub(crate) fn charter(&mut self, number: u8, kind: Kind, policy: AccessPolicy, roots: &[u8]) -> LogId {
        let roots: Vec<AuthorId> = roots.iter().map(|number| author(*number)).collect();
        let (log, creator) = (log(number), roots[0]);
        let is_releasable = matches!(kind, Kind::Document | Kind::Space);
        self.charters.push(Charter { log, kind, roots, creator, policy, is_releasable, space: None });
        log
    }

    /// Writes an operation into a log after others.
    pub(crate) fn write(
        &mut self,
        by: u8,
        log: LogId,
        proof: &[AuthorityId],
        prev: &[AuthorityId],
        action: Action,
    ) -> AuthorityId {
        let prev: BTreeSet<AuthorityId> = prev.iter().copied().collect();
        let prev: Vec<AuthorityId> = prev.into_iter().collect();
        let is_own = |id: &AuthorityId| self.operation(id).is_some_and(|found| found.op().author == author(by));
        let own = prev.iter().position(is_own);
        let op = AclOp { log, author: author(by), proof: proof.to_vec(), prev, own, action };
        let signed = SignedOp::sign(&key(by), &op).unwrap();
        let id = signed.id();
        self.operations.push(signed);
        id
    }

    /// Writes an operation after everything in its log.
    pub(crate) fn next(&mut self, by: u8, log: LogId, proof: &[AuthorityId], action: Action) -> AuthorityId {
        let prev = self.heads(log);
        self.write(by, log, proof, &prev, action)
    }

    /// Writes an operation into the document's log after everything there.
    pub(crate) fn act(&mut self, by: u8, proof: &[AuthorityId], action: Action) -> AuthorityId {
        self.next(by, self.document, proof, action)
    }

    pub(crate) fn heads(&self, log: LogId) -> Vec<AuthorityId> {
        let ops = || self.operations.iter().filter(|signed| signed.op().log == log);
        let prev: BTreeSet<AuthorityId> = ops().flat_map(|signed| signed.op().prev.iter().copied()).collect();
        ops().map(SignedOp::id).filter(|id| !prev.contains(id)).collect()
    }

    pub(crate) fn operation(&self, id: &AuthorityId) -> Option<&SignedOp> {
        self.operations.iter().find(|signed| signed.id() == *id)
    }

    pub(crate) fn change(&mut self, by: u8, deps: &[ChangeId], authority: &[AuthorityId]) -> ChangeId {
        self.numbered += 1;
        let number = self.numbered;
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let deps: BTreeSet<ChangeId> = deps.iter().copied().collect();
        self.changes.push(Summary {
            id: ChangeId(id),
            author: author(by),
            deps: deps.into_iter().collect(),
            authority: authority.to_vec(),
        });
        ChangeId(id)
    }

    pub(crate) fn items(&self) -> Vec<Item> {
        let charters = self.charters.iter().cloned().map(Item::Charter);
        let operations = self.operations.iter().cloned().map(Item::Operation);
        charters.chain(operations).chain(self.changes.iter().cloned().map(Item::Change)).collect()
    }

    /// A node that was told everything in the order of writing.
    pub(crate) fn told(&self) -> Access {
        tell(self.document, &self.items())
    }

    /// A node that was told everything, after others were in many orders, with duplicates and in batches, and agreed.
    pub(crate) fn everywhere(&self) -> Access {
        self.in_orders(200)
    }

    pub(crate) fn in_orders(&self, orders: u64) -> Access {
        let first = self.told();
        for seed in 0..orders {
            let told = self.told_in_order(seed);
            assert_eq!(self.states(&told), self.states(&first), "order {seed}");
            assert_eq!(self.valid(&told), self.valid(&first), "order {seed}");
        }
        first
    }

    /// A node that was told everything in one random order, settling now and then.
    pub(crate) fn told_in_order(&self, seed: u64) -> Access {
        let mut dice = Dice(seed);
        let mut items = self.items();
        for _ in 0..items.len() / 4 {
            items.push(items[dice.below(items.len())].clone());
        }
        dice.shuffle(&mut items);
        let mut access = Access::new(self.document);
        let mut shown = BTreeSet::new();
        for item in items {
            take(&mut access, item);
            if dice.one_in(4) {
                access.settle();
                follow(&mut access, &mut shown);
            }
        }
        access.settle();
        follow(&mut access, &mut shown);
        let as_grown = self.states(&access);
        access.judge_anew();
        assert_eq!(as_grown, self.states(&access), "order {seed}: the fast path and judging anew agree");
        access
    }

    pub(crate) fn states(&self, access: &Access) -> Vec<(ChangeId, State)> {
        self.changes.iter().map(|change| (change.id, access.state(&change.id))).collect()
    }

    pub(crate) fn valid(&self, access: &Access) -> Vec<bool> {
        self.operations.iter().map(|signed| access.is_valid(&signed.id())).collect()
    }
}

pub(crate) fn tell(document: DocumentId, items: &[Item]) -> Access {
    let mut access = Access::new(document);
    items.iter().for_each(|item| take(&mut access, item.clone()));
    access.settle();
    access
}

/// Follows what is accepted by the news of it alone.
fn follow(access: &mut Access, shown: &mut BTreeSet<ChangeId>) {
    let News { grown, has_shrunk } = access.take_news();
    shown.extend(grown);
    let accepted: BTreeSet<ChangeId> = access.accepted().copied().collect();
    if has_shrunk {
        shown.retain(|change| accepted.contains(change));
    }
    assert_eq!(*shown, accepted, "the news tell all that is new");
}

pub(crate) fn take(access: &mut Access, item: Item) {
    match item {
        Item::Charter(charter) => drop(access.found(charter)),
        Item::Operation(signed) => assert_ne!(access.hold(signed), Held::Owed),
        Item::Change(summary) => drop(access.add(summary)),
    }
}
