//! The protocol without IO: what two nodes say, and what each remembers of the other.

pub mod frame;
pub mod heads;
pub mod keys;
pub mod listing;
pub mod message;
pub mod proof;
