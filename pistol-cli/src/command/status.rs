//! `pistol status`: how the node and its documents are, and why.

use std::net::SocketAddr;

use pistol::{Doc, Node, PeerInfo};
use serde::{Deserialize, Serialize};

use super::Context;
use super::ls::{Listed, everything};
use super::space;
use crate::execute::load_any;
use crate::failure::Failure;
use crate::kind::KindName;
use crate::request::Request;

/// Shows the node, its peers, and how each document stands
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol status\n  pistol status notes")]
pub(crate) struct Status {
    /// The name of a document, a space, an identity or a group, or the beginning of its id [default: all of them]
    document: Option<String>,
}

/// How everything is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    node: String,
    author: String,
    addresses: Vec<SocketAddr>,
    is_on_reserve: bool,
    peers: Vec<Peer>,
    documents: Vec<Document>,
    /// What of the store is damaged.
    damage: Vec<String>,
}

/// Another node.
#[derive(Debug, Serialize, Deserialize)]
struct Peer {
    node: String,
    is_connected: bool,
    addresses: Vec<SocketAddr>,
    last_error: Option<String>,
    sent_bytes: u64,
    received_bytes: u64,
}

/// How a document stands.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    #[serde(flatten)]
    listed: Listed,
    /// Of a space: how many documents are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    documents: Option<usize>,
    changes: u64,
    heads: Vec<String>,
    peers: Vec<Standing>,
    refusals: Vec<Refused>,
    forks: Vec<String>,
    #[serde(default)]
    masked: u64,
    waiting: u64,
    branches_waiting: u64,
    waits_for: Vec<Waited>,
    owed: Vec<String>,
    store_failure: Option<String>,
    damage: Option<String>,
}

/// A change that others wait for.
#[derive(Debug, Serialize, Deserialize)]
struct Waited {
    change: String,
    count: u64,
}

/// How a document stands with a peer.
#[derive(Debug, Serialize, Deserialize)]
struct Standing {
    node: String,
    state: String,
}

/// What was refused.
#[derive(Debug, Serialize, Deserialize)]
struct Refused {
    reason: String,
    count: u64,
}

impl Status {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let state: State = context.ask(Request::Status { document: self.document }).await?;
        context.output.record(&state, state.words())
    }
}

impl State {
    fn words(&self) -> String {
        let mut lines = vec![format!("node    {}", self.node), format!("author  {}", self.author)];
        lines.extend(self.addresses.iter().map(|address| format!("listens at {address}")));
        lines.extend(
            self.is_on_reserve.then(|| {
                "the disk is full, and the store writes into its reserve of 4 MiB; free some space".to_owned()
            }),
        );
        lines.extend(self.peers.iter().map(Peer::words));
        lines.extend(self.documents.iter().flat_map(Document::words));
        lines.extend(self.damage.iter().map(|damage| format!("damaged: {damage}")));
        lines.join("\n")
    }
}

impl Peer {
    fn words(&self) -> String {
        let state = match (self.is_connected, &self.last_error) {
            (true, _) => format!("connected, {} bytes sent, {} received", self.sent_bytes, self.received_bytes),
            (false, Some(error)) => format!("not connected: {error}"),
            (false, None) => "not connected".to_owned(),
        };
        format!("peer    {}  {state}", self.node)
    }
}

