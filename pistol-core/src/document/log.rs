//! The history of a document, as people read it.

use super::Document;
use crate::id::{ChangeId, Session};
use crate::key::AuthorId;
use crate::validate::Ordinal;

/// One change of a document's history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// The change.
    pub id: ChangeId,
    /// Who made it.
    pub author: AuthorId,
    /// In which session.
    pub session: Session,
    /// Place in the session, from 1.
    pub seq: u64,
    /// When, by the author's clock, in milliseconds since 1970; nodes tell whole seconds.
    pub time_ms: u64,
    /// What the author said of it.
    pub message: Option<String>,
    /// How many operations it has.
    pub operations: u32,
}

impl Document {
    /// Every change that readers see, dependencies first.
    pub fn log(&self) -> Vec<LogEntry> {
        let mut log: Vec<(Ordinal, LogEntry)> = Vec::with_capacity(self.hashes.len());
        for change in self.automerge.get_changes_meta(&[]) {
            let Some(ordinal) = self.names.ordinal(&self.history, &change.actor, change.seq) else { continue };
            let message = change.message.as_ref().map(ToString::to_string);
            log.extend(self.log_entry(ordinal, change.timestamp, message).map(|entry| (ordinal, entry)));
        }
        log.sort_unstable_by_key(|(ordinal, _)| *ordinal);
        log.into_iter().map(|(_, entry)| entry).collect()
    }

    fn log_entry(&self, ordinal: Ordinal, time: i64, message: Option<String>) -> Option<LogEntry> {
        let history = &self.history;
        let chain = history.branch(history.branch_index(ordinal)?)?.chain()?;
        let (_, operations) = history.numbers(ordinal)?;
        Some(LogEntry {
            id: history.id(ordinal)?,
            author: chain.author,
            session: chain.session,
            seq: history.seq(ordinal)?,
            time_ms: u64::try_from(time).unwrap_or(0),
            message,
            operations,
        })
    }
}
