//! A slow oracle for the rules of access: who may change what, transcribed from the design's words as plainly as can be.
//!
//! It takes a [`World`]: logs, operations and changes as plain data with small numbers for ids, in any order, with anything
//! missing, forked, backdated or repeated. [`World::judge`] says of each operation and change what the rules make of it, and
//! why. `World::random` makes such worlds from a seed, and a world's `Display` tells it as a story.
//!
//! It is deliberately not: fast, incremental, or part of the product. It knows no bytes, hashes or signatures, and it uses
//! no other crate, so that it can share no mistake with the code that it judges. Tests and the bench may use it, and nothing else.
//!
//! Architecture Invariant: it was written from the rules alone, without reading `pistol-acl`. Where the two differ, one of
//! them misread the rules.
//!
//! Architecture Invariant: a verdict is a function of the set, so nothing here keeps state between two judgements.
//!
#![doc = include_str!("readings.md")]

mod acceptance;
mod authority;
mod first_writer;
mod judgement;
mod known;
mod names;
mod random;
mod release;
mod slot;
mod space;
mod validity;
mod verdict;
mod world;

pub use first_writer::{Element, Key, Place, Rule, Verb, Write, broken_rules};
pub use judgement::Judgement;
pub use names::{Claim, Naming};
pub use random::{Chance, Size};
pub use release::verify_release;
pub use slot::{Candidate, Slot, Witness, read_slot};
pub use verdict::{Fault, Mask, Missing, Standing, State, Verdict, Why};
pub use world::{
    Action, Author, Change, ChangeId, Home, Insert, Kept, Kind, Limits, Log, LogId, Mode, Operation, OperationId,
    Person, Policy, Revocation, Role, Subject, World,
};
