use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use iroh::TransportAddr;
use iroh::dns::DnsResolver;
use iroh::endpoint::{Builder, ConnectOptions, ConnectWithOptsError, ConnectingError, presets};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::acceptor::Acceptor;
use super::closing::Closed;
use super::connection::Connection;
use super::limits::Limits;
use super::profile::Profile;
use super::{PROTOCOL, addresses};
use crate::node::NodeId;

/// More places than any machine has memory for, and fewer than the semaphores can count.
const PLACES_MAX: usize = 1 << 20;

/// How an endpoint is made.
pub struct BindOptions {
    /// The secret key of the node on the network: 32 random bytes, not the key of an author.
    pub secret: [u8; 32],
    /// Where to listen, port 0 for any free port; of several in one family the first carries what no other fits. Empty:
    /// all interfaces, any free port.
    pub listen: Vec<SocketAddr>,
    /// What the connections are tuned for.
    pub profile: Profile,
    /// How long to wait and how much to hold.
    pub limits: Limits,
}

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

/// Why an endpoint could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// An address cannot be listened on.
    #[error("cannot listen at {address}: list each address once")]
    Address {
        /// The address.
        address: SocketAddr,
    },
    /// The system refused a socket.
    #[error("cannot listen: choose another address or port, or end the program that uses it")]
    Socket(#[source] std::io::Error),
    /// The transport could not start.
    #[error("the network could not be started: check the permissions of the program")]
    Transport(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a dial failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The id is no public key.
    #[error("{0} is not the id of a node: ask for a new ticket")]
    NotANode(NodeId),
    /// The id is this node's own.
    #[error("a node cannot connect to itself: use the ticket of another")]
    Own,
    /// No address of the peer is known.
    #[error("no address of the peer is known: ask for a new ticket")]
    NoAddress,
    /// Too many connections are open.
    #[error("{limit} connections are open already: close one first")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// No answer came.
    #[error("the peer did not answer within {limit:?}: check that it runs and is on a network that reaches this one")]
    TimedOut {
        /// The time limit.
        limit: Duration,
    },
    /// The peer has no room.
    #[error("the peer has no room for another connection: try again later")]
    Refused,
    /// Something else answered.
    #[error("the peer does not speak this version of the protocol: update both nodes")]
    OtherProtocol,
    /// The connection ended in the handshake.
    #[error("the handshake failed")]
    Failed(#[source] Closed),
    /// Another node answered at the address, or the transport refused its key.
    #[error("the peer could not prove its id: ask for a new ticket")]
    Unproved,
    /// This endpoint is closed.
    #[error("this node has left the network: open it again")]
    EndpointClosed,
}

impl Endpoint {
    /// Opens the sockets and begins to accept. Asks nobody on the internet.
    ///
    /// # Errors
    /// An address is taken or not this machine's, or the system refuses.
    pub async fn bind(options: BindOptions) -> Result<Self, BindError> {
        let BindOptions {
            secret,
            listen,
            profile,
            limits,
        } = options;
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
        Ok(Self {
            shared: Arc::new(shared),
        })
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
        let place = places
            .try_acquire_owned()
            .map_err(|_| ConnectError::TooMany { limit })?;
        let limit = self.shared.limits.dial;
        let dial = self.dial(node, addresses);
        let connection = timeout(limit, dial)
            .await
            .map_err(|_| ConnectError::TimedOut { limit })??;
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

/// Adds the sockets. The transport wants the one that carries everything else last in its family.
fn listening(builder: Builder, listen: &[SocketAddr]) -> Result<Builder, BindError> {
    if listen.is_empty() {
        return Ok(builder);
    }
    let mut builder = builder.clear_ip_transports();
    let is_first =
        |address: &SocketAddr| listen.iter().find(|other| other.is_ipv4() == address.is_ipv4()) == Some(address);
    let (first, others): (Vec<_>, Vec<_>) = listen.iter().copied().partition(is_first);
    for address in others {
        let options = iroh::endpoint::BindOpts::default().set_prefix_len(if address.is_ipv4() { 24 } else { 64 });
        builder = builder
            .bind_addr_with_opts(address, options)
            .map_err(|_| BindError::Address { address })?;
    }
    for address in first {
        builder = builder.bind_addr(address).map_err(|_| BindError::Address { address })?;
    }
    Ok(builder)
}

impl From<iroh::endpoint::BindError> for BindError {
    fn from(error: iroh::endpoint::BindError) -> Self {
        match error {
            iroh::endpoint::BindError::Sockets { source, .. } => Self::Socket(source),
            other => Self::Transport(Box::new(other)),
        }
    }
}

impl From<ConnectWithOptsError> for ConnectError {
    fn from(error: ConnectWithOptsError) -> Self {
        match error {
            ConnectWithOptsError::SelfConnect { .. } => Self::Own,
            ConnectWithOptsError::NoAddress { .. } => Self::NoAddress,
            _ => Self::EndpointClosed,
        }
    }
}

impl From<ConnectingError> for ConnectError {
    fn from(error: ConnectingError) -> Self {
        match error {
            ConnectingError::ConnectionError { source, .. } => Closed::from(source).into(),
            ConnectingError::HandshakeFailure { .. } => Self::Unproved,
            _ => Self::EndpointClosed,
        }
    }
}

impl From<Closed> for ConnectError {
    fn from(closed: Closed) -> Self {
        /// RFC 9000, section 20.1: refused; and the alert of TLS that no protocol is shared (RFC 7301).
        const REFUSED: u64 = 0x2;
        const NO_APPLICATION_PROTOCOL: u64 = 0x100 + 120;
        match closed {
            Closed::Transport { code: REFUSED } => Self::Refused,
            Closed::Transport {
                code: NO_APPLICATION_PROTOCOL,
            } => Self::OtherProtocol,
            other => Self::Failed(other),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}
