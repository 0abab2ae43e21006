//! Connections between nodes, on iroh (QUIC): an endpoint dials and accepts, a connection carries frames on one stream.
//!
//! Nothing here asks anyone on the internet: no relay, no lookup, no DNS. Nothing here knows what a frame says. A
//! connection is disposable: when anything goes wrong it ends, and whoever owns it dials again.

mod acceptor;
mod addresses;
mod bind;
mod closing;
mod connection;
mod dial;
mod endpoint;
mod frame_receiver;
mod frame_sender;
mod limits;
mod profile;
mod progress;

pub use crate::node::keeps;
pub use bind::{BindError, BindOptions};
pub use closing::{CloseReason, Closed};
pub use connection::{Connection, OpenError, Traffic};
pub use dial::ConnectError;
pub use endpoint::Endpoint;
pub use frame_receiver::{FrameReceiver, ReceiveError};
pub use frame_sender::{FrameSender, SendError};
pub use limits::Limits;
pub use profile::Profile;

/// The protocol that both sides name in the handshake. Another version of the wire has another name.
const PROTOCOL: &[u8] = b"pistol/1";
