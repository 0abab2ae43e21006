//! Rows of the catalogue of access: each a small story with the verdict that the rules' words give it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod devices;
mod first_writer;
mod quotas;
mod readings;
mod release;
mod revocation;
mod scene;
mod spaces;
