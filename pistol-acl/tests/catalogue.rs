//! The catalogue of cases of access, rows 30 to 41, 44, 47 and 49 of the design: each told in 200 random orders, with duplicates
//! and in batches, and decided alike by all.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "catalogue/identities.rs"]
mod identities;
#[path = "catalogue/names.rs"]
mod names;
#[path = "catalogue/releases.rs"]
mod releases;
#[path = "catalogue/revocations.rs"]
mod revocations;
#[path = "catalogue/spaces.rs"]
mod spaces;
#[path = "support/story.rs"]
mod story;
