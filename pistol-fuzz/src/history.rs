//! Histories: honest ones, what hostile authors may add to them, and replicas that must agree on what became of it.

mod deliver;
mod draft;
mod forge;
mod hand;
pub mod kinds;
pub mod replica;
mod seen;
pub mod stage;

pub use deliver::{any_history, deliver, deliver_among_first_writers, deliver_kind, deliver_live};
pub use kinds::{Expected, Kind};
