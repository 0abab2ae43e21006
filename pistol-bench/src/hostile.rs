//! What safety among strangers costs: checking changes, carrying them, showing others' keystrokes, and withstanding
//! floods.

mod envelope;
pub(crate) mod flood;
mod fuzz;
pub(crate) mod typed;
mod validator;

use std::path::PathBuf;

use clap::ValueEnum;

use crate::basics::live;
use crate::trace::{self, Trace};
use crate::{Outcome, basics};
use typed::Typed;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The editing history [default: automerge-paper.json.gz in ../shared/traces, if it is there]
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Only the beginning of the editing history
    #[arg(long, value_name = "COUNT")]
    keystrokes: Option<usize>,
    /// Only this case
    #[arg(long, value_enum, value_name = "NAME")]
    case: Option<Case>,
    /// Only this kind of flood
    #[arg(long, value_enum, value_name = "NAME")]
    kind: Option<flood::Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Case {
    Validator,
    Envelope,
    FirstSync,
    Live,
    Fuzz,
    Flood,
}

/// Measures what was asked for, one line for each figure.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    let is_wanted = |case| options.case.is_none_or(|only| only == case);
    let path = options.trace.clone().unwrap_or_else(trace::usual_place);
    if path.is_file() && (is_wanted(Case::Validator) || is_wanted(Case::Envelope)) {
        let mut trace = Trace::read(&path)?;
        trace.keystrokes.truncate(options.keystrokes.unwrap_or(usize::MAX));
        for authors in [1, 2] {
            let typed = Typed::by(authors, &trace)?;
            if authors == 1 && is_wanted(Case::Validator) {
                validator::run(&typed)?.print();
            }
            if is_wanted(Case::Envelope) {
                envelope::run(&typed)?;
            }
        }
    } else if !path.is_file() {
        eprintln!("validator and envelope are left out: there is no {}; name one with --trace", path.display());
    }
    if is_wanted(Case::FirstSync) {
        basics::first_sync::run("hostile", options.trace.as_deref(), options.keystrokes).await?;
    }
    if is_wanted(Case::Live) {
        for characters in [1000, 10_000, 100_000] {
            for typists in [1, 2] {
                live::run("hostile", characters, typists).await?.print();
            }
        }
    }
    if is_wanted(Case::Fuzz) {
        fuzz::run()?;
    }
    if is_wanted(Case::Flood) {
        for kind in flood::Kind::value_variants().iter().filter(|kind| options.kind.is_none_or(|only| only == **kind)) {
            flood::run(*kind).await?.print();
        }
    }
    Ok(())
}
