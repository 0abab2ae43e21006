//! How two nodes come to hold the same envelopes: `proto` is a state machine without IO, `net` puts its frames on iroh.
//!
//! It is deliberately not a judge: it moves envelopes and never decides what they are worth.

pub mod limits;
#[cfg(feature = "iroh")]
pub mod net;
pub mod node;
pub mod proto;
