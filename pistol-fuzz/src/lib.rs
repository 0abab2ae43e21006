//! Hostile bytes and hostile histories, given by the million to everything of Pistol that takes bytes from outside.
//!
//! It is deliberately not: a fuzzer that learns. Every input follows from a seed and a number, so that a finding is
//! replayed by one command, on any machine, and a run in CI always tries the same. `fuzz/` holds the targets that learn;
//! they call the same functions.
//!
//! Architecture Invariant: an input reaches the code as a peer's bytes would, in the order decode, verify, check, accept,
//! project. What was mutated inside is signed again by its author's key, so that signatures hide nothing behind them.
//!
//! Architecture Invariant: what an input does is a function of its seed, its entry and its number.

pub mod chance;
pub mod entry;
pub mod finding;
pub mod history;
pub mod measure;
pub mod mutate;
pub mod report;
pub mod sealing;
