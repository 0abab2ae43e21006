//! `pistol compact`: makes the store's file as small as what it holds.

use serde::Serialize;

use super::Context;
use crate::failure::Failure;
use crate::store::check_exists;

/// Makes the store's file as small as what it holds; no node may be running
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol compact\n  pistol compact --json")]
pub(crate) struct Compact {}

/// What it came to.
#[derive(Debug, Serialize)]
struct Done {
    bytes_before: u64,
    bytes_after: u64,
}

impl Compact {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        check_exists(&context.folder)?;
        let compacted = pistol::compact(&context.folder).await.map_err(Failure::of)?;
        let done = Done { bytes_before: compacted.bytes_before, bytes_after: compacted.bytes_after };
        let words = format_args!("the store took {} bytes and takes {} now", done.bytes_before, done.bytes_after);
        context.output.record(&done, words)
    }
}
