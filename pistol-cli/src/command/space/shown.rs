//! A space as it is shown: its members, its documents with their place, and its names.

use pistol::{Claimant, Naming, Node, Place, Space, SpaceDocument, Subject};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::policy::PolicyName;
use crate::roll::Roll;
use crate::who;

/// All of a space.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    roll: Roll,
    is_released: bool,
    /// Whether this store's author may add documents and claim names.
    may_add: bool,
    documents: Vec<Held>,
    names: Vec<Named>,
}

/// A document that says it belongs to a space.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Held {
    id: String,
    name: Option<String>,
    policy: PolicyName,
    /// In one word, whether it does.
    place: String,
    /// Why, in words.
    why: String,
}

/// A name in a space.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Named {
    name: String,
    /// Whether it is confirmed, in one word.
    state: String,
    /// How many claims there are.
    count: usize,
    /// Those between which nothing decides, as many as are listed; one, if that is decided.
    claims: Vec<Claimed>,
}

/// What somebody says that a name names.
#[derive(Debug, Serialize, Deserialize)]
struct Claimed {
    /// The form of the name that nobody else has.
    form: String,
    /// An author, or `identity:ID`.
    by: String,
    document: String,
}

impl Shown {
    pub(super) fn of(node: &Node, space: &Space) -> Result<Self, Failure> {
        let names = space.names();
        let named = names.into_iter().map(|(name, naming)| Named::of(space, name, naming));
        Ok(Shown {
            roll: Roll::of(node, space.id(), &space.roots(), space.members())?,
            is_released: space.is_released(),
            may_add: space.may_add(),
            documents: space.documents().into_iter().map(Held::from).collect(),
            names: named.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.roll.listed.id
    }

    pub(super) fn words(&self) -> String {
        let mut lines = vec![self.roll.words()];
        lines.extend(self.is_released.then(|| "released: no revocation, ban or removal counts, for ever".to_owned()));
        let may_add = if self.may_add { "you may add documents" } else { "you may not add documents" };
        lines.push(may_add.to_owned());
        lines.extend(self.documents.iter().map(|held| format!("document  {}", held.words())));
        lines.extend(self.names.iter().map(|named| format!("name  {}", named.words())));
        lines.join("\n")
    }
}

impl Held {
    pub(super) fn words(&self) -> String {
        let Held { id, policy, place, why, .. } = self;
        let name = self.name.as_deref().unwrap_or("-");
        let why = if place == "here" { String::new() } else { format!(": {why}") };
        format!("{name}  {id}  {policy}  {place}{why}")
    }
}

impl From<SpaceDocument> for Held {
    fn from(document: SpaceDocument) -> Self {
        let place = match document.place {
            Place::Here => "here",
            Place::Pending(_) => "pending",
            Place::Refused(_) => "refused",
            Place::Masked(_) => "masked",
            Place::Removed(_) => "removed",
            _ => "unknown",
        };
        Held {
            id: document.id.to_string(),
            name: document.name,
            policy: document.policy.into(),
            place: place.to_owned(),
            why: document.why,
        }
    }
}

impl Named {
    pub(super) fn of(space: &Space, name: String, naming: Naming) -> Result<Self, Failure> {
        let (state, count, claims) = match naming {
            Naming::Unconfirmed(claim) => ("unconfirmed", 1, vec![claim]),
            Naming::Confirmed(claim) => ("confirmed", 1, vec![claim]),
            Naming::ByClaimant(claim) => ("by-claimant", 1, vec![claim]),
            Naming::Contested { claims, count } => ("contested", count, claims),
            _ => ("unclaimed", 0, Vec::new()),
        };
        let label = name.split('~').next().unwrap_or_default();
        let claimed = |claim: pistol::Claim| {
            let by = match claim.claimant {
                Claimant::Key(key) => Subject::Key(key),
                Claimant::Identity(id) => Subject::Identity(id),
            };
            let form = space.form_of(label, &claim.claimant).map_err(Failure::of)?;
            Ok(Claimed { form, by: who::words(&by), document: claim.target.to_string() })
        };
        let claims = claims.into_iter().map(claimed).collect::<Result<_, Failure>>()?;
        Ok(Named { name, state: state.to_owned(), count, claims })
    }

    pub(super) fn words(&self) -> String {
        let Named { name, state, count, claims } = self;
        let [Claimed { document, by, .. }] = claims.as_slice() else {
            let list = claims.iter().map(|claim| format!("{} for {} by {}", claim.form, claim.document, claim.by));
            let more = match count.saturating_sub(claims.len()) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            return format!("{name}  {state}: {}{more}", list.collect::<Vec<_>>().join("; "));
        };
        let state = match state.as_str() {
            "unconfirmed" => "unconfirmed: until an admin confirms it a rival may turn up",
            "by-claimant" => "by its claimant: nobody else has these digits",
            state => state,
        };
        format!("{name}  {document}  by {by}  {state}")
    }
}
