//! `pistol backup`: copies the whole store while it is used.

use std::path::{Path, PathBuf};

use pistol::Node;
use serde::{Deserialize, Serialize};

use super::Context;
use crate::failure::Failure;
use crate::request::Request;

/// Copies the store and its key into a folder, also while a node runs
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  pistol backup /media/stick/pistol\n  pistol --store /media/stick/pistol backup ./restored"
)]
pub(crate) struct Backup {
    /// The folder; it opens like any store, so to restore it, put it in the place of the old one. It holds the secret key
    folder: PathBuf,
}

/// What was copied.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BackedUp {
    folder: String,
    rows: u64,
    damaged: u64,
    unreadable: u64,
}

impl Backup {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        // The node that holds the store may stand in another folder.
        let folder = std::path::absolute(&self.folder).map_err(|error| Failure::io("find the folder", &error))?;
        let folder = folder.display().to_string();
        let done: BackedUp = context.ask(Request::Backup { folder }).await?;
        context.output.record(&done, format_args!("{} rows copied to {}", done.rows, done.folder))?;
        if done.damaged > 0 {
            context
                .output
                .say(format_args!("{} rows are damaged and were left out; run `pistol doctor`", done.damaged));
        }
        if done.unreadable > 0 {
            context.output.say("a part of the store cannot be read, and was left out; run `pistol doctor`");
        }
        Ok(())
    }
}

/// Copies the store.
pub(crate) async fn execute(node: &Node, folder: &str) -> Result<BackedUp, Failure> {
    let copied = node.backup(Path::new(folder)).await.map_err(Failure::of)?;
    Ok(BackedUp {
        folder: folder.to_owned(),
        rows: copied.rows,
        damaged: copied.damaged,
        unreadable: copied.unreadable,
    })
}