impl Document {
    fn words(&self) -> Vec<String> {
        let (id, sort) = (&self.listed.id, self.listed.sort());
        let size = match self.documents {
            Some(count) => format!("{count} documents"),
            None => format!("{} changes", self.changes),
        };
        let mut lines = vec![format!("{}  {id}  {sort}  {size}", self.listed.shown_name())];
        lines.extend(self.peers.iter().map(|peer| format!("  peer {}: {}", peer.node, peer.state)));
        lines.extend(
            self.refusals.iter().map(|refused| format!("  refused {} times: {}", refused.count, refused.reason)),
        );
        lines.extend(self.forks.iter().map(|author| {
            format!("  {author} wrote two histories (a restored backup, a copied profile, or malice); both are kept")
        }));
        lines.extend((self.masked > 0).then(|| {
            format!(
                "  {} changes are masked, for their authors may not write; `pistol acl` says whose and why",
                self.masked
            )
        }));
        lines.extend(self.waits_for.iter().map(|Waited { change, count }| {
            format!("  {count} changes wait for change {change}, which no peer has sent yet")
        }));
        let named: u64 = self.waits_for.iter().map(|waited| waited.count).sum();
        lines.extend((self.branches_waiting > 0).then(|| {
            format!(
                "  {} changes that begin new histories wait for a moment, since many came at once",
                self.branches_waiting
            )
        }));
        let unnamed = self.waiting.saturating_sub(named).saturating_sub(self.branches_waiting);
        lines.extend((unnamed > 0).then(|| format!("  {unnamed} more changes wait for others")));
        lines.extend(self.damage.iter().map(|damage| format!("  damaged: {damage}")));
        lines.extend(
            self.owed.iter().map(|node| format!("  peer {node} sent what could not be kept; it is asked again")),
        );
        lines.extend(self.store_failure.iter().map(|reason| format!("  the store has trouble: {reason}")));
        lines
    }

    async fn of(node: &Node, doc: &Doc) -> Result<Self, Failure> {
        let (listed, status) = (Listed::of(node, doc.id())?, doc.status());
        let documents = match listed.kind {
            KindName::Space => Some(space::documents_in(&node.space(doc.id()).await.map_err(Failure::of)?).len()),
            _ => None,
        };
        let standing =
            |peer: pistol::PeerStatus| Standing { node: peer.node.to_string(), state: peer.state.to_string() };
        let waited = |(id, count): &(pistol::ChangeId, u64)| Waited { change: id.to_string(), count: *count };
        let refused = |(reason, count): (String, u64)| Refused { reason, count };
        Ok(Document {
            listed,
            documents,
            changes: status.changes,
            heads: status.heads.iter().map(ToString::to_string).collect(),
            peers: status.peers.into_iter().map(standing).collect(),
            refusals: status.refusals.into_iter().map(refused).collect(),
            forks: status.forks.iter().map(ToString::to_string).collect(),
            masked: status.masked,
            waiting: status.waiting,
            branches_waiting: status.branches_waiting,
            waits_for: status.waits_for.iter().map(waited).collect(),
            owed: status.owed.iter().map(ToString::to_string).collect(),
            store_failure: status.store_failure,
            damage: status.damage,
        })
    }
}

impl From<PeerInfo> for Peer {
    fn from(peer: PeerInfo) -> Self {
        Peer {
            node: peer.node.to_string(),
            is_connected: peer.is_connected,
            addresses: peer.addresses,
            last_error: peer.last_error,
            sent_bytes: peer.sent_bytes,
            received_bytes: peer.received_bytes,
        }
    }
}

/// Looks at everything.
pub(crate) async fn execute(node: &Node, document: Option<&str>) -> Result<State, Failure> {
    let (mut documents, mut damage) = (Vec::new(), node.damage().to_vec());
    if let Some(document) = document {
        documents.push(Document::of(node, &load_any(node, document).await?).await?);
    } else {
        for listed in everything(node) {
            // One that is damaged hides no other.
            match node.held(listed.id).await {
                Ok(doc) => documents.push(Document::of(node, &doc).await?),
                Err(error) => {
                    let name =
                        listed.name.map_or_else(|| listed.id.to_string(), |name| format!("{name} {}", listed.id));
                    damage.push(format!("{name}: {error}"));
                }
            }
        }
    }
    Ok(State {
        node: node.id().to_string(),
        author: node.author().to_string(),
        addresses: node.addresses(),
        is_on_reserve: node.is_on_reserve(),
        peers: node.peers().into_iter().map(Peer::from).collect(),
        documents,
        damage,
    })
}
