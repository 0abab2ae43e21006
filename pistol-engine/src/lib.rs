//! One Pistol node as a deterministic state machine.
//!
//! It is deliberately not: a socket, a file, a thread, or a clock. Whoever runs it (the SDK with tokio, redb and iroh;
//! the simulator with none of them) gives it [`Input`]s and carries out its [`Effect`]s, in order.
//!
//! It has two doors. [`Engine::handle`] takes what happens, on one thread. [`Documents`] is shared by all threads of an
//! application: an edit locks its own document only, and never waits for the disk, the network, or another document.
//!
//! Architecture Invariant: nothing leaves a node before it is durable there. A change is in an [`Effect::Send`] only
//! after the [`Effect::Store`] that holds it was answered by [`Input::Stored`].
//!
//! Architecture Invariant: at most one [`Effect::Store`] is outstanding; what gathers meanwhile goes into the next.
//!
//! Architecture Invariant: the same inputs give the same effects.

mod catalog;
mod documents;
mod effect;
mod engine;
mod entropy;
pub mod export;
mod input;
pub mod limits;
mod other_log;
mod recent;
mod replica;
mod room;
mod salvage;
mod turns;

pub use catalog::{Catalog, Entry};
pub use documents::{Documents, Edited, Insight, Pin, Screen, UnknownDocument};
pub use effect::{Effect, Reply, ReplyError};
pub use engine::{CacheState, Contact, Engine, Opening, Start, inspect_cache, is_peer, places};
pub use entropy::Entropy;
pub use input::{Address, Command, ConnectionId, Input, Now, ReadId, Token, Unreadable};
pub use limits::{OPEN_BYTES, SNAPSHOT_CHANGES};
pub use replica::{DocumentState, OperateError, PeerState, PeerView, Saved, Saving, Verdict};
pub use salvage::{Elsewhere, Inspection, Salvage};
pub use turns::{Turn, Turns, carried_us};
