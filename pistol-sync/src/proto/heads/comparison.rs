//! What follows from a peer's heads, as they are told part by part.

use pistol_core::chain::ChainId;
use pistol_core::id::Session;
use pistol_core::validate::History;

use super::{Held, find_head};
use crate::limits;
use crate::proto::message::{Head, Heads};

/// A peer's heads beside what is here.
///
/// What it takes in memory is bounded by the chains that are here and by [`limits::HEADS_MAX`], however many a peer tells.
#[derive(Debug, Default)]
pub struct Comparison {
    /// What the peer holds.
    pub held: Held,
    /// Heads that are not here, as many as are remembered.
    pub unknown: Vec<Head>,
    /// Whether there were more of them.
    pub has_more_unknown: bool,
    last: Option<Head>,
}

/// Heads cannot be a part of what was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadsError {
    /// They go on after another end than the last that was told: an answer that came too late.
    #[error("these heads do not go on where the last ones ended")]
    Elsewhere,
    /// More are promised, but it would never end.
    #[error("it told heads that are not in ascending order, or none although there are more")]
    OutOfOrder,
}

impl Comparison {
    /// Takes in some of the peer's heads; after which the next part comes, if there is one.
    ///
    /// # Errors
    /// [`HeadsError`] if they do not go on from those before.
    pub fn add(&mut self, history: &History, told: &Heads) -> Result<Option<Head>, HeadsError> {
        if told.after != self.last {
            return Err(HeadsError::Elsewhere);
        }
        let is_ascending = told.ends.first() > told.after.as_ref() && told.ends.is_sorted_by(|one, next| one < next);
        if told.has_more && !is_ascending {
            return Err(HeadsError::OutOfOrder);
        }
        told.ends.iter().for_each(|head| self.add_head(history, head));
        self.last = told.ends.last().copied();
        Ok(self.last.filter(|_| told.has_more))
    }

    fn add_head(&mut self, history: &History, head: &Head) {
        if let Some(ordinal) = find_head(history, head) {
            return self.held.add_path(history, ordinal);
        }
        let is_remembered = self.unknown.len() < limits::HEADS_MAX;
        if is_remembered {
            self.unknown.push(*head);
        }
        self.has_more_unknown |= !is_remembered;
        let chain = history.chain_of(&head.author, Session(head.session));
        let ours = chain.map(|chain| history.branches_of(&chain)).unwrap_or_default();
        let name = (head.author, head.session);
        let mut branches = ours.iter().filter_map(|index| history.branch(*index));
        if branches.any(|branch| branch.last_seq() >= head.seq || branch.parent().is_some()) {
            self.held.forked.insert(name);
        } else if is_remembered || !ours.is_empty() {
            self.held.ahead.insert(name);
        }
    }

    /// Chains that forked: the peer must be asked where its branch parts from ours.
    pub fn forked(&self, history: &History) -> Vec<ChainId> {
        let chains = self.held.forked.iter();
        chains.filter_map(|(author, session)| history.chain_of(author, Session(*session))).collect()
    }
}
