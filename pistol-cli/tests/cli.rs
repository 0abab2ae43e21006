//! The command line as a person meets it: the real program, in processes of its own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what tests share is test code too")]

#[path = "cli/documents.rs"]
mod documents;
#[path = "cli/editing.rs"]
mod editing;
#[path = "cli/failures.rs"]
mod failures;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/running_node.rs"]
mod running_node;
#[path = "cli/sharing.rs"]
mod sharing;
