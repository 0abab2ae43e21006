//! `pistol grant`: gives somebody a part in a document with members.

use pistol::{Author, Node, Role};
use serde::{Deserialize, Serialize};

use super::Context;
use super::ls::Listed;
use crate::execute::load;
use crate::failure::Failure;
use crate::request::Request;

/// Gives somebody a part in a document with members
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol grant plan 5f1c…e2 writer\n  pistol grant plan 5f1c…e2 admin")]
pub(crate) struct Grant {
    /// The document's name, or the beginning of its id
    document: String,
    /// Whom: the author that `pistol identity show` prints there
    author: String,
    /// What they may
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
        let author = author_of(&self.author)?.to_string();
        let request = Request::Grant { document: self.document, author, role: self.role };
        let changed: Listed = context.ask(request).await?;
        context.output.changed(&changed)?;
        context.output.say("granted; peers learn of it when they meet this node");
        Ok(())
    }
}

/// The author that is meant.
pub(crate) fn author_of(text: &str) -> Result<Author, Failure> {
    text.parse().map_err(|_| {
        let help = "an author is 64 hexadecimal digits, as `pistol identity show` prints them";
        Failure::usage(format!("`{text}` is no author"), help)
    })
}

/// Grants it.
pub(crate) async fn execute(node: &Node, document: &str, author: &str, role: RoleName) -> Result<Listed, Failure> {
    let doc = load(node, document).await?;
    doc.grant(author_of(author)?, role.into()).map_err(Failure::of)?;
    doc.flush().await.map_err(Failure::of)?;
    Listed::of(node, doc.id())
}
