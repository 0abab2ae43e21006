//! Names in a space: first come, first own, as far as somebody bears witness to who came first.
//!
//! Nothing in the data can order concurrent claims, so what no witness decides is said to be contested and none is picked.
//! `docs/access.md` states the rules.
//!
//! Cost: claims are indexed as they enter, so that asking for a name costs O(log n), the claims and witnesses of that name,
//! and the square of the lines on which one person claims it.

mod form;
mod index;
mod verdict;
mod words;

use pistol_core::id::{AuthorityId, DocumentId};
use pistol_core::key::AuthorId;

pub use form::{NotAName, SpaceName};
pub(crate) use index::Index;
use verdict::Court;

use crate::access::Access;
use crate::limits::NAMES_LISTED_MAX;
use crate::record::LogId;

/// Who claims a name: all devices of an identity are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimant {
    /// A key that cites no certificate.
    Key(AuthorId),
    /// The identity whose certificate the claim cites.
    Identity(LogId),
}

impl Claimant {
    /// The key, or the id of the identity: claimants are listed in order of it.
    pub fn as_bytes(&self) -> &[u8; 32] {
        match self {
            Claimant::Key(key) => key.as_bytes(),
            Claimant::Identity(identity) => identity.as_bytes(),
        }
    }

    fn order(&self) -> ([u8; 32], bool) {
        (*self.as_bytes(), matches!(self, Claimant::Identity(_)))
    }
}

impl PartialOrd for Claimant {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Claimant {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

/// What one claimant says that a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// Who claims the name.
    pub claimant: Claimant,
    /// What it names.
    pub target: DocumentId,
    /// The operation that says so.
    pub operation: AuthorityId,
}

/// What becomes of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Naming {
    /// Nobody claims it.
    Unclaimed,
    /// One claims it, and nobody who may has witnessed that: a rival may still turn up.
    Unconfirmed(Claim),
    /// The most senior witnesses agree on whose it is.
    Confirmed(Claim),
    /// It was asked for with its claimant's digits.
    ByClaimant(Claim),
    /// Nothing decides between several claims.
    Contested {
        /// At most [`crate::limits::CLAIMS_LISTED_MAX`] of them, in order of claimants: one of each claimant first, and of those the ones of
        /// claimants to whom the space gave the most senior part. Every other is found by its claimant's digits.
        claims: Vec<Claim>,
        /// How many there are.
        count: usize,
    },
}

impl Access {
    /// What becomes of a name in a space, as of when things were last settled.
    ///
    /// ```
    /// use pistol_acl::{Access, Naming};
    /// use pistol_core::id::DocumentId;
    ///
    /// let access = Access::new(DocumentId([1; 32]));
    /// let naming = access.name(&DocumentId([2; 32]), &"scores".parse().unwrap());
    /// assert_eq!(naming, Naming::Unclaimed);
    /// ```
    pub fn name(&self, space: &LogId, name: &SpaceName) -> Naming {
        self.court(space).judge(name).naming
    }

    /// The names of a space that somebody claims, in order, from the first after `after` on; at most
    /// [`NAMES_LISTED_MAX`], so ask again with the last one.
    pub fn names(&self, space: &LogId, after: Option<&SpaceName>) -> Vec<(SpaceName, Naming)> {
        let after = after.map(SpaceName::label);
        let judged = self.names.labels(space, after).map(SpaceName::of_label).map(|name| {
            let naming = self.name(space, &name);
            (name, naming)
        });
        judged.filter(|(_, naming)| *naming != Naming::Unclaimed).take(NAMES_LISTED_MAX).collect()
    }

    fn court<'a>(&'a self, space: &'a LogId) -> Court<'a> {
        Court { space, logs: &self.logs, rulings: &self.rulings, index: &self.names }
    }
}
