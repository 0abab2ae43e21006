//! Takes connections: handshakes side by side, bounded in number and time.

use std::sync::Arc;

use iroh::endpoint::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::Connection;
use super::limits::Limits;

/// Shakes hands with whoever dials, each in a task of its own, until the endpoint closes.
///
/// The places in `ready` are the bound: one is reserved before a handshake begins and free again when the finished
/// connection is taken, so a stranger who never finishes costs a place for the time limit and blocks nobody else.
pub(super) struct Acceptor {
    pub(super) endpoint: iroh::Endpoint,
    pub(super) limits: Limits,
    pub(super) connections: Arc<Semaphore>,
    pub(super) ready: mpsc::Sender<Connection>,
}

impl Acceptor {
    pub(super) async fn run(self) {
        let mut handshakes = JoinSet::new();
        loop {
            tokio::select! {
                incoming = self.endpoint.accept() => match incoming {
                    Some(incoming) => self.admit(incoming, &mut handshakes),
                    None => return,
                },
                Some(_) = handshakes.join_next() => {}
            }
        }
    }

    fn admit(&self, incoming: Incoming, handshakes: &mut JoinSet<()>) {
        let is_half_full = self.ready.capacity() <= self.ready.max_capacity() / 2;
        if is_half_full && !incoming.remote_addr_validated() {
            // From here on only those get a place who receive at the address that they send from.
            let _ = incoming.retry();
            return;
        }
        let Ok(ready) = self.ready.clone().try_reserve_owned() else {
            return incoming.refuse();
        };
        let Ok(place) = self.connections.clone().try_acquire_owned() else {
            return incoming.refuse();
        };
        let limits = self.limits.clone();
        handshakes.spawn(async move {
            if let Some(connection) = shake_hands(incoming, limits, place).await {
                ready.send(connection);
            }
        });
    }
}

/// `None` when the other side failed: a stranger's fault is nobody's error here.
async fn shake_hands(incoming: Incoming, limits: Limits, place: OwnedSemaphorePermit) -> Option<Connection> {
    let accepted = timeout(limits.handshake, incoming.into_future()).await.ok()?.ok()?;
    Connection::new(accepted, limits, place)
}
