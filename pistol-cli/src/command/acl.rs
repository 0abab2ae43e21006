//! `pistol acl`: shows who may do what in a document, and why a change is part of it or not.

use pistol::{ChangeId, Explanation, Node};
use serde::{Deserialize, Serialize};

use super::Context;
use crate::execute::load;
use crate::failure::{Exit, Failure};
use crate::policy::PolicyName;
use crate::request::Request;

/// Shows who may do what in a document, and why
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol acl notes\n  pistol acl notes --why 5a1f")]
pub(crate) struct Acl {
    /// The document's name, or the beginning of its id
    document: String,
    /// The beginning of a change's id: says what became of it, and why
    #[arg(long, value_name = "CHANGE")]
    why: Option<String>,
}

/// Who may do what.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Access {
    policy: PolicyName,
    /// This node's author.
    you: String,
    rules: Vec<String>,
}

/// What became of a change.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Explained {
    change: String,
    state: String,
    author: Option<String>,
    why: String,
}

impl Acl {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let document = self.document;
        let Some(change) = self.why else {
            let rules: Access = context.ask(Request::Rules { document }).await?;
            return context.output.record(&rules, rules.words());
        };
        let said: Explained = context.ask(Request::Why { document, change }).await?;
        context.output.record(&said, format_args!("{}: {}", said.change, said.why))
    }
}

impl Access {
    fn words(&self) -> String {
        let rules = self.rules.iter().map(|rule| format!("  {rule}"));
        let head = [format!("{}; you are {}", self.policy, self.you)];
        head.into_iter().chain(rules).collect::<Vec<_>>().join("\n")
    }
}

/// Who may do what in a document.
pub(crate) async fn rules(node: &Node, document: &str) -> Result<Access, Failure> {
    let doc = load(node, document).await?;
    Ok(Access { policy: doc.policy().into(), you: node.author().to_string(), rules: doc.rules() })
}

/// What became of a change: of one that is part of the document the beginning of its id is enough.
pub(crate) async fn why(node: &Node, document: &str, change: &str) -> Result<Explained, Failure> {
    let doc = load(node, document).await?;
    let known = doc.history().into_iter().map(|entry| entry.id);
    let mut begun = known.filter(|id| !change.is_empty() && id.to_string().starts_with(change));
    let id = match (begun.next(), begun.next()) {
        (Some(id), None) => id,
        (Some(_), Some(_)) => return Err(Failure::usage(format!("several changes begin with `{change}`"), LOG)),
        (None, _) => change.parse::<ChangeId>().map_err(|_| {
            Failure::new(Exit::NotFound, format!("no change of `{document}` begins with `{change}`"), LOG)
        })?,
    };
    let explanation = doc.explain(&id);
    let (state, author) = match &explanation {
        Explanation::Accepted { author, .. } => ("accepted", Some(author.to_string())),
        Explanation::Refused { .. } => ("refused", None),
        Explanation::Waiting => ("waiting", None),
        _ => ("unknown", None),
    };
    Ok(Explained { change: id.to_string(), state: state.to_owned(), author, why: explanation.to_string() })
}

const LOG: &str = "`pistol log DOCUMENT --json` shows the ids of its changes";
