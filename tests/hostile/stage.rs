//! The honest work that hostile changes refer to: Ann wrote one of everything and then forked, Bob wrote on her first.

use std::sync::Arc;

use pistol_core::change::{Action, Change, Kind, Op, Place, Reference, Scalar};
use pistol_core::envelope::VerifiedChange;
use pistol_core::genesis::{Genesis, Limits};
use pistol_core::id::ChangeId;

use super::hand::{Hand, at_key, op, text};
use super::scene::{Piece, Verdict};
use super::support;

/// Objects of the skeleton.
pub const TEXT: Option<Reference> = Some(Reference::Skeleton(0));
pub const LIST: Option<Reference> = Some(Reference::Skeleton(1));
pub const MAP: Option<Reference> = Some(Reference::Skeleton(2));

/// Ann's first change, by the numbers of its operations.
pub const X: u32 = 0;
pub const Y: u32 = 1;
pub const PUT_K: u32 = 2;
pub const COUNTER: u32 = 3;
pub const ITEM: u32 = 4;
pub const NESTED: u32 = 5;
pub const DELETED: u32 = 6;

pub struct Stage {
    pub genesis: Arc<Genesis>,
    pub pieces: Vec<Piece>,
    pub first: ChangeId,
    /// Ann on each way on.
    pub left: Hand,
    pub right: Hand,
    pub bob: Hand,
    strangers: u64,
}

impl Stage {
    pub fn new() -> Self {
        Stage::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        let genesis = support::genesis_with(limits);
        let mut ann = Hand::new(genesis.id(), 1, 7);
        let first = ann.write(&[], &[], first_operations());
        let (mut left, mut right) = (ann.clone(), ann);
        let mut bob = Hand::new(genesis.id(), 2, 7);
        let one = |letter| vec![op(TEXT, Place::After(None), text(letter), &[])];
        let honest = [
            first.clone(),
            left.write(&[], &[], one("l")),
            right.write(&[], &[], one("r")),
            bob.write(&[first.id()], &[], one("b")),
        ];
        let piece = |change| Piece::of("honest work", Verdict::Accepted, &genesis, std::slice::from_ref(change));
        let pieces = honest.iter().map(piece).collect();
        Stage { genesis, pieces, first: first.id(), left, right, bob, strangers: 0 }
    }

    /// Somebody who has written nothing.
    pub fn stranger(&mut self) -> Hand {
        self.strangers += 1;
        Hand::new(self.genesis.id(), 9, self.strangers)
    }

    pub fn give(&mut self, name: &str, verdict: Verdict, change: &VerifiedChange) {
        self.pieces.push(Piece::of(name, verdict, &self.genesis, std::slice::from_ref(change)));
    }

    /// A stranger's change of these operations, which may refer to Ann's first one as entry 0.
    pub fn give_ops(&mut self, name: &str, verdict: Verdict, ops: Vec<Op>) {
        self.give_altered(name, verdict, ops, |_| {});
    }

    /// The same, altered before it is signed.
    pub fn give_altered(&mut self, name: &str, verdict: Verdict, ops: Vec<Op>, alter: impl FnOnce(&mut Change)) {
        let is_named = ops.iter().any(|op| format!("{op:?}").contains("Entry"));
        let table = if is_named { vec![self.first] } else { vec![] };
        let stranger = self.stranger();
        let mut change = stranger.draft(&[self.first], &table, ops);
        alter(&mut change);
        self.give(name, verdict, &stranger.sign(change));
    }

    pub fn check(&self, orders: u64) -> super::machine::Picture {
        super::scene::check(&self.genesis, &self.pieces, orders)
    }
}

fn first_operations() -> Vec<Op> {
    let own = Reference::Own;
    vec![
        op(TEXT, Place::After(None), text("x"), &[]),
        op(TEXT, Place::After(Some(own(X))), text("y"), &[]),
        op(MAP, at_key("k"), Action::Put(Scalar::Int(1)), &[]),
        op(MAP, at_key("n"), Action::Put(Scalar::Counter(1)), &[]),
        op(LIST, Place::After(None), Action::Put(Scalar::Counter(0)), &[]),
        op(None, at_key("nested"), Action::Make(Kind::Map), &[]),
        op(TEXT, Place::At(own(Y)), Action::Delete, &[own(Y)]),
        op(MAP, at_key("n"), Action::Increment(2), &[own(COUNTER)]),
    ]
}
