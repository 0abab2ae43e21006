//! How an endpoint is made, and why it could not be.

use std::net::SocketAddr;

use iroh::endpoint::{BindOpts, Builder};

use super::limits::Limits;
use super::profile::Profile;

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

/// Adds the sockets. The transport wants the one that carries everything else last in its family.
pub(super) fn listening(builder: Builder, listen: &[SocketAddr]) -> Result<Builder, BindError> {
    if listen.is_empty() {
        return Ok(builder);
    }
    let mut builder = builder.clear_ip_transports();
    let is_first =
        |address: &SocketAddr| listen.iter().find(|other| other.is_ipv4() == address.is_ipv4()) == Some(address);
    let (first, others): (Vec<_>, Vec<_>) = listen.iter().copied().partition(is_first);
    for address in others {
        let options = BindOpts::default().set_prefix_len(if address.is_ipv4() { 24 } else { 64 });
        builder = builder.bind_addr_with_opts(address, options).map_err(|_| BindError::Address { address })?;
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
