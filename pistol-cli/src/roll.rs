//! Who is in an identity, a group or a space, as it is shown.

use pistol::{DocumentId, Member, Node, Subject};
use serde::{Deserialize, Serialize};

use crate::command::grant::RoleName;
use crate::command::ls::Listed;
use crate::failure::Failure;
use crate::who;

/// Somebody's part.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    /// An author, or what `pistol grant` takes for an identity or a group.
    pub(crate) who: String,
    /// What that is called here.
    pub(crate) name: Option<String>,
    /// What they may.
    pub(crate) role: RoleName,
    /// The author who gave it.
    pub(crate) by: String,
    /// Whether it is this store's author.
    pub(crate) is_you: bool,
}

/// An identity with its devices, or a group or a space with its members.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Roll {
    #[serde(flatten)]
    pub(crate) listed: Listed,
    /// The keys to whom it belongs.
    pub(crate) roots: Vec<String>,
    /// Who is in it.
    pub(crate) members: Vec<Part>,
}

impl Part {
    /// A part, as the node knows it.
    pub(crate) fn of(node: &Node, member: &Member) -> Self {
        Part {
            who: who::words(&member.subject),
            name: who::name(node, &member.subject),
            role: member.role.into(),
            by: member.by.to_string(),
            is_you: member.subject == Subject::Key(node.author()),
        }
    }

    /// A line of it.
    pub(crate) fn words(&self) -> String {
        let name = self.name.as_ref().map(|name| format!("  {name}")).unwrap_or_default();
        let you = if self.is_you { "  (you)" } else { "" };
        format!("{:6}  {}{name}{you}", self.role.word(), self.who)
    }
}

impl Roll {
    /// What the log says. Of several parts of one the strongest counts.
    pub(crate) fn of(
        node: &Node,
        id: DocumentId,
        roots: &[pistol::Author],
        mut members: Vec<Member>,
    ) -> Result<Self, Failure> {
        members.sort_by_key(|member| (member.subject, std::cmp::Reverse(member.role)));
        members.dedup_by_key(|member| member.subject);
        members.sort_by_key(|member| (std::cmp::Reverse(member.role), member.subject));
        Ok(Roll {
            listed: Listed::of(node, id)?,
            roots: roots.iter().map(ToString::to_string).collect(),
            members: members.iter().map(|member| Part::of(node, member)).collect(),
        })
    }

    /// The lines of it.
    pub(crate) fn words(&self) -> String {
        let Listed { kind, id, .. } = &self.listed;
        let head = format!("{kind}  {}  {id}", self.listed.shown_name());
        let roots = self.roots.iter().map(|root| format!("root    {root}"));
        std::iter::once(head).chain(roots).chain(self.members.iter().map(Part::words)).collect::<Vec<_>>().join("\n")
    }
}
