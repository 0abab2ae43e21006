//! `pistol grant`: gives somebody a part in a document with members, or in a space.

use pistol::{DocumentId, Node, Role, Subject};
use serde::{Deserialize, Serialize};

use super::Context;
use super::ls::Listed;
use crate::execute::load_with_members;
use crate::failure::Failure;
use crate::request::Request;
use crate::who::{who, words};

/// Gives somebody a part in a document with members, or in a space
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  pistol grant plan 5f1c…e2 writer\n  pistol grant plan bob admin\n  pistol grant club bob"
)]
pub(crate) struct Grant {
    /// The name of a document or a space, or the beginning of its id
    document: String,
    /// Whom: the author that `pistol identity show` prints there; or an identity, a group or the members of a space, by its name or
    /// the beginning of its id, or as identity:ID, group:ID or space:ID if it is not here
    who: String,
    /// What they may; in a space writers add documents, and admins say who else may
    #[arg(value_enum, default_value_t)]
    role: RoleName,
}

/// What somebody may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RoleName {
    /// Stores and forwards
    Relay,
    /// Reads
    Reader,
    /// Changes everything
    #[default]
    Writer,
    /// Changes everything, and says who else may
    Admin,
}

impl From<RoleName> for Role {
    fn from(role: RoleName) -> Self {
        match role {
            RoleName::Relay => Role::Relay,
            RoleName::Reader => Role::Reader,
            RoleName::Writer => Role::Writer,
            RoleName::Admin => Role::Admin,
        }
    }
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        match role {
            Role::Relay => RoleName::Relay,
            Role::Reader => RoleName::Reader,
            Role::Writer => RoleName::Writer,
            Role::Admin => RoleName::Admin,
        }
    }
}

impl RoleName {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            RoleName::Relay => "relay",
            RoleName::Reader => "reader",
            RoleName::Writer => "writer",
            RoleName::Admin => "admin",
        }
    }
}

impl Grant {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = Request::Grant { document: self.document, who: self.who, role: self.role };
        let changed: Parted = context.ask(request).await?;
        changed.print(context)?;
        context.output.say("granted; peers learn of it when they meet this node");
        Ok(())
    }
}

/// A document or a space in which somebody's part changed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Parted {
    #[serde(flatten)]
    listed: Listed,
    /// An author, or what this command takes for an identity, a group or a space.
    who: String,
    /// The role that was given; none if a part was ended.
    role: Option<RoleName>,
}

impl Parted {
    /// What changed.
    pub(crate) fn of(node: &Node, id: DocumentId, who: &Subject, role: Option<RoleName>) -> Result<Self, Failure> {
        Ok(Parted { listed: Listed::of(node, id)?, who: words(who), role })
    }

    /// Says so to programs.
    pub(crate) fn print(&self, context: &Context) -> Result<(), Failure> {
        if context.output.is_json { context.output.record(self, "") } else { context.output.changed(&self.listed) }
    }
}

/// Grants it.
pub(crate) async fn execute(node: &Node, document: &str, text: &str, role: RoleName) -> Result<Parted, Failure> {
    let doc = load_with_members(node, document).await?;
    let subject = who(node, text)?;
    doc.grant(subject, role.into()).map_err(Failure::of)?;
    doc.flush().await.map_err(Failure::of)?;
    Parted::of(node, doc.id(), &subject, Some(role))
}
