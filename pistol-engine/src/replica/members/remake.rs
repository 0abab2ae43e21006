//! What is shown follows what is accepted: it grows by the changes that came to be accepted, and when some ceased to be it is
//! made anew from the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use pistol_acl::State;
use pistol_core::document::Document;
use pistol_core::id::ChangeId;
use pistol_core::key::AuthorId;
use pistol_core::validate::{Check, Rule};

use super::Members;
use crate::limits;
use crate::replica::Replica;

/// Whose changes readers see, or see no more, and how many of each.
pub(crate) type Shown = BTreeMap<AuthorId, u64>;

impl Replica {
    /// Judges again what has to be, and lets the document follow. Says whose changes came into it or went.
    pub(in crate::replica) fn follow_access(&mut self) -> Shown {
        let Some(members) = &mut self.members else { return Shown::new() };
        if members.access.settle() {
            members.path = None;
        }
        let news = members.access.take_news();
        let gone = if news.has_shrunk { gone(members, &self.document) } else { Shown::new() };
        if !gone.is_empty() {
            return self.remake(gone);
        }
        let mut shown = Shown::new();
        for id in news.grown {
            let is_old = members.ready.history().ordinal(&id).is_some_and(|ordinal| ordinal < self.written.end());
            match grow(members, &mut self.document, &id) {
                Ok(Some(author)) => {
                    *shown.entry(author).or_default() += 1;
                    if is_old {
                        self.written.is_stale();
                    }
                }
                Ok(None) => {}
                Err(rule) => self.state.refuse(&format!("an accepted change cannot be shown: {rule}")),
            }
        }
        shown
    }

    /// The same, with rests in between: whoever sends operations without end keeps nobody from typing. Until then things stand as they
    /// were judged last.
    pub(in crate::replica) fn follow_access_in_turn(&mut self, now_ms: u64) -> Shown {
        let Some(members) = &mut self.members else { return Shown::new() };
        if !members.access.is_settled() {
            if now_ms < members.rest_until_ms {
                return Shown::new();
            }
            members.rest_until_ms = now_ms.saturating_add(members.judging_rest_ms());
        }
        self.follow_access()
    }

    /// When what came is judged; none if all is.
    pub(in crate::replica) fn judge_at_ms(&self) -> Option<u64> {
        self.members.as_ref().filter(|members| !members.access.is_settled()).map(|members| members.rest_until_ms)
    }

    /// Lets the document follow operations that came since the tick began: nobody edits by what was so before, or builds on
    /// what is masked already.
    pub(in crate::replica) fn catch_up(&mut self, now_ms: u64) {
        if self.members.as_ref().is_some_and(|members| !members.access.is_settled()) {
            self.keep_made_in_vain();
            let shown = self.follow_access_in_turn(now_ms);
            self.will_show(&shown);
        }
    }

    /// Makes the document anew. Should that fail, which would be a fault of ours, it stays as it is, and says so.
    fn remake(&mut self, gone: Shown) -> Shown {
        let Some(members) = &self.members else { return Shown::new() };
        let made = made(members).and_then(|mut made| made.project().map(|_| made));
        match made {
            Ok(made) => {
                self.written.is_stale();
                let patches = self.document.become_remade(made);
                self.screens.apply(&patches);
            }
            Err(rule) => self.state.refuse(&format!("the document cannot be made anew: {rule}")),
        }
        gone
    }
}

impl Members {
    fn judging_rest_ms(&self) -> u64 {
        let operations =
            u64::try_from(self.access.operations_in_all()).unwrap_or(u64::MAX) / limits::JUDGED_OPERATIONS_IN_A_MS;
        let changes = u64::from(self.ready.history().next()) / limits::JUDGED_CHANGES_IN_A_MS;
        (operations.saturating_add(changes).saturating_mul(limits::RESTS_FROM_JUDGING))
            .min(limits::RESTS_FROM_JUDGING_MS_MAX)
    }
}

/// The authors of shown changes that are accepted no more.
fn gone(members: &Members, document: &Document) -> Shown {
    let mut gone = Shown::new();
    let history = document.history();
    for ordinal in 1..history.next() {
        let Some((id, author)) = history.id(ordinal).zip(history.author(ordinal)) else { continue };
        if members.access.state(&id) != State::Accepted {
            *gone.entry(author).or_default() += 1;
        }
    }
    gone
}

/// The document of all that is accepted, not yet projected.
fn made(members: &Members) -> Result<Document, Rule> {
    let mut document = Document::new(Arc::clone(members.ready.history().genesis()))?;
    for id in members.access.accepted() {
        grow(members, &mut document, id)?;
    }
    Ok(document)
}

/// Takes a change into what is shown, if it is accepted and not there yet. Says whose it is.
pub(crate) fn grow(members: &Members, document: &mut Document, id: &ChangeId) -> Result<Option<AuthorId>, Rule> {
    if members.access.state(id) != State::Accepted || document.history().ordinal(id).is_some() {
        return Ok(None);
    }
    let change = members.ready.change(id).ok_or(Rule::Dependencies)?;
    match document.check(&change) {
        Check::Valid(valid) => {
            document.accept(*valid).map_err(|_| Rule::Chain)?;
            Ok(Some(change.change().author))
        }
        Check::Known => Ok(None),
        Check::Rejected(rule) => Err(rule),
        Check::Missing(_) => Err(Rule::Dependencies),
    }
}
