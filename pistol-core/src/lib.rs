//! What things *are* in Pistol: identities, signed records, their validation, and the documents projected from them.
//!
//! It is deliberately not: a network, a clock, a source of randomness, or a judge of permissions. Time, randomness and
//! storage are arguments. Only the feature `redb` does IO, in `store::redb` alone.
//!
//! Architecture Invariant: no foreign Automerge byte exists here. Records are Pistol's own canonical bytes; Automerge
//! sees only operations that this crate computed from validated changes.
//!
//! Architecture Invariant: trust lives in types. `Envelope` -> `Verified` -> `Valid`; each is made in one place only.

pub mod chain;
pub mod change;
pub mod codec;
pub mod cut;
mod deflate;
pub mod delta;

pub mod document;
pub mod envelope;
pub mod genesis;
pub mod hash;
pub mod id;
pub mod key;
pub mod limits;
pub mod stamp;
pub mod store;
pub mod validate;

/// Unit tests share the authors of the tests outside, who call the crate by its name.
#[cfg(test)]
extern crate self as pistol_core;
