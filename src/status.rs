//! How a document stands: what it holds, what was refused and why, and where each peer is.

use pistol_core::id::ChangeId;
use pistol_core::key::AuthorId;
use pistol_engine::{Insight, PeerState};
use pistol_sync::node::NodeId;

/// The state of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DocStatus {
    /// How many changes were accepted.
    pub changes: u64,
    /// The newest of them.
    pub heads: Vec<ChangeId>,
    /// How it stands with each peer.
    pub peers: Vec<PeerStatus>,
    /// What was refused: the reason, and how often.
    pub refusals: Vec<(String, u64)>,
    /// Authors whose sessions forked: a restored backup, a copied profile, or malice. Nothing was lost.
    pub forks: Vec<AuthorId>,
    /// Changes that are held and not part of the document as things stand, in one with members.
    pub masked: u64,
    /// Changes that wait for others.
    pub waiting: u64,
    /// Those of them that begin chains or forks, of which many came: they are taken in together, with rests.
    pub branches_waiting: u64,
    /// Some of the changes that are waited for, and by how many; no peer has sent them yet.
    pub waits_for: Vec<(ChangeId, u64)>,
    /// Peers that sent what could not be kept, for want of room or since a later version wrote it: they are asked again.
    pub owed: Vec<NodeId>,
    /// What of it was lost in this store and has not come back, in words.
    pub damage: Option<String>,
    /// Why the store does not take anything, if it does not.
    pub store_failure: Option<String>,
}

/// How a document stands with a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerStatus {
    /// Who.
    pub node: NodeId,
    /// The state, with its reason.
    pub state: PeerState,
}

impl DocStatus {
    pub(crate) fn of(insight: &Insight<'_>) -> Self {
        let (history, state) = (insight.document.history(), insight.state);
        let peers = state.peers.iter().map(|(node, view)| PeerStatus { node: *node, state: view.state.clone() });
        DocStatus {
            changes: u64::from(history.next()).saturating_sub(1),
            heads: history.heads().filter_map(|ordinal| history.id(ordinal)).collect(),
            peers: peers.collect(),
            refusals: state.refusals.iter().map(|(reason, count)| (reason.clone(), *count)).collect(),
            forks: state.forks.iter().copied().collect(),
            masked: u64::from(insight.held.next().saturating_sub(history.next())),
            waiting: state.waiting as u64,
            branches_waiting: state.branches_waiting as u64,
            waits_for: state.waits_for.iter().map(|(id, count)| (*id, *count as u64)).collect(),
            owed: state.owed.iter().copied().collect(),
            damage: damage(insight, u64::from(insight.held.next())),
            store_failure: state.store_failure.clone(),
        }
    }
}

fn damage(insight: &Insight<'_>, next: u64) -> Option<String> {
    let unsendable = Some(insight.state.unsendable).filter(|count| *count > 0).map(|count| {
        format!("{count} changes are shown, but lie in damaged rows: they are written again when a peer sends them")
    });
    insight.state.damage.map(|damage| missing(u64::from(damage.expected), next)).or(unsendable)
}

fn missing(expected: u64, next: u64) -> String {
    match expected.saturating_sub(next) {
        0 => "changes may be missing: as many are there as are known of, and it is compared with a peer as soon as one comes"
            .to_owned(),
        missing => format!(
            "{missing} changes were lost here; they come back from peers that hold them, and those that were made here and \
             never sent are lost"
        ),
    }
}
