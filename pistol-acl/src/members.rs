//! Who has a part in a document as things stand, and operations of one's own: what they follow on, and what they cite.

use std::collections::BTreeSet;

use pistol_core::id::AuthorityId;
use pistol_core::key::AuthorId;

use crate::access::Access;
use crate::limits::PREVIOUS_MAX;
use crate::log::{Entry, Ordinal};
use crate::path::resolve;
use crate::record::{AclOp, Action, LogId, Role, SignedOp, Subject};

/// Somebody who has a part in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub subject: Subject,
    /// What they may.
    pub role: Role,
    /// The grant.
    pub grant: AuthorityId,
    /// Who granted it.
    pub by: AuthorId,
}

/// An operation cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPower {
    /// Its author has no role that allows it, as things stand.
    #[error("your role here does not allow that; ask an admin or a root")]
    Role,
    /// The log is not known here.
    #[error("nothing is known of this log; open its document")]
    Unknown,
}

impl Access {
    /// The operation that opened the document for ever, if there is one.
    pub fn released(&self) -> Option<AuthorityId> {
        let release = self.logs.release_of(&self.changes.document)?;
        self.logs.entry(release).map(|entry| entry.signed.id())
    }

    /// Those to whom the document's log grants something, as things stand.
    pub fn members(&self) -> Vec<Member> {
        let log = self.changes.document;
        let member = |(ordinal, entry): (Ordinal, &Entry)| {
            let Action::Grant { to, role } = entry.op().action else { return None };
            let level = entry.standing.level.saturating_add(1);
            let naming = crate::path::Naming { subject: to, log, hop: Some(ordinal), level };
            let counts = self.rulings.is_valid(ordinal) && self.rulings.acting(&self.logs, &naming).next().is_none();
            counts.then(|| Member { subject: to, role, grant: entry.signed.id(), by: entry.op().author })
        };
        self.logs.of_log(&log).filter_map(member).collect()
    }

    /// The keys that are roots of the document, as things stand.
    pub fn roots(&self) -> Vec<AuthorId> {
        let log = &self.changes.document;
        let of_genesis = self.logs.charter(log).map_or(&[][..], |charter| &charter.roots);
        let added = self.logs.of_log(log).filter_map(|(_, entry)| match &entry.op().action {
            Action::AddRoot { key } => Some((*key, vec![entry.signed.id()])),
            _ => None,
        });
        let all = of_genesis.iter().map(|root| (*root, Vec::new())).chain(added);
        let counts = |(key, path): (AuthorId, Vec<AuthorityId>)| {
            let standing = resolve(&self.logs, log, &key, &path).ok()?;
            self.rulings.inactive(&self.logs, *log, &standing).is_none().then_some(key)
        };
        all.filter_map(counts).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What proves that the document was released, if it was: the operations that the release stands on, each after what it
    /// stands on itself, and the release. [`crate::verify_release`] checks it.
    pub fn release_proof(&self) -> Option<(Vec<SignedOp>, SignedOp)> {
        let release = self.logs.find(&self.released()?)?;
        let mut cited = BTreeSet::new();
        let mut next = release.op().proof.clone();
        while let Some(ordinal) = next.pop().and_then(|id| self.logs.ordinal(&id)) {
            if cited.insert(ordinal) {
                next.extend(self.logs.entry(ordinal).map(|entry| entry.op().proof.clone()).unwrap_or_default());
            }
        }
        // What is cited entered before what cites it.
        let proof = cited.iter().filter_map(|ordinal| self.logs.entry(*ordinal)).map(|entry| entry.signed.clone());
        Some((proof.collect(), release.signed.clone()))
    }

    /// The operations of a log in the order in which they were taken in, from one on.
    pub fn operations(&self, log: &LogId, from: u32) -> impl Iterator<Item = &SignedOp> {
        self.logs.of_log_from(log, from).map(|(_, entry)| &entry.signed)
    }

    /// How many operations of a log were taken in.
    pub fn operation_count(&self, log: &LogId) -> u32 {
        self.logs.count_of(log)
    }

    /// An operation of one's own in the document's log, to be signed: it follows on all heads, and cites what allows it.
    ///
    /// # Errors
    /// [`NoPower`].
    pub fn draft(&self, author: AuthorId, action: Action) -> Result<AclOp, NoPower> {
        let log = self.changes.document;
        self.logs.charter(&log).map_err(|_| NoPower::Unknown)?;
        let least = match &action {
            Action::Revoke { who, .. } if *who == Subject::Key(author) => Role::Relay,
            Action::Name { .. } => Role::Writer,
            Action::Checkpoint(heads) if heads.heads.is_empty() => Role::Writer,
            _ => Role::Admin,
        };
        // A former root may still release: what it cites need not count any more, so it is not looked for among what does.
        let proof = match action {
            Action::Release => self.root_path(&author),
            Action::Name { .. } => self.path_to_add(&author),
            _ => self.path(&author, least),
        };
        let proof = proof.ok_or(NoPower::Role)?;
        if action == Action::Release {
            return Ok(AclOp { log, author, proof, prev: Vec::new(), own: None, action });
        }
        let own = self.logs.of_log(&log).filter(|(_, entry)| entry.op().author == author).last();
        let own = own.map(|(_, entry)| entry.signed.id());
        let mut prev: BTreeSet<AuthorityId> = own.into_iter().collect();
        // With more heads than may be cited, others are left to be cited by the next one: never those of whoever is more
        // powerful, whatever ids a crowd of others has.
        let mut heads = self.heads(&log);
        heads.sort_by_cached_key(|id| {
            let standing = self.logs.find(id).map(|entry| &entry.standing);
            (standing.map(|standing| (std::cmp::Reverse(standing.role), standing.level)), *id)
        });
        prev.extend(heads.into_iter().take(PREVIOUS_MAX - 1));
        let prev: Vec<AuthorityId> = prev.into_iter().collect();
        let own = own.and_then(|own| prev.iter().position(|id| *id == own));
        Ok(AclOp { log, author, proof, prev, own, action })
    }

    /// What shows that a key is or was a root, or a device of an identity that is or was one.
    fn root_path(&self, author: &AuthorId) -> Option<Vec<AuthorityId>> {
        let log = &self.changes.document;
        let is_root = |path: &[AuthorityId]| {
            let standing = resolve(&self.logs, log, author, path);
            standing.is_ok_and(|standing| standing.level == 0 && standing.role == Role::Admin)
        };
        let all = [Vec::new()].into_iter().chain(self.leading_to(author, |_| true));
        all.into_iter().find(|path| is_root(path))
    }
}
