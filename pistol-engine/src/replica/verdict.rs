//! What became of one change here, for people who ask.

use pistol_core::id::ChangeId;
use pistol_core::key::AuthorId;
use pistol_core::validate::Rule;

use super::Replica;

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is part of the document.
    Accepted {
        /// Who made it.
        author: AuthorId,
    },
    /// It keeps the rules and is not part of the document as things stand: its author's part was ended.
    Masked {
        /// Who made it.
        author: AuthorId,
    },
    /// It is refused, here and everywhere.
    Refused(Rule),
    /// It waits for others, or for the end of a rest.
    Waiting,
    /// Nobody told of it since the node was started, or it was refused long ago.
    Unknown,
}

impl Replica {
    pub(crate) fn verdict(&self, change: &ChangeId) -> Verdict {
        let history = self.history();
        if let Some(author) = history.ordinal(change).and_then(|ordinal| history.author(ordinal)) {
            let is_shown = self.document.history().ordinal(change).is_some();
            return if is_shown { Verdict::Accepted { author } } else { Verdict::Masked { author } };
        }
        match self.rejected.find(change) {
            Some(rule) => Verdict::Refused(*rule),
            None if self.waiting.holds(change) => Verdict::Waiting,
            None => Verdict::Unknown,
        }
    }
}
