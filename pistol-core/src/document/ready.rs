//! Changes that keep every rule of structure, whether readers are shown them or not: what a document with members holds beside
//! what it shows. They stay at hand, packed, since what is masked today may be part of the document tomorrow, and the other way
//! round.
//!
//! Architecture Invariant: what is shown is a part of these that is closed under dependencies, so whatever keeps the rules here
//! keeps them there.

use std::sync::Arc;

use super::backlog::{read, write};
use crate::codec::{Reader, Writer};
use crate::envelope::Linked;
use crate::genesis::Genesis;
use crate::id::ChangeId;
use crate::validate::{Accepted, Check, History, Ordinal, Rule, Stale, Valid};

/// All changes of a document whose past is here.
#[derive(Clone, Debug)]
pub struct Ready {
    history: History,
    packed: Writer,
    /// Where each change begins; the skeleton, which has number 0, is none.
    starts: Vec<usize>,
}

impl Ready {
    /// None yet.
    ///
    /// # Errors
    /// The [`Rule`] that the skeleton breaks.
    pub fn new(genesis: Arc<Genesis>) -> Result<Self, Rule> {
        Ok(Ready { history: History::new(genesis)?, packed: Writer::new(), starts: Vec::new() })
    }

    /// Their history.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Checks a change against the rules of structure.
    pub fn check(&self, change: &Linked) -> Check {
        self.history.check(change)
    }

    /// Takes a change in.
    ///
    /// # Errors
    /// [`Stale`] if another change came in since the check.
    pub fn accept(&mut self, valid: Valid) -> Result<Accepted, Stale> {
        let accepted = self.history.accept(valid)?;
        self.starts.push(self.packed.as_bytes().len());
        write(&accepted, &mut self.packed);
        Ok(accepted)
    }

    /// A change that was taken in.
    pub fn change(&self, id: &ChangeId) -> Option<Linked> {
        self.at(self.history.ordinal(id)?)
    }

    fn at(&self, ordinal: Ordinal) -> Option<Linked> {
        let start = *self.starts.get(usize::try_from(ordinal).ok()?.checked_sub(1)?)?;
        let mut reader = Reader::new(self.packed.as_bytes().get(start..)?);
        read(&mut reader, &self.history).map(|accepted| accepted.change)
    }

    /// Bytes that the packed changes take.
    pub fn bytes(&self) -> usize {
        self.packed.as_bytes().len() + size_of_val(self.starts.as_slice())
    }
}
