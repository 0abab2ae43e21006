//! What documents are made for: the policies and readers that go together.

use pistol_core::genesis::{Insert, Policy};

/// What a document is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// The author alone writes; who holds a ticket reads.
    Private,
    /// The author alone writes; anybody who knows the document's id reads.
    Published,
    /// Who holds a ticket adds, and what they added nobody else can change: a chat, a guest book, a board of scores.
    Wall,
    /// Who was granted a part changes everything; who holds a ticket reads.
    Team,
    /// Who holds a ticket changes everything.
    Open,
}

impl Preset {
    /// Who may change such a document.
    pub fn policy(self) -> Policy {
        match self {
            Preset::Private | Preset::Published => Policy::Owned,
            Preset::Wall => {
                Policy::FirstWriter { insert: Insert::Anywhere, shared_counters: false, shared_slots: false }
            }
            Preset::Team => Policy::Members,
            Preset::Open => Policy::WorldWritable,
        }
    }

    /// Whether anybody may read it who knows its id.
    pub fn is_public(self) -> bool {
        self == Preset::Published
    }
}
