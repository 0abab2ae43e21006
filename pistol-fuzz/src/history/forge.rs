//! Where hostile changes are made: on any honest past, at any place of any chain, under good signatures.

use std::sync::Arc;

use pistol_core::envelope::{Envelope, VerifiedChange};
use pistol_core::id::{ChangeId, DocumentId};
use pistol_core::key::Verifier;
use pistol_core::validate::Branch;

use super::draft::{Draft, is_after_first};
use super::hand::Hand;
use super::kinds::Expected;
use super::seen::Seen;
use super::stage::{self, Stage};
use crate::chance::Chance;
use crate::finding::{Divergence, promise};
use crate::sealing;

/// The author who writes nothing else.
const MALLORY: u8 = 9;

/// Makes hostile changes for one input.
pub(super) struct Forge<'a> {
    pub(super) stage: &'a Stage,
    pub(super) chance: Chance,
    seen: Arc<Seen>,
    /// What was made, and what must become of it.
    pub(super) given: Vec<(VerifiedChange, Expected)>,
    /// What was refused by itself, though nothing was wrong with it, or the other way round.
    pub(super) failure: Result<(), Divergence>,
}

impl<'a> Forge<'a> {
    pub(super) fn new(stage: &'a Stage, chance: Chance) -> Self {
        let mut seen = Seen::default();
        stage.honest.iter().for_each(|change| seen.add(change.change()));
        Forge { stage, chance, seen: Arc::new(seen), given: Vec::new(), failure: Ok(()) }
    }

    pub(super) fn document(&self) -> DocumentId {
        self.stage.genesis.id()
    }

    /// A hand that has written nothing.
    pub(super) fn mallory(&self, session: u64) -> Hand {
        Hand::fresh(&self.document(), MALLORY, session)
    }

    /// The end of any chain, or of none.
    pub(super) fn any_hand(&mut self) -> Hand {
        let hands = self.stage.hands.len();
        let at = self.chance.index(hands + 1);
        self.stage.hands.get(at).copied().unwrap_or(self.mallory(1))
    }

    /// The end of one of Ann's branches.
    pub(super) fn ann(&mut self) -> Hand {
        let ann = sealing::author(stage::ANN).id();
        let hands: Vec<Hand> = self.stage.hands.iter().copied().filter(|hand| hand.chain.author == ann).collect();
        self.chance.pick(&hands).copied().unwrap_or(self.mallory(1))
    }

    /// The heads of everything that is not of a chain.
    pub(super) fn heads_beside(&self, hand: &Hand) -> Vec<ChangeId> {
        let history = &self.stage.history;
        let is_other = |ordinal: &u32| {
            let branch = history.branch_index(*ordinal).and_then(|index| history.branch(index));
            branch.and_then(Branch::chain) != Some(hand.chain)
        };
        history.heads().filter(is_other).filter_map(|ordinal| history.id(ordinal)).collect()
    }

    /// A good change on everything, after a hand.
    pub(super) fn draft(&mut self, hand: Hand) -> Draft {
        let mut others = self.heads_beside(&hand);
        let is_covered = is_after_first(&hand);
        if !is_covered && self.chance.one_in(3) {
            others = vec![self.stage.first];
        } else if !is_covered {
            // Redundant where a head stands on it, and needed where none does.
            others.push(self.stage.first);
        }
        self.draft_on(hand, &others)
    }

    /// A good change on these only, after a hand.
    pub(super) fn draft_on(&self, hand: Hand, others: &[ChangeId]) -> Draft {
        Draft::new(self.stage, Arc::clone(&self.seen), hand, others, self.chance.clone())
    }

    /// A good change on Ann's first only, by somebody new.
    pub(super) fn lonely(&mut self, session: u64) -> Draft {
        let hand = self.mallory(session);
        self.draft_on(hand, &[self.stage.first])
    }

    /// Signs a draft and gives it to everybody. Returns the hand after it.
    pub(super) fn give(&mut self, draft: Draft, expected: Expected) -> Hand {
        Arc::make_mut(&mut self.seen).add(&draft.change);
        let envelope = sealing::envelope(self.document(), draft.hand.link, draft.change.clone());
        self.give_envelope(envelope, expected);
        Hand::after(&draft.hand, &draft.change)
    }

    /// Gives everybody what is in an envelope, if it holds what it says.
    pub(super) fn give_envelope(&mut self, envelope: Option<Envelope>, expected: Expected) {
        let verified = envelope.and_then(|envelope| {
            let read = read_again(self.document(), &envelope);
            self.failure = self.failure.clone().and(read);
            envelope.verify(&mut Verifier::default()).ok()
        });
        match verified {
            Some(verified) => {
                self.given.extend(verified.into_changes().into_iter().map(|change| (change, expected)));
            }
            None if expected == Expected::Accepted => {
                self.failure = Err(Divergence::new("a good change is refused at the door"));
            }
            None => {}
        }
    }
}

/// What an envelope says as bytes is what it says, or is refused: what is not canonical cannot be written.
fn read_again(document: DocumentId, envelope: &Envelope) -> Result<(), Divergence> {
    match Envelope::from_bytes(document, &envelope.to_bytes()) {
        Ok(read) => {
            let is_same = read == *envelope || read.verify(&mut Verifier::default()).is_err();
            promise(is_same, "an envelope says something else as bytes")
        }
        Err(_) => Ok(()),
    }
}
