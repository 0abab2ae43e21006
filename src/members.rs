//! Who has a part in a document with members: granting, revoking, and what that takes away.

use pistol_acl::record::{Action, Heads, Keep, Mode, Role, Subject};
use pistol_acl::{Loss, Member};
use pistol_core::id::ChangeId;
use pistol_core::key::{AuthorId, AuthorKey};
use pistol_engine::{Insight, OperateError};

use crate::doc::Doc;

/// How far a revocation reaches back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// What this node shows now stays. What it does not know yet stays where somebody who may write built on it.
    Endorsed,
    /// Everything that they wrote goes, and what others built on it: [`Doc::loss`] counts it first. What others wrote beside
    /// it stays.
    Exact,
}

/// A change that is held and not part of the document as things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Masked {
    /// Which.
    pub id: ChangeId,
    /// Who made it.
    pub author: AuthorId,
    /// What masks it, in words.
    pub why: String,
}

impl Doc {
    /// Gives somebody, an author, an [`crate::Identity`] or a [`crate::Group`], a part in the document. It is durable when
    /// [`Doc::flush`] says so, and peers learn of it after that.
    ///
    /// ```no_run
    /// # async fn example(node: pistol::Node, bob: pistol::Author) -> pistol::Result<()> {
    /// let doc = node.create_for(pistol::Preset::Team, |doc| doc.text("body")).await?;
    /// doc.grant(bob, pistol::Role::Writer)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`OperateError`] if the document has no members, or this node's author is no admin of it.
    pub fn grant(&self, who: impl Into<Subject>, role: Role) -> Result<(), OperateError> {
        let to = who.into();
        self.operate(|_| Ok(Action::Grant { to, role }))
    }

    /// Ends somebody's part in the document, or one's own. It stops their future work as others learn of it; what they have
    /// read they have read. Only whoever is senior may: a grantee cannot revoke the one who granted.
    ///
    /// # Errors
    /// As [`Doc::grant`]; also if the document has more ends than one operation can name, until it is edited.
    pub fn revoke(&self, who: impl Into<Subject>, how: Revocation) -> Result<(), OperateError> {
        let who = who.into();
        self.operate(|insight| revocation(&insight, who, how))
    }

    /// What a revocation would take away here, before it is written. Of what this node does not know yet nothing can be said.
    ///
    /// # Errors
    /// As [`Doc::revoke`].
    pub fn loss(&self, who: impl Into<Subject>, how: Revocation) -> Result<Loss, OperateError> {
        let (documents, who) = (&self.runtime().documents, who.into());
        let action = documents.look(&self.id(), |insight| revocation(&insight, who, how))??;
        documents.loss(&self.id(), &who, action)
    }

    /// Makes masked changes part of the document again, with what they build on.
    ///
    /// # Errors
    /// As [`Doc::grant`].
    pub fn adopt(&self, changes: &[ChangeId]) -> Result<(), OperateError> {
        let mut heads = changes.to_vec();
        heads.sort_unstable();
        heads.dedup();
        self.operate(|_| Ok(Action::Checkpoint(Heads { document: self.id(), heads, tips: Vec::new() })))
    }

    /// Opens the document to everybody for ever. Nothing can take it back: grants and revocations count no more, and what was
    /// masked is part of it.
    ///
    /// # Errors
    /// As [`Doc::grant`]; only roots may.
    pub fn release(&self) -> Result<(), OperateError> {
        self.operate(|_| Ok(Action::Release))
    }

    /// Whether it was opened to everybody for ever.
    pub fn is_released(&self) -> bool {
        self.access(|access| access.released().is_some()).unwrap_or_default()
    }

    /// Those who have a part by a grant that counts; empty for a document without members.
    pub fn members(&self) -> Vec<Member> {
        self.access(pistol_acl::Access::members).unwrap_or_default()
    }

    /// The authors whom the document belongs to, as things stand.
    pub fn roots(&self) -> Vec<AuthorId> {
        let of_genesis = |insight: Insight<'_>| insight.held.genesis().terms().roots.clone();
        let documents = &self.runtime().documents;
        self.access(pistol_acl::Access::roots)
            .unwrap_or_else(|| documents.look(&self.id(), of_genesis).unwrap_or_default())
    }

    /// The changes that are held and not part of the document as things stand.
    pub fn masked(&self) -> Vec<Masked> {
        let masked = |insight: Insight<'_>| {
            let Some(access) = insight.access else { return Vec::new() };
            let ids = (1..insight.held.next())
                .filter_map(|ordinal| insight.held.id(ordinal).zip(insight.held.author(ordinal)));
            let masked = ids.filter(|(id, _)| insight.document.history().ordinal(id).is_none());
            masked.map(|(id, author)| Masked { id, author, why: why(access, &id) }).collect()
        };
        self.runtime().documents.look(&self.id(), masked).unwrap_or_default()
    }

    /// The heads of what is shown, for a revocation to keep.
    pub(crate) fn shown(&self) -> Result<Vec<Heads>, OperateError> {
        self.runtime().documents.look(&self.id(), |insight| shown(&insight))?
    }

    fn access<T>(&self, look: impl FnOnce(&pistol_acl::Access) -> T) -> Option<T> {
        self.runtime().documents.look(&self.id(), |insight| insight.access.map(look)).ok().flatten()
    }

    fn operate(&self, make: impl FnOnce(Insight<'_>) -> Result<Action, OperateError>) -> Result<(), OperateError> {
        self.operate_as(None, make)
    }

    /// The same, signed with another key than this node's.
    pub(crate) fn operate_as(
        &self,
        key: Option<&AuthorKey>,
        make: impl FnOnce(Insight<'_>) -> Result<Action, OperateError>,
    ) -> Result<(), OperateError> {
        if self.is_stopped() {
            return Err(pistol_core::document::EditError::Closed.into());
        }
        self.runtime().documents.operate_as(&self.id(), key, make)?;
        self.edited();
        Ok(())
    }
}

/// Why a change is in its state, without the state.
pub(crate) fn why(access: &pistol_acl::Access, change: &ChangeId) -> String {
    let reason = access.explain_to_people(change);
    reason.split_once(": ").map_or(reason.clone(), |(_, why)| why.to_owned())
}

fn revocation(insight: &Insight<'_>, who: Subject, how: Revocation) -> Result<Action, OperateError> {
    let (mode, changes) = match how {
        Revocation::Endorsed => (Mode::Endorsed, shown(insight)?),
        Revocation::Exact => (Mode::Exact, Vec::new()),
    };
    Ok(Action::Revoke { who, mode, cascade: false, keep: Keep { changes, operations: Vec::new() } })
}

/// The heads of what is shown, to be kept.
fn shown(insight: &Insight<'_>) -> Result<Vec<Heads>, OperateError> {
    let history = insight.document.history();
    let mut heads: Vec<ChangeId> = history.heads().filter_map(|head| history.id(head)).collect();
    heads.sort_unstable();
    if heads.len() > pistol_acl::limits::HEADS_MAX {
        return Err(OperateError::TooManyHeads);
    }
    let heads = Heads { document: history.genesis().id(), heads, tips: Vec::new() };
    Ok(if heads.heads.is_empty() { Vec::new() } else { vec![heads] })
}
