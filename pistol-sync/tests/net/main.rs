//! Two nodes on the loopback of one machine. No test depends on how fast that is: what must be waited for is waited for,
//! and a limit that is meant to be reached is short.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

mod bounds;
mod dials;
mod endings;
mod frames;
mod peers;
