//! A change as an honest author would write it, with every kind of operation in it: what mutations begin with.

use std::sync::Arc;

use pistol_core::change::{Action, Change, Kind as ObjectKind, Mark, Op, Place, Reference, Scalar};
use pistol_core::id::ChangeId;

use super::hand::Hand;
use super::seen::Seen;
use super::stage::{self, LIST, MAP, Stage, TEXT, key, op, text};
use crate::chance::Chance;

/// The operations of a draft, by number, the last of them a mark and a block: a letter, one after it, a value, an
/// increment, a map in the list.
pub(super) const LETTER: usize = 0;
/// The letter after it.
pub(super) const NEXT: usize = 1;
/// A value over Ann's.
pub(super) const PUT: usize = 2;
/// An increment of Ann's counter.
pub(super) const COUNT: usize = 3;
/// A map in the list, after Ann's item.
pub(super) const MAKE: usize = 4;
/// A value in that map.
pub(super) const INSIDE: usize = 5;
/// A deletion of Ann's second letter.
pub(super) const DELETE: usize = 6;
/// Another value for Ann's item.
pub(super) const SET: usize = 7;
/// A text in Ann's nested map.
pub(super) const MAKE_TEXT: usize = 8;
/// A letter in that text.
pub(super) const OWN_LETTER: usize = 9;
/// A block in the shared text, after a mark's begin and end.
const BLOCK: usize = 12;

fn bold() -> Action {
    Action::MarkBegin(Box::new(Mark { name: "bold".to_owned(), value: Scalar::Bool(true), expand: false }))
}

/// Whether a chain goes on from Ann's first change.
pub(super) fn is_after_first(hand: &Hand) -> bool {
    let is_ann = hand.chain.author == crate::sealing::author(stage::ANN).id();
    is_ann && hand.chain.session.0 == stage::SESSION && hand.operations > stage::COUNTED
}

/// A change that is not signed yet.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// What stands in the table for Ann's first change: the last one there that is in the past.
    pub(super) entry: ChangeId,
    first: ChangeId,
    seen: Arc<Seen>,
    /// The last changes of Ann's branches.
    pub(super) anns_ends: Vec<ChangeId>,
    pub(super) chance: Chance,
    pub(super) hand: Hand,
    pub(super) change: Change,
    is_ann: bool,
}

impl Draft {
    /// A good change after a hand's last, which depends on others too.
    pub(super) fn new(stage: &Stage, seen: Arc<Seen>, hand: Hand, others: &[ChangeId], chance: Chance) -> Draft {
        let is_ann = is_after_first(&hand);
        let mut deps: Vec<ChangeId> = others.iter().copied().chain(hand.last).collect();
        deps.sort_unstable();
        deps.dedup();
        let change = Change {
            author: hand.chain.author,
            session: hand.chain.session,
            seq: hand.seq + 1,
            deps,
            authority: vec![],
            time_ms: 2,
            message: None,
            table: vec![],
            ops: vec![],
        };
        let anns_ends = stage.hands.iter().filter(|hand| is_after_first(hand)).filter_map(|hand| hand.last).collect();
        let (first, entry) = (stage.first, stage.first);
        let mut draft = Draft { entry, first, seen, anns_ends, chance, hand, change, is_ann };
        if !is_ann {
            draft.entry = draft.last_seen();
            draft.change.table = vec![draft.entry];
        }
        draft.change.ops = draft.operations();
        draft
    }

    /// Ann's n-th operation, as this change must refer to it.
    pub(super) fn anns(&self, number: u32) -> Reference {
        if self.is_ann {
            return Reference::Own(number);
        }
        let entry = self.change.table.iter().position(|id| *id == self.entry);
        Reference::Entry(entry.and_then(|entry| u32::try_from(entry).ok()).unwrap_or(0), number)
    }

    /// This change's own n-th operation.
    pub(super) fn own(&self, number: usize) -> Reference {
        Reference::Own(self.hand.operations + u32::try_from(number).unwrap_or(0))
    }

    fn operations(&self) -> Vec<Op> {
        let insert = |after| Place::After(Some(after));
        vec![
            op(TEXT, insert(self.anns(stage::X)), text("m"), &[]),
            op(TEXT, insert(self.own(LETTER)), text("n"), &[]),
            op(MAP, key("k"), Action::Put(Scalar::Int(5)), &[self.anns(stage::PUT_K)]),
            op(MAP, key("n"), Action::Increment(1), &[self.anns(stage::COUNTER)]),
            op(LIST, insert(self.anns(stage::ITEM)), Action::Make(ObjectKind::Map), &[]),
            op(Some(self.own(MAKE)), key("a"), Action::Put(Scalar::Bool(true)), &[]),
            op(TEXT, Place::At(self.anns(stage::Y)), Action::Delete, &[self.anns(stage::Y)]),
            op(LIST, Place::At(self.anns(stage::ITEM)), Action::Put(Scalar::Int(3)), &[self.anns(stage::ITEM)]),
            op(Some(self.anns(stage::NESTED)), key("t"), Action::Make(ObjectKind::Text), &[]),
            op(Some(self.own(MAKE_TEXT)), Place::After(None), text("z"), &[]),
            op(TEXT, Place::After(None), bold(), &[]),
            op(TEXT, insert(self.own(NEXT)), Action::MarkEnd { expand: true }, &[]),
            op(TEXT, insert(self.own(LETTER)), Action::Make(ObjectKind::Map), &[]),
            op(Some(self.own(BLOCK)), key("type"), text("quote"), &[]),
        ]
    }

    /// Alters one operation.
    pub(super) fn at(&mut self, number: usize, alter: impl FnOnce(&mut Op)) {
        if let Some(op) = self.change.ops.get_mut(number) {
            alter(op);
        }
    }

    /// Adds an operation.
    pub(super) fn push(&mut self, object: Option<Reference>, place: Place, action: Action, pred: &[Reference]) {
        self.change.ops.push(op(object, place, action, pred));
    }

    /// Puts a value at a free key.
    pub(super) fn put(&mut self, value: Scalar) {
        self.push(MAP, key("free"), Action::Put(value), &[]);
    }

    /// Adds an entry to the table; references to Ann's change go on to mean what they meant.
    pub(super) fn add_entry(&mut self, id: ChangeId) {
        self.change.table.push(id);
        self.change.table.sort_unstable();
        self.change.ops = self.operations();
    }

    /// The last change of Ann's in the past; where her chain forked, any side's.
    fn last_seen(&mut self) -> ChangeId {
        let ends = self.seen.ends(&self.change.deps);
        self.chance.pick(&ends).copied().unwrap_or(self.first)
    }

    /// Adds a dependency at its place; the table names what can be seen then.
    pub(super) fn add_dep(&mut self, id: ChangeId) {
        self.change.deps.push(id);
        self.change.deps.sort_unstable();
        self.change.deps.dedup();
        if self.change.table == [self.entry] {
            self.entry = self.last_seen();
            self.change.table = vec![self.entry];
        }
    }

    /// Any id that nobody made.
    pub(super) fn no_id(&mut self) -> ChangeId {
        ChangeId(self.chance.bytes32())
    }
}
