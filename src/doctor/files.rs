//! The files beside the database, and the room on the disk.

use std::path::Path;

use pistol_core::key::AuthorKey;

use super::{Aim, Report, Severity};
use crate::runtime::folder::{self, FolderError};

/// What helps when a file is lost.
pub(super) const RESTORE: &str = "restore it from a backup";
/// What helps when nothing of the database can be read.
pub(super) const BEGIN_ANEW: &str = "restore a backup; or move store.redb away, run `pistol init`, which keeps the identity, \
                                     and join the documents again";
/// Below so much free room a store is likely to fill the disk soon.
const ROOM_LEAST: u64 = 64 << 20;

/// The author key: whether it is there, whole, and its owner's alone.
pub(super) fn check_key(folder: &Path, aim: Aim, report: &mut Report) -> Option<AuthorKey> {
    let mut read = folder::author_seed(folder, None);
    if let (Err(FolderError::KeyExposed { path, mode }), Aim::Repair) = (&read, aim) {
        let what = format!("others could read it (mode {mode:o})");
        if folder::make_private(path).is_ok() {
            report.repaired("author.key", what, "give up the identity if one of them did");
            read = folder::author_seed(folder, None);
        }
    }
    match read {
        Ok(seed) => Some(AuthorKey::from_seed(&seed)),
        Err(FolderError::KeySealed { .. }) => {
            let what = "it is sealed, so it is not known whether snapshots are what was written";
            report.find(
                Severity::Note,
                "author.key",
                what,
                "nothing is to be done: a damaged snapshot costs time only",
            );
            None
        }
        Err(error) => {
            let text = error.to_string();
            let (what, help) = text.rsplit_once("; ").unwrap_or((&text, RESTORE));
            report.find(Severity::Damage, "author.key", what, help);
            None
        }
    }
}

/// What earlier repairs and interrupted work left.
pub(super) fn check_leftovers(folder: &Path, report: &mut Report) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort();
    for name in names {
        if name.starts_with("store.redb.damaged-") {
            let help = "delete it when nothing is missing any more";
            report.find(Severity::Note, &name, "a damaged file that was replaced lies here", help);
        } else if name.strip_suffix(".automerge").is_some() {
            let help = "delete it when nothing is missing any more";
            report.find(Severity::Note, &name, "what a document showed before a repair lies here", help);
        } else if name.strip_suffix(".new").is_some() {
            report.find(
                Severity::Note,
                &name,
                "work that was interrupted left it",
                "delete it, or leave it: it is not used",
            );
        }
    }
}

/// Whether the disk has room for the store to grow.
pub(super) fn check_room(folder: &Path, report: &mut Report) {
    let Some(free) = fs4::available_space(folder).ok().filter(|free| *free < ROOM_LEAST) else { return };
    let what = format!("{free} bytes are free on its disk");
    report.find(Severity::Warning, "the folder", what, "make room before it is full");
}
