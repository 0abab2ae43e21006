//! The way of others' changes into a document: structure, policy, history, projection. The only caller of `accept`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pistol_core::envelope::VerifiedChange;
use pistol_core::id::ChangeId;
use pistol_core::key::AuthorId;
use pistol_core::validate::{Check, Rule, Valid};

use super::{Replica, Unstored};
use crate::input::ConnectionId;
use crate::limits;

/// What became of received changes.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    /// Whose changes were accepted, and how many of each.
    pub(crate) accepted: BTreeMap<AuthorId, u64>,
    /// What was refused, by whom it was sent.
    pub(crate) refused: Vec<(ConnectionId, ChangeId, Rule)>,
    /// Connections that sent what there was no room for: they must be asked again.
    pub(crate) dropped: BTreeSet<ConnectionId>,
    /// Connections whose changes waited and do so no more.
    pub(crate) released: BTreeSet<ConnectionId>,
}

impl Replica {
    /// Takes in what is ready; the rest waits.
    pub(crate) fn admit(&mut self, changes: Vec<(VerifiedChange, ConnectionId)>) -> Admission {
        let mut admission = Admission::default();
        let mut queue: VecDeque<(VerifiedChange, ConnectionId)> = changes.into();
        while let Some((change, from)) = queue.pop_front() {
            let id = change.id();
            if let Some(rule) = self.refused_before(&change) {
                self.refuse(&mut admission, from, id, rule);
                queue.extend(self.release(&mut admission, &id));
                continue;
            }
            match self.document.check(&change) {
                Check::Known => {}
                Check::Missing(missing) => {
                    let Some(dependency) = missing.first() else { continue };
                    if !self.waiting.keep(change, from, *dependency) {
                        admission.dropped.insert(from);
                    }
                }
                Check::Rejected(rule) => self.refuse(&mut admission, from, id, rule),
                Check::Valid(valid) => match self.accept(*valid, change, from) {
                    Ok(author) => *admission.accepted.entry(author).or_default() += 1,
                    Err(rule) => self.refuse(&mut admission, from, id, rule),
                },
            }
            if self.is_decided(&id) {
                queue.extend(self.release(&mut admission, &id));
            }
        }
        self.state.waiting = self.waiting.len();
        self.will_show(&admission.accepted);
        admission
    }

    /// Whether a change is accepted, or refused for ever.
    fn is_decided(&self, id: &ChangeId) -> bool {
        self.document.history().ordinal(id).is_some() || self.rejected.contains_key(id)
    }

    /// What waited for a change that is decided now.
    fn release(&mut self, admission: &mut Admission, id: &ChangeId) -> Vec<(VerifiedChange, ConnectionId)> {
        let released = self.waiting.release(id);
        admission.released.extend(released.iter().flat_map(|(_, from)| from.iter().copied()));
        released.into_iter().filter_map(|(change, from)| Some((change, *from.first()?))).collect()
    }

    /// How many changes from a connection are not durable because they wait for others.
    pub(crate) fn waiting_from(&self, connection: ConnectionId) -> usize {
        self.waiting.count_of(connection)
    }

    fn refused_before(&self, change: &VerifiedChange) -> Option<Rule> {
        let is_dependent = || change.change().deps.iter().any(|dep| self.rejected.contains_key(dep));
        self.rejected.get(&change.id()).copied().or_else(|| is_dependent().then_some(Rule::Dependencies))
    }

    fn accept(&mut self, valid: Valid, change: VerifiedChange, from: ConnectionId) -> Result<AuthorId, Rule> {
        let genesis = self.document.history().genesis();
        let admitted = pistol_acl::judge(genesis, valid)?;
        let accepted = self.document.accept(admitted.into_valid()).map_err(|_| Rule::Chain)?;
        let author = change.change().author;
        if accepted.is_fork {
            self.state.forks.insert(author);
        }
        if author == self.key.id() && Some(change.change().session) == self.session {
            // Somebody writes in this session who is not this store: a copied profile. Leave it to the other.
            self.session = None;
            self.state.forks.insert(author);
        }
        self.unstored_bytes += change.bytes();
        self.unstored.push(Unstored::Foreign(change, from));
        Ok(author)
    }

    fn refuse(&mut self, admission: &mut Admission, from: ConnectionId, id: ChangeId, rule: Rule) {
        self.state.refuse(&rule.to_string());
        // A wrong place in a chain is the record's fault: the same change may come again in its right place.
        if rule != Rule::Chain {
            while self.rejected.len() >= limits::REJECTED_MAX {
                self.rejected.pop_first();
            }
            self.rejected.insert(id, rule);
        }
        admission.refused.push((from, id, rule));
    }
}
