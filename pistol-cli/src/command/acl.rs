//! `pistol acl`: shows who may do what in a document or a space, and why a change is part of it or not.

use pistol::{ChangeId, Doc, Explanation, Node, Policy};
use serde::{Deserialize, Serialize};

use super::Context;
use super::ls::Listed;
use crate::execute::{load, load_with_members};
use crate::failure::{Exit, Failure};
use crate::kind::KindName;
use crate::policy::PolicyName;
use crate::request::Request;
use crate::roll::Part;

/// Shows who may do what in a document or a space, and why
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol acl notes\n  pistol acl notes --why 5a1f")]
pub(crate) struct Acl {
    /// The name of a document or a space, or the beginning of its id
    document: String,
    /// The beginning of a change's id: says what became of it, and why
    #[arg(long, value_name = "CHANGE")]
    why: Option<String>,
}

/// Who may do what.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Access {
    kind: KindName,
    policy: PolicyName,
    /// This node's author.
    you: String,
    rules: Vec<String>,
    /// Of a document with members, or a space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    members: Option<Members>,
}

/// Who has a part, and what is held and not shown.
#[derive(Debug, Serialize, Deserialize)]
struct Members {
    is_released: bool,
    roots: Vec<String>,
    granted: Vec<Part>,
    masked: Vec<Hidden>,
}

/// A change that is not part of the document as things stand.
#[derive(Debug, Serialize, Deserialize)]
struct Hidden {
    change: String,
    author: String,
    why: String,
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
        let is_space = self.kind == KindName::Space;
        let sort = if is_space { format!("space, {}", self.policy) } else { self.policy.to_string() };
        let head = [format!("{sort}; you are {}", self.you)];
        let members = self.members.iter().flat_map(|members| members.words(is_space));
        head.into_iter().chain(rules).chain(members).collect::<Vec<_>>().join("\n")
    }
}

impl Members {
    fn words(&self, is_space: bool) -> Vec<String> {
        let what = if is_space { "no revocation, ban or removal counts" } else { "everybody changes it" };
        let released = self.is_released.then(|| format!("released: {what}, for ever"));
        let roots = self.roots.iter().map(|root| format!("root    {root}"));
        let granted = self.granted.iter().map(Part::words);
        let masked =
            self.masked.iter().map(|hidden| format!("masked  {} by {}: {}", hidden.change, hidden.author, hidden.why));
        released.into_iter().chain(roots).chain(granted).chain(masked).collect()
    }

    fn of(node: &Node, doc: &Doc, kind: KindName) -> Option<Self> {
        let masked = doc.masked().into_iter().map(|masked| Hidden {
            change: masked.id.to_string(),
            author: masked.author.to_string(),
            why: masked.why,
        });
        let members = || Members {
            is_released: doc.is_released(),
            roots: doc.roots().iter().map(ToString::to_string).collect(),
            granted: doc.members().iter().map(|member| Part::of(node, member)).collect(),
            masked: masked.collect(),
        };
        (doc.policy() == Policy::Members || kind == KindName::Space).then(members)
    }
}

/// Who may do what in a document or a space.
pub(crate) async fn rules(node: &Node, document: &str) -> Result<Access, Failure> {
    let doc = load_with_members(node, document).await?;
    let Listed { kind, policy, .. } = Listed::of(node, doc.id())?;
    let (you, rules) = (node.author().to_string(), doc.rules());
    Ok(Access { kind, policy, you, rules, members: Members::of(node, &doc, kind) })
}

/// What became of a change: of one that is part of the document the beginning of its id is enough.
pub(crate) async fn why(node: &Node, document: &str, change: &str) -> Result<Explained, Failure> {
    let doc = load(node, document).await?;
    let known = doc.history().into_iter().map(|entry| entry.id);
    let known = known.chain(doc.masked().into_iter().map(|masked| masked.id));
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
        Explanation::Masked { author, .. } => ("masked", Some(author.to_string())),
        Explanation::Refused { .. } => ("refused", None),
        Explanation::Waiting => ("waiting", None),
        _ => ("unknown", None),
    };
    Ok(Explained { change: id.to_string(), state: state.to_owned(), author, why: explanation.to_string() })
}

const LOG: &str = "`pistol log DOCUMENT --json` shows the ids of its changes";
