//! Waiting until a document is equal to a peer's, or until there is no hope of that.

use std::time::Duration;

use pistol::{Doc, Node, PeerStatus, SyncState};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::failure::{Exit, Failure};

/// How often to look how far it is.
const LOOK: Duration = Duration::from_millis(50);

/// What the user waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Whether to wait for it at all.
    pub(crate) wait: bool,
    /// How long.
    pub(crate) timeout: Duration,
}

impl Terms {
    /// When to give up.
    pub(crate) fn deadline(self) -> Instant {
        Instant::now() + self.timeout
    }
}

/// Milliseconds, as requests carry them.
pub(crate) fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// How waiting ended well.
pub(crate) enum Outcome {
    /// The document is equal to a peer's.
    Equal,
    /// No peer of this node has the document.
    Alone,
}

/// Waits, and tells how the document stands meanwhile.
///
/// Without `wait` it fails as soon as no peer can be reached; it always fails when every peer refuses.
pub(crate) async fn wait_until_equal(
    node: &Node,
    doc: &Doc,
    wait: bool,
    deadline: Instant,
    tell: impl Fn(String),
) -> Result<Outcome, Failure> {
    let before = doc.status().peers;
    node.redial().await.map_err(Failure::of)?;
    let synced = doc.synced(deadline.saturating_duration_since(Instant::now()));
    tokio::pin!(synced);
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            result = &mut synced => return result.map(|()| Outcome::Equal).map_err(Failure::of),
            _ = look.tick() => {
                // In this order: once a peer was tried, the documents that it has say so.
                let is_tried = every_peer_was_tried(node);
                let peers = doc.status().peers;
                if peers.is_empty() && is_tried {
                    return Ok(Outcome::Alone);
                }
                hope(&peers, &before, wait)?;
                tell(states(&peers));
            }
        }
    }
}

fn every_peer_was_tried(node: &Node) -> bool {
    node.peers().iter().all(|peer| peer.is_connected || peer.last_error.is_some())
}

/// Fails if the document will not become equal. How a peer stood before it was tried again says nothing.
fn hope(peers: &[PeerStatus], before: &[PeerStatus], wait: bool) -> Result<(), Failure> {
    let refuses = |peer: &PeerStatus| matches!(peer.state, SyncState::Refused(_));
    let is_away = |peer: &PeerStatus| match peer.state {
        SyncState::NoPath { next_try_ms: Some(_), .. } => !before.contains(peer),
        SyncState::NoPath { next_try_ms: None, .. } => true,
        _ => false,
    };
    if peers.is_empty() || !peers.iter().all(|peer| refuses(peer) || is_away(peer)) {
        return Ok(());
    }
    if peers.iter().all(refuses) {
        let help = "ask for a new ticket, and join again";
        return Err(Failure::new(Exit::Refused, format!("the other side refuses: {}", states(peers)), help));
    }
    if wait {
        return Ok(());
    }
    let help = "check that `pistol share` runs on the other side, or keep trying with --wait";
    Err(Failure::new(Exit::NoPeer, format!("no peer can be reached: {}", states(peers)), help))
}

fn states(peers: &[PeerStatus]) -> String {
    let states: Vec<String> = peers.iter().map(|peer| peer.state.to_string()).collect();
    if states.is_empty() { "looking for peers".to_owned() } else { states.join("; ") }
}

/// There is nobody to be equal with.
pub(crate) fn nobody() -> Failure {
    let help = "invite somebody with `pistol share`, or join a document with `pistol join`";
    Failure::new(Exit::NoPeer, "no peer is known who has it too", help)
}
