//! Operations of this node's own, and what its edits cite.

use pistol_acl::record::{AclOp, Action, Mode, OpError, Role, SignedOp, Subject};
use pistol_acl::{Access, Loss, NoPower, Refusal};
use pistol_core::document::EditError;
use pistol_core::genesis::Kind;
use pistol_core::id::AuthorityId;
use pistol_core::key::{AuthorId, AuthorKey};

use super::{Members, Took};
use crate::Insight;
use crate::input::ConnectionId;
use crate::replica::Replica;

/// What is made here comes on no connection.
const FROM_HERE: ConnectionId = ConnectionId::MAX;

/// An operation was not written; the document is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperateError {
    /// Who may write here is said by the genesis, for ever.
    #[error(
        "this document has no members: who may change it was fixed when it was made; make one with members instead"
    )]
    NoMembers,
    /// The author may not do that.
    #[error(transparent)]
    Power(#[from] NoPower),
    /// It would be refused everywhere.
    #[error("it would be refused everywhere: {0}; look at who may do what here")]
    Refused(#[from] Refusal),
    /// A revocation of somebody who has no part.
    #[error("they have no part here as things stand; there is nothing to revoke")]
    NothingToRevoke,
    /// A revocation of somebody whose part it cannot end.
    #[error(
        "it would change nothing: they have their part from somebody who is senior to you, or your equal; a root may \
         revoke them"
    )]
    Senior,
    /// It is past a limit.
    #[error("the operation is past a limit ({0}); name less in it")]
    Limit(#[from] OpError),
    /// As many as may be follow on nothing that others have built on.
    #[error("you have written operations on too many devices at the same time; connect to the others first")]
    Forked,
    /// More heads than an operation may keep.
    #[error("a document has too many ends to name in one operation; edit it once, which joins them, then try again")]
    TooManyHeads,
    /// More identities and groups are named already than nodes look for.
    #[error(
        "the log leads to {} identities and groups already, and no node looks for more; make a group of them, or grant to a key",
        pistol_acl::limits::LOGS_MAX
    )]
    TooManyLogs,
    /// The document cannot be entered.
    #[error(transparent)]
    Document(#[from] EditError),
}

impl Replica {
    /// Writes an operation of this node's author, or of another key that is at hand, made of what is known now. What is accepted
    /// then is shown at once.
    pub(crate) fn operate(
        &mut self,
        key: Option<&AuthorKey>,
        make: impl FnOnce(Insight<'_>) -> Result<Action, OperateError>,
    ) -> Result<AuthorityId, OperateError> {
        self.settle_first();
        let action = make(self.insight())?;
        let signed = self.signed(key, action)?;
        self.enter(&signed)?;
        Ok(signed.id())
    }

    /// What is known now is judged and shown.
    fn settle_first(&mut self) {
        self.keep_made_in_vain();
        let shown = self.follow_access();
        self.will_show(&shown);
    }

    /// Takes in an operation that was signed where the key is, of what [`Replica::draft`] gave. What is accepted then is shown at
    /// once.
    pub(crate) fn enter_signed(&mut self, signed: &SignedOp) -> Result<(), OperateError> {
        self.settle_first();
        self.enter(signed)
    }

    fn enter(&mut self, signed: &SignedOp) -> Result<(), OperateError> {
        if let Some(members) = &self.members {
            members.check_room(signed)?;
            members.check_effect(signed)?;
        }
        self.keep_made_in_vain();
        let Some(members) = &mut self.members else { return Err(OperateError::NoMembers) };
        match members.take_operation(signed, FROM_HERE) {
            Took::Entered => {}
            Took::Refused(refusal) => return Err(refusal.into()),
            Took::Waiting | Took::Dropped => return Err(OperateError::Forked),
        }
        self.follow_access();
        match self.document.project() {
            Ok(patches) => self.screens.apply(&patches),
            Err(rule) => self.state.refuse(&format!("Automerge failed on accepted changes: {rule}")),
        }
        Ok(())
    }

    /// An operation as it would be written.
    pub(crate) fn signed(&self, key: Option<&AuthorKey>, action: Action) -> Result<SignedOp, OperateError> {
        let key = key.unwrap_or(&self.key);
        Ok(SignedOp::sign(key, &self.draft(key.id(), action)?)?)
    }

    /// The same, to be signed where the author's key is.
    pub(crate) fn draft(&self, author: AuthorId, action: Action) -> Result<AclOp, OperateError> {
        let members = self.members.as_ref().ok_or(OperateError::NoMembers)?;
        Ok(members.access.draft(author, action)?)
    }

    /// What an edit made now cites. Who may not write is told so before anything is made.
    pub(in crate::replica) fn path_to_write(&mut self) -> Result<Vec<AuthorityId>, EditError> {
        let Some(members) = &mut self.members else { return Ok(Vec::new()) };
        members.path_to_write(self.key.id())
    }
}

impl Members {
    fn path_to_write(&mut self, author: AuthorId) -> Result<Vec<AuthorityId>, EditError> {
        if !self.ready.history().genesis().terms().kind.is_document() {
            return Err(EditError::NoContent);
        }
        if self.path.is_none() {
            self.path = self.access.path_to_write(&author);
        }
        self.path
            .clone()
            .ok_or_else(|| if self.access.had_part(&author) { EditError::Revoked } else { EditError::NotAMember })
    }

    /// Refuses a grant to a log that nobody would look for.
    fn check_room(&self, signed: &SignedOp) -> Result<(), OperateError> {
        let Some(need) = signed.need() else { return Ok(()) };
        if self.access.has_room_for(&need) { Ok(()) } else { Err(OperateError::TooManyLogs) }
    }

    /// Refuses a revocation that neither ends a part nor takes anything away: whoever writes one believes that somebody is out
    /// then.
    fn check_effect(&self, signed: &SignedOp) -> Result<(), OperateError> {
        let Action::Revoke { who, mode, .. } = &signed.op().action else { return Ok(()) };
        // A ban in a space is of documents, which need no part.
        if *mode == Mode::Exact && self.ready.history().genesis().terms().kind == Kind::Space {
            return Ok(());
        }
        let mut after = self.access.clone();
        after.hold(signed.clone());
        after.settle();
        let part = |access: &Access| match who {
            Subject::Key(author) => access.path(author, Role::Relay),
            who => access.members().into_iter().find(|member| member.subject == *who).map(|member| vec![member.grant]),
        };
        let before = part(&self.access);
        if part(&after) != before || self.access.loss(signed.clone(), who) != Loss::default() {
            return Ok(());
        }
        Err(if before.is_some() { OperateError::Senior } else { OperateError::NothingToRevoke })
    }
}
