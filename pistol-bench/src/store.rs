//! What the store costs and gives.

mod crashes;
mod hold;
mod open;

use std::path::PathBuf;

use clap::ValueEnum;

use crate::Outcome;
use crate::trace::{self, Trace};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The editing history [default: automerge-paper.json.gz in ../shared/traces, if it is there]
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Only the beginning of the editing history
    #[arg(long, value_name = "COUNT")]
    keystrokes: Option<usize>,
    /// Runs with power cuts, one to four each; 200 where all cases are run
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    runs: u64,
    /// The seed of the first of these runs
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Only this case
    #[arg(long, value_enum, value_name = "NAME")]
    case: Option<Case>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Case {
    Open,
    Hold,
    Crashes,
}

/// Measures what was asked for, one line for each figure.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    let is_wanted = |case| options.case.is_none_or(|only| only == case);
    if is_wanted(Case::Crashes) && !crashes::run(options.runs, options.seed) {
        return Err("a promise was broken; it is told above".into());
    }
    if options.case == Some(Case::Crashes) {
        return Ok(());
    }
    let usual = trace::usual_place();
    if options.trace.is_none() && !usual.is_file() {
        eprintln!("there is no {}; name an editing history with --trace", usual.display());
        return Ok(());
    }
    let mut trace = Trace::read(options.trace.as_ref().unwrap_or(&usual))?;
    trace.keystrokes.truncate(options.keystrokes.unwrap_or(usize::MAX));
    if is_wanted(Case::Open) {
        open::run(&trace).await?.print();
    }
    if is_wanted(Case::Hold) {
        hold::run(&trace)?.print();
    }
    Ok(())
}
