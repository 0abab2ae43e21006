//! Tickets that give a part to whoever takes them first.

use std::time::Duration;

use pistol_acl::record::{Action, Role, Subject};
use pistol_engine::{Command, Insight, OperateError, ReplyError};
use pistol_sync::ticket::Ticket;

use crate::doc::Doc;
use crate::people::Group;
use crate::spaces::Space;

/// An invitation could not be given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InviteError {
    /// This node's author may not grant that.
    #[error(transparent)]
    Operate(#[from] OperateError),
    /// The node said why.
    #[error(transparent)]
    Refused(#[from] ReplyError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes ({0}); look at it")]
    Random(String),
    /// The node was shut down.
    #[error("the node was shut down; open it again")]
    Stopped,
}

impl From<crate::runtime::Stopped> for InviteError {
    fn from(_: crate::runtime::Stopped) -> Self {
        InviteError::Stopped
    }
}

impl Doc {
    /// A ticket that grants a part in the document to the first who joins with it, once, while this node runs and can be reached;
    /// with a time, no later than that. Whoever else has it reads the document and has no part in it. It is worth nothing any more
    /// after this store was put back to an older state.
    ///
    /// ```no_run
    /// # async fn example(node: pistol::Node) -> pistol::Result<()> {
    /// let doc = node.create_for(pistol::Preset::Team, |doc| doc.text("body")).await?;
    /// println!("for one friend: {}", doc.invite(pistol::Role::Writer, None).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InviteError`] if this node's author may not grant that, or the store does not take it.
    pub async fn invite(&self, role: Role, within: Option<Duration>) -> Result<Ticket, InviteError> {
        let author = self.runtime().author;
        let grant = Action::Grant { to: Subject::Key(author), role };
        let may_grant = |insight: Insight<'_>| {
            let access = insight.access.ok_or(OperateError::NoMembers)?;
            access.draft(author, grant).map(|_| ()).map_err(OperateError::from)
        };
        self.runtime().documents.look(&self.id(), may_grant).map_err(OperateError::from)??;
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(|error| InviteError::Random(error.to_string()))?;
        let mut ticket = within.map_or_else(|| self.ticket(), |within| self.ticket_for(within));
        ticket.secret = Some(secret);
        let (document, not_after_ms) = (self.id(), ticket.not_after_ms);
        self.runtime().ask(Command::Invite { document, secret, role, not_after_ms }).await??;
        Ok(ticket)
    }
}

impl Space {
    /// A ticket that grants a part in the space to the first who joins with it: see [`Doc::invite`].
    ///
    /// # Errors
    /// As [`Doc::invite`].
    pub async fn invite(&self, role: Role, within: Option<Duration>) -> Result<Ticket, InviteError> {
        self.log().invite(role, within).await
    }
}

impl Group {
    /// A ticket that takes the first who joins with it into the group: see [`Doc::invite`].
    ///
    /// # Errors
    /// As [`Doc::invite`].
    pub async fn invite(&self, role: Role, within: Option<Duration>) -> Result<Ticket, InviteError> {
        self.log().invite(role, within).await
    }
}
