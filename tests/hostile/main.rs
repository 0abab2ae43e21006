//! Every hostile input that was ever thought of, by name: the table of what breaks Automerge, and the catalogue of the
//! design. Three replicas, many orders of arrival, with saving, loading and crashing in between; all must agree.
//!
//! `HOSTILE_SEEDS=first..end` gives other orders than those that are tried by themselves.

#![allow(missing_docs, unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

mod chains;
mod connection;
mod floods;
mod forks;
#[path = "../../pistol-core/tests/support/hand.rs"]
mod hand;
mod inexpressible;
#[allow(dead_code, reason = "shared with the tests of honest edits")]
mod machine;
mod records;
mod scene;
mod stage;
#[path = "../../pistol-core/tests/support/replica.rs"]
mod support;
mod table;
