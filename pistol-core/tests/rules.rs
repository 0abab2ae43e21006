//! Every rule of structure, broken by one hand-made change each: the same verdict in any order of arrival.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "support/hand.rs"]
mod hand;
#[path = "rules/marks.rs"]
mod marks;
#[path = "rules/places.rs"]
mod places;
#[path = "rules/quotas.rs"]
mod quotas;
#[path = "rules/records.rs"]
mod records;
#[path = "rules/references.rs"]
mod references;
#[path = "support/replica.rs"]
mod support;

use std::sync::Arc;

use hand::{Hand, at_key, op, text};
use pistol_core::change::{Action, Kind, Place, Reference, Scalar};
use pistol_core::envelope::VerifiedChange;
use pistol_core::genesis::{Genesis, Limits};
use pistol_core::id::ChangeId;
use pistol_core::validate::Rule;
use support::{Dice, Replica};

/// Objects of the skeleton.
const TEXT: Option<Reference> = Some(Reference::Skeleton(0));
const LIST: Option<Reference> = Some(Reference::Skeleton(1));
const MAP: Option<Reference> = Some(Reference::Skeleton(2));

/// What becomes of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Valid,
    Missing,
    Rejected(Rule),
}

use Verdict::{Missing, Rejected, Valid};

/// Two authors at work: Ann wrote once and then forked, Bob wrote once on the first, and Carol
/// merged the right way on.
struct Stage {
    genesis: Arc<Genesis>,
    past: Vec<VerifiedChange>,
    /// Ann after her first change, and after each way on.
    ann: Hand,
    left: Hand,
    right: Hand,
    bob: Hand,
    first: ChangeId,
}

/// Ann's first change, by the numbers of its operations.
const X: u32 = 0;
const Y: u32 = 1;
const PUT_K: u32 = 2;
const COUNTER: u32 = 3;
const ITEM: u32 = 4;
const NESTED: u32 = 5;
const DELETED: u32 = 6;
const COUNTED: u32 = 7;

impl Stage {
    fn new(limits: Limits) -> Self {
        let genesis = support::genesis_with(limits);
        let mut ann = Hand::new(genesis.id(), 1, 7);
        let first = ann.write(
            &[],
            &[],
            vec![
                op(TEXT, Place::After(None), text("x"), &[]),
                op(TEXT, Place::After(Some(Reference::Own(X))), text("y"), &[]),
                op(MAP, at_key("k"), Action::Put(Scalar::Int(1)), &[]),
                op(MAP, at_key("n"), Action::Put(Scalar::Counter(1)), &[]),
                op(LIST, Place::After(None), Action::Put(Scalar::Counter(0)), &[]),
                op(None, at_key("nested"), Action::Make(Kind::Map), &[]),
                op(TEXT, Place::At(Reference::Own(Y)), Action::Delete, &[Reference::Own(Y)]),
                op(MAP, at_key("n"), Action::Increment(2), &[Reference::Own(COUNTER)]),
            ],
        );
        let (mut left, mut right) = (ann.clone(), ann.clone());
        let mut bob = Hand::new(genesis.id(), 2, 7);
        let one = |character| vec![op(TEXT, Place::After(None), text(character), &[])];
        let past = vec![
            first.clone(),
            left.write(&[], &[], one("l")),
            right.write(&[], &[], one("r")),
            bob.write(&[first.id()], &[], one("b")),
            Hand::new(genesis.id(), 4, 1).write(&[right.last.unwrap()], &[], vec![]),
        ];
        Stage { genesis, past, ann, left, right, bob, first: first.id() }
    }

    /// Carol after her change.
    fn carol(&self) -> Hand {
        let change = &self.past[4];
        let hand = Hand::new(self.genesis.id(), 4, 1);
        Hand { seq: 1, link: change.link(), last: Some(change.id()), ..hand }
    }

    fn id(&self, place: usize) -> ChangeId {
        self.past[place].id()
    }

    /// Shows the past and a change to replicas in many orders; all say the same.
    fn verdict(&self, change: &VerifiedChange) -> Verdict {
        let mut dice = Dice(3);
        let mut said = Vec::new();
        for _ in 0..8 {
            let mut all = self.past.clone();
            all.push(change.clone());
            dice.shuffle(&mut all);
            let mut replica = Replica::new(&self.genesis, 9, 9);
            for one in &all {
                replica.receive(std::slice::from_ref(one));
                if dice.below(2) == 0 {
                    replica.document.project().unwrap();
                }
            }
            let is_known = replica.document.history().ordinal(&change.id()).is_some();
            let verdict = match replica.rejected.get(&change.id()) {
                Some(rule) => Rejected(*rule),
                None if is_known => Valid,
                None => Missing,
            };
            assert_eq!(replica.rejected.len(), usize::from(matches!(verdict, Rejected(_))));
            said.push((verdict, replica.picture()));
            automerge::Automerge::load(&replica.document.save()).unwrap();
        }
        assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
        said[0].0
    }
}

/// A case: what is wrong, what must be said, and the change.
type Case = (&'static str, Verdict, fn(&Stage) -> VerifiedChange);

fn check(limits: Limits, cases: &[Case]) {
    let stage = Stage::new(limits);
    for (name, expected, write) in cases {
        assert_eq!(stage.verdict(&write(&stage)), *expected, "{name}");
    }
}
