//! What it costs to ask who may change what, and how often two who were asked differ.

// The histories that the tests judge too.
#[path = "../../pistol-acl/tests/support/entries.rs"]
mod entries;
mod fast_path;
#[expect(clippy::unwrap_used, reason = "the hand of tests, which fail by panicking")]
#[path = "../../pistol-core/tests/support/hand.rs"]
mod hand;
#[path = "../../pistol-acl/tests/support/judged.rs"]
mod judged;
mod keys;
mod names;
mod revocation;
#[path = "../../pistol-acl/tests/support/story.rs"]
mod story;
mod theorems;
#[path = "../../pistol-acl/tests/support/told.rs"]
mod told;
#[path = "../../pistol-acl/tests/support/twice.rs"]
mod twice;

use clap::ValueEnum;

use crate::Outcome;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only this case
    #[arg(long, value_enum, value_name = "NAME")]
    case: Option<Case>,
    /// Changes that are judged, and those of the document of which one author is revoked
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    changes: usize,
    /// Random histories that are judged twice; any difference is an error
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    histories: u64,
    /// Names that are claimed in a space
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    names: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Case {
    FastPath,
    Keys,
    Names,
    Revocation,
    Theorems,
}

/// Measures what was asked for, one line for each figure.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    let is_wanted = |case| options.case.is_none_or(|only| only == case);
    if is_wanted(Case::FastPath) {
        fast_path::of_first_writers(options.changes)?.print();
        fast_path::of_members(options.changes)?.print();
    }
    if is_wanted(Case::Keys) {
        for authors in keys::AUTHORS {
            keys::run(authors)?.print();
        }
    }
    if is_wanted(Case::Names) {
        names::run(options.names)?.print();
    }
    if is_wanted(Case::Revocation) {
        revocation::run(options.changes).await?.print();
    }
    if is_wanted(Case::Theorems) {
        theorems::run(options.histories)?.print();
    }
    Ok(())
}
