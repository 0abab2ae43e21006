//! `pistol ls`: shows which documents, identities, groups and spaces there are.

use pistol::{DocumentId, DocumentInfo, Node};
use serde::{Deserialize, Serialize};

use super::Context;
use super::space::Asked;
use crate::failure::{Exit, Failure};
use crate::kind::KindName;
use crate::policy::PolicyName;
use crate::request::Request;

/// Lists the documents of the store, and its identities, groups and spaces
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol ls\n  pistol ls club --json")]
pub(crate) struct Ls {
    /// A space's name, or the beginning of its id: lists the documents that are in it
    space: Option<String>,
}

/// A document in a list, or an identity, a group or a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// Its id.
    pub(crate) id: String,
    /// What it is.
    pub(crate) kind: KindName,
    /// What its user calls it.
    pub(crate) name: Option<String>,
    /// Who may change it.
    pub(crate) policy: PolicyName,
    /// Whether anybody may read it.
    pub(crate) is_public: bool,
}

impl Ls {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        if let Some(space) = self.space {
            let documents: Vec<Listed> =
                context.ask(Request::Spaces(Asked::Documents { space: space.clone() })).await?;
            let hint = format!("no documents in it yet; `pistol new NAME --space {space}` makes one");
            return Listed::print(&documents, context, &hint);
        }
        let documents: Vec<Listed> = context.ask(Request::List).await?;
        Listed::print(&documents, context, "no documents yet; `pistol new NAME` makes one")
    }
}

impl Listed {
    /// Prints a list, or a hint if there is nothing in it.
    pub(crate) fn print(list: &[Self], context: &Context, hint: &str) -> Result<(), Failure> {
        let width = list.iter().map(|listed| listed.shown_name().chars().count()).max().unwrap_or(0);
        for listed in list {
            let name = listed.shown_name();
            context.output.record(listed, format_args!("{name:width$}  {}  {}", listed.id, listed.sort()))?;
        }
        if list.is_empty() {
            context.output.say(hint);
        }
        Ok(())
    }

    /// The policy of a document; what it is of anything else.
    pub(crate) fn sort(&self) -> String {
        if self.kind == KindName::Document { self.policy.to_string() } else { self.kind.to_string() }
    }

    /// A document that the node has.
    pub(crate) fn of(node: &Node, id: DocumentId) -> Result<Self, Failure> {
        node.document_info(id).map(Listed::from).ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("the document {id} is gone"), "`pistol ls` shows what there is")
        })
    }

    /// What is named by name, then the others.
    pub(crate) fn sort_by_name(list: &mut [Self]) {
        list.sort_by(|a, b| (a.name.is_none(), &a.name, &a.id).cmp(&(b.name.is_none(), &b.name, &b.id)));
    }

    /// The name, or a dash.
    pub(crate) fn shown_name(&self) -> &str {
        self.name.as_deref().unwrap_or("-")
    }
}

impl From<DocumentInfo> for Listed {
    fn from(document: DocumentInfo) -> Self {
        Listed {
            id: document.id.to_string(),
            kind: document.kind.into(),
            name: document.name,
            policy: document.policy.into(),
            is_public: document.is_public,
        }
    }
}

/// All that the store holds, documents, identities, groups and spaces.
pub(crate) fn everything(node: &Node) -> Vec<DocumentInfo> {
    [node.documents(), node.identities(), node.groups(), node.spaces()].concat()
}

/// Lists all of it.
pub(crate) fn execute(node: &Node) -> Vec<Listed> {
    let mut documents: Vec<Listed> = everything(node).into_iter().map(Listed::from).collect();
    Listed::sort_by_name(&mut documents);
    documents
}
