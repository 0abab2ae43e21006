//! What can be told of a document: refusals, forks, and how it stands with each peer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use pistol_core::id::ChangeId;
use pistol_core::key::AuthorId;
use pistol_core::store::schema::Damage;
use pistol_sync::node::NodeId;

use crate::limits;

/// What is known of a document beyond its contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentState {
    /// How it stands with each peer.
    pub peers: BTreeMap<NodeId, PeerView>,
    /// What was refused, by reason.
    pub refusals: BTreeMap<String, u64>,
    /// Authors whose sessions forked: a restored backup, a copied profile, or malice.
    pub forks: BTreeSet<AuthorId>,
    /// Changes that wait for others.
    pub waiting: usize,
    /// Changes that begin chains or forks: after many they are taken in together, with rests, since each makes later edits dearer, and
    /// a fork makes everything shown be made anew.
    pub branches_waiting: usize,
    /// Some of the changes that are waited for, and by how many.
    pub waits_for: Vec<(ChangeId, usize)>,
    /// Peers that sent what could not be kept: they are asked again.
    pub owed: BTreeSet<NodeId>,
    /// Whether the document was opened from a snapshot, so that only what came later was read again.
    pub is_from_snapshot: bool,
    /// What of it was lost here and has not come back.
    pub damage: Option<Damage>,
    /// Changes that are shown and lie in damaged rows: peers cannot be given them until one sends them again.
    pub unsendable: u32,
    /// Why the store does not take anything, if it does not.
    pub store_failure: Option<String>,
}

impl DocumentState {
    /// Notes how it stands with a peer. Strangers who came and went are forgotten when there are many.
    pub(crate) fn note_peer(&mut self, node: NodeId, view: PeerView) {
        self.peers.insert(node, view);
        if self.peers.len() > limits::PEERS_TOLD_MAX {
            let has_gone = |(other, view): &(&NodeId, &PeerView)| {
                **other != node && matches!(view.state, PeerState::NoPath { next_try_ms: None, .. })
            };
            if let Some(gone) = self.peers.iter().find(has_gone).map(|(other, _)| *other) {
                self.peers.remove(&gone);
            }
        }
    }

    pub(crate) fn refuse(&mut self, reason: &str) {
        let is_known = self.refusals.contains_key(reason);
        if is_known || self.refusals.len() < limits::REFUSALS_MAX {
            *self.refusals.entry(reason.to_owned()).or_default() += 1;
        }
    }
}

/// How a document stands with one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerView {
    /// The state, with its reason.
    pub state: PeerState,
    /// Whether the peer is known to have held all of this at some time in this connection, and this node all of its.
    pub was_equal: bool,
}

/// The state of a document with a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerState {
    /// Both hold the same.
    Same,
    /// So many envelopes are on their way to the peer.
    Sending(u64),
    /// The peer holds something that is not here yet.
    Receiving,
    /// The connection is being made.
    Connecting,
    /// The peer refused, and why.
    Refused(String),
    /// There is no connection.
    NoPath {
        /// What happened last.
        last_error: String,
        /// When it is tried next, by the steady clock; none if the peer must come itself.
        next_try_ms: Option<u64>,
    },
}

impl fmt::Display for PeerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeerState::Same => f.write_str("same"),
            PeerState::Sending(count) => write!(f, "sending ({count} envelopes under way)"),
            PeerState::Receiving => f.write_str("receiving"),
            PeerState::Connecting => f.write_str("connecting"),
            PeerState::Refused(why) => write!(f, "refused by the peer: {why}"),
            PeerState::NoPath { last_error, next_try_ms: Some(_) } => {
                write!(f, "no path ({last_error}); trying again")
            }
            PeerState::NoPath { last_error, next_try_ms: None } => write!(f, "not connected ({last_error})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_who_came_and_went_are_forgotten_and_those_who_are_there_are_not() {
        let mut state = DocumentState::default();
        let view = |state| PeerView { state, was_equal: false };
        let node = |number: u32| NodeId(std::array::from_fn(|at| number.to_be_bytes()[at % 4]));
        for number in 0..5000 {
            state.note_peer(node(number), view(PeerState::Same));
            if number % 50 > 0 {
                let last_error = "it left".to_owned();
                state.note_peer(node(number), view(PeerState::NoPath { last_error, next_try_ms: None }));
            }
        }
        assert!((0..5000).step_by(50).all(|number| state.peers.contains_key(&node(number))));
        assert_eq!(state.peers.len(), limits::PEERS_TOLD_MAX);
    }
}
