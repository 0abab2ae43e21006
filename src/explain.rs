//! Who may do what in a document, and why a change is part of it or not, in words.

use std::fmt;
use std::sync::Arc;

use pistol_core::genesis::Genesis;
use pistol_core::id::ChangeId;
use pistol_core::key::AuthorId;
use pistol_engine::{Insight, Verdict};

use crate::doc::Doc;
use crate::members::why;

/// What became of a change, and why. Its words are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Explanation {
    /// It is part of the document.
    Accepted {
        /// Who made it.
        author: AuthorId,
        /// What lets them.
        why: String,
    },
    /// It is not part of the document as things stand, and may be tomorrow: its author's part was ended, and nobody who may
    /// write has built on it.
    Masked {
        /// Who made it.
        author: AuthorId,
        /// What ended it.
        why: String,
    },
    /// It is refused, here and everywhere.
    Refused {
        /// The rule that it breaks.
        why: String,
    },
    /// It waits for changes that it builds on, or for a rest, since many new histories came at once.
    Waiting,
    /// Nobody told of it since the node was started.
    Unknown,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Explanation::Accepted { author, why } => write!(f, "accepted: {author} wrote it, and {why}"),
            Explanation::Masked { author, why } => write!(f, "masked: {author} wrote it, and {why}"),
            Explanation::Refused { why } => write!(f, "refused, here and everywhere: {why}"),
            Explanation::Waiting => {
                f.write_str("it waits for changes that it builds on, or for a moment, since many came at once")
            }
            Explanation::Unknown => f.write_str("nobody told of it since the node was started"),
        }
    }
}

impl Doc {
    /// Why a change is part of the document or not.
    ///
    /// # Panics
    /// As [`Doc::read`].
    #[expect(clippy::expect_used, reason = "as for `read`")]
    pub fn explain(&self, change: &ChangeId) -> Explanation {
        let verdict = self.runtime().documents.verdict(&self.id(), change);
        match verdict.expect("an explanation inside an edit or a read: end the outer one first") {
            Verdict::Accepted { author } => {
                let why = self.reason(change).unwrap_or_else(|| pistol_acl::why_accepted(&self.genesis(), &author));
                Explanation::Accepted { author, why }
            }
            Verdict::Masked { author } => {
                let why = self.reason(change).unwrap_or_else(|| "its author's part was ended".to_owned());
                Explanation::Masked { author, why }
            }
            Verdict::Refused(rule) => Explanation::Refused { why: rule.to_string() },
            Verdict::Waiting => Explanation::Waiting,
            Verdict::Unknown => Explanation::Unknown,
        }
    }

    /// Of a document with members, what decided about a change.
    fn reason(&self, change: &ChangeId) -> Option<String> {
        let reason = |insight: Insight<'_>| insight.access.map(|access| why(access, change));
        self.runtime().documents.look(&self.id(), reason).ok().flatten()
    }

    /// Who may do what in the document, a sentence each.
    ///
    /// # Panics
    /// As [`Doc::read`].
    pub fn rules(&self) -> Vec<String> {
        pistol_acl::rules(&self.genesis())
    }

    #[expect(clippy::expect_used, reason = "as for `read`")]
    fn genesis(&self) -> Arc<Genesis> {
        let genesis = |insight: Insight<'_>| Arc::clone(insight.document.history().genesis());
        self.runtime()
            .documents
            .look(&self.id(), genesis)
            .expect("rules inside an edit or a read: end the outer one first")
    }
}
