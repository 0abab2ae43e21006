//! The command line as a person meets it: the real program, in processes of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

#[path = "cli/documents.rs"]
mod documents;
#[path = "cli/editing.rs"]
mod editing;
#[path = "cli/failures.rs"]
mod failures;
#[path = "cli/keeping.rs"]
mod keeping;
#[path = "cli/members.rs"]
mod members;
#[path = "cli/people.rs"]
mod people;
#[path = "cli/people_meet.rs"]
mod people_meet;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/running_node.rs"]
mod running_node;
#[path = "cli/sharing.rs"]
mod sharing;
#[path = "cli/spaces.rs"]
mod spaces;
#[path = "cli/spaces_meet.rs"]
mod spaces_meet;
