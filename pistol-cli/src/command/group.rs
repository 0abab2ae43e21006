//! `pistol group`: lists of people, to whom documents grant parts as to one.

use pistol::{Group as Log, LogKind, Node};
use serde::{Deserialize, Serialize};

use super::Context;
use super::grant::RoleName;
use super::identity::kept;
use super::ls::Listed;
use crate::failure::Failure;
use crate::import::check_new_name;
use crate::kind::KindName;
use crate::request::{Reply, Request};
use crate::roll::Roll;
use crate::store::Network;
use crate::who::who;

/// Makes lists of people, and changes who is in them
///
/// A document grants a part to the group with `pistol grant DOC GROUP`; who is in it changes without the document.
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  pistol group new friends\n  pistol group add friends 5f1c…e2 writer\n  pistol group show friends"
)]
pub(crate) struct Group {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Makes a group that belongs to this store's author, and prints its id
    #[command(before_help = "Examples:\n  pistol group new friends\n  pistol group new 'book club'")]
    New {
        /// What you call it; others have names of their own for it
        name: String,
    },
    /// Lists the groups of the store
    #[command(visible_alias = "list", before_help = "Examples:\n  pistol group ls\n  pistol group ls --json")]
    Ls,
    /// Shows who is in a group
    #[command(before_help = "Examples:\n  pistol group show friends\n  pistol group show friends --json")]
    Show {
        /// The group's name, or the beginning of its id
        name: String,
    },
    /// Takes somebody into a group
    #[command(before_help = "Examples:\n  pistol group add friends 5f1c…e2 writer\n  pistol group add friends bob")]
    Add {
        /// The group's name, or the beginning of its id
        name: String,
        /// An author, or an identity or another group by its name or the beginning of its id
        who: String,
        /// What they may at most; an admin takes in others
        #[arg(value_enum, default_value_t)]
        role: RoleName,
    },
    /// Takes somebody out of a group; what others have built on stays
    #[command(
        before_help = "Examples:\n  pistol group remove friends bob\n  pistol group remove friends 5f1c…e2 --keep plan"
    )]
    Remove {
        /// The group's name, or the beginning of its id
        name: String,
        /// An author, or an identity or another group by its name or the beginning of its id
        who: String,
        /// A document in which all stays that is shown here; may be repeated
        #[arg(long, value_name = "DOC")]
        keep: Vec<String>,
    },
}

/// What is asked of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Asked {
    /// To make one.
    New { name: String },
    /// To show one.
    Show { group: String },
    /// To take somebody in.
    Add { group: String, who: String, role: RoleName },
    /// To take somebody out.
    Remove { group: String, who: String, keep: Vec<String> },
}

impl Group {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.what {
            What::New { name } => {
                let asked = Request::Groups(Asked::New { name: name.clone() });
                let roll: Roll = context.ask_with(&Network::Off, asked).await?;
                context.output.record(&roll, &roll.listed.id)?;
                context.output.say(format_args!("made `{name}`; `pistol group add {name} WHO` takes somebody in"));
                Ok(())
            }
            What::Ls => list(context).await,
            What::Show { name } => tell(context, Asked::Show { group: name }, "").await,
            What::Add { name, who, role } => {
                let said = "added; peers learn of it when they meet this node";
                tell(context, Asked::Add { group: name, who, role }, said).await
            }
            What::Remove { name, who, keep } => {
                let said =
                    "removed; what they wrote last and nobody built on is masked in documents that no --keep named";
                tell(context, Asked::Remove { group: name, who, keep }, said).await
            }
        }
    }
}

async fn tell(context: &Context, asked: Asked, said: &str) -> Result<(), Failure> {
    let roll: Roll = context.ask(Request::Groups(asked)).await?;
    context.output.record(&roll, roll.words())?;
    if !said.is_empty() {
        context.output.say(said);
    }
    Ok(())
}

async fn list(context: &Context) -> Result<(), Failure> {
    let listed: Vec<Listed> = context.ask(Request::List).await?;
    let groups: Vec<Listed> = listed.into_iter().filter(|listed| listed.kind == KindName::Group).collect();
    Listed::print(&groups, context, "no groups yet; `pistol group new NAME` makes one")
}

/// Does what is asked.
pub(crate) async fn execute(node: &Node, asked: Asked) -> Result<Reply, Failure> {
    let group = match asked {
        Asked::New { name } => {
            check_new_name(node, &name)?;
            let group = node.create_group().await.map_err(Failure::of)?;
            node.name(group.id(), &name).await.map_err(Failure::of)?;
            group
        }
        Asked::Show { group } => return roll(node, &find(node, &group).await?),
        Asked::Add { group, who: text, role } => {
            let group = find(node, &group).await?;
            group.add(who(node, &text)?, role.into()).map_err(Failure::of)?;
            group
        }
        Asked::Remove { group, who: text, keep } => {
            let group = find(node, &group).await?;
            let docs = kept(node, &keep).await?;
            group.remove(who(node, &text)?, &docs.iter().collect::<Vec<_>>()).map_err(Failure::of)?;
            group
        }
    };
    group.flush().await.map_err(Failure::of)?;
    roll(node, &group)
}

fn roll(node: &Node, group: &Log) -> Result<Reply, Failure> {
    Reply::new(&Roll::of(node, group.id(), &group.roots(), group.members())?)
}

async fn find(node: &Node, name: &str) -> Result<Log, Failure> {
    let found = node.find_among(name, &[LogKind::Group]).map_err(|error| Failure::of_kind("group", name, error))?;
    node.group(found.id).await.map_err(Failure::of)
}
