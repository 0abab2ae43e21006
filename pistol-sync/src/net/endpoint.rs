//! This node's place on the network.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use iroh::TransportAddr;
use iroh::dns::DnsResolver;
use iroh::endpoint::{ConnectOptions, presets};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::acceptor::Acceptor;
use super::bind::{BindError, BindOptions, listening};
use super::connection::Connection;
use super::dial::ConnectError;
use super::limits::Limits;
use super::{PROTOCOL, addresses};
use crate::node::NodeId;

/// More places than any machine has memory for, and fewer than the semaphores can count.
const PLACES_MAX: usize = 1 << 20;

/// The place of a node on the network: dials, and accepts those who dial. Clones are the same endpoint.
#[derive(Clone)]
pub struct Endpoint {
    shared: Arc<Shared>,
}

struct Shared {
    iroh: iroh::Endpoint,
    dialling: ConnectOptions,
    limits: Limits,
    connections_dialled: Arc<Semaphore>,
    ready: Mutex<mpsc::Receiver<Connection>>,
    /// The one task of the acceptor, which ends with the endpoint.
    acceptor: Mutex<JoinSet<()>>,
}

impl Endpoint {
    /// Opens the sockets and begins to accept. Asks nobody on the internet.
    ///
    /// # Errors
    /// An address is taken or not this machine's, or the system refuses.
    pub async fn bind(options: BindOptions) -> Result<Self, BindError> {
        let BindOptions { secret, listen, profile, limits } = options;
        let builder = iroh::Endpoint::builder(presets::Minimal)
            .secret_key(iroh::SecretKey::from_bytes(&secret))
            .alpns(vec![PROTOCOL.to_vec()])
            .transport_config(profile.transport(1))
            // There are no names to resolve, and public servers would be asked without this.
            .dns_resolver(DnsResolver::builder().disable_fallback().build());
        let iroh = listening(builder, &listen)?.bind().await?;
        let (sender, ready) = mpsc::channel(limits.handshakes.clamp(1, PLACES_MAX));
        let acceptor = Acceptor {
            endpoint: iroh.clone(),
            limits: limits.clone(),
            connections: Arc::new(Semaphore::new(limits.connections_accepted.min(PLACES_MAX))),
            ready: sender,
        };
        let shared = Shared {
            iroh,
            dialling: ConnectOptions::new().with_transport_config(profile.transport(0)),
            connections_dialled: Arc::new(Semaphore::new(limits.connections_dialled.min(PLACES_MAX))),
            limits,
            ready: Mutex::new(ready),
            acceptor: Mutex::new([acceptor.run()].into_iter().collect()),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The public key of this node.
    pub fn id(&self) -> NodeId {
        NodeId(*self.shared.iroh.id().as_bytes())
    }

    /// Where other machines may reach this node now, likeliest first, at most 8; those of this machine alone when there
    /// are no others.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        addresses::told(self.shared.iroh.addr().ip_addrs().copied())
    }

    /// Dials a node, at the first 8 of its addresses at once. Two nodes that dial each other get two connections:
    /// [`super::keeps`] says which stays.
    ///
    /// # Errors
    /// Those of [`ConnectError`], at the latest after the time limit for dials.
    ///
    /// # Cancel safety
    /// Cancellation-safe: the dial is given up.
    pub async fn connect(&self, node: NodeId, addresses: &[SocketAddr]) -> Result<Connection, ConnectError> {
        let limit = self.shared.limits.connections_dialled;
        let places = self.shared.connections_dialled.clone();
        let place = places.try_acquire_owned().map_err(|_| ConnectError::TooMany { limit })?;
        let limit = self.shared.limits.dial;
        let dial = self.dial(node, addresses);
        let connection = timeout(limit, dial).await.map_err(|_| ConnectError::TimedOut { limit })??;
        Connection::new(connection, self.shared.limits.clone(), place).ok_or(ConnectError::Unproved)
    }

    /// Waits for the next node that has dialled this one and finished its handshake. `None` after [`Endpoint::close`].
    ///
    /// # Cancel safety
    /// Cancellation-safe.
    pub async fn accept(&self) -> Option<Connection> {
        let mut ready = self.shared.ready.lock().await;
        loop {
            let connection = ready.recv().await?;
            if connection.is_open() {
                return Some(connection);
            }
        }
    }

    /// Says that the network may have changed, as after sleep. Harmless when it has not.
    pub async fn network_change(&self) {
        self.shared.iroh.network_change().await;
    }

    /// Ends every connection, tells the peers, and waits for them to hear of it, within the time limit for closing.
    pub async fn close(&self) {
        // A peer that cannot hear of it will notice the silence.
        let _ = timeout(self.shared.limits.close, self.shared.iroh.close()).await;
        self.shared.acceptor.lock().await.shutdown().await;
    }

    async fn dial(&self, node: NodeId, at: &[SocketAddr]) -> Result<iroh::endpoint::Connection, ConnectError> {
        let id = iroh::EndpointId::from_bytes(&node.0).map_err(|_| ConnectError::NotANode(node))?;
        let peer = iroh::EndpointAddr::from_parts(id, addresses::dialled(at).map(TransportAddr::Ip));
        let options = self.shared.dialling.clone();
        let connecting = self.shared.iroh.connect_with_opts(peer, PROTOCOL, options).await?;
        Ok(connecting.await?)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("id", &self.id()).finish_non_exhaustive()
    }
}
