//! What the store costs and gives.

mod amplification;
mod crashes;
pub(crate) mod durable;
mod hold;
mod open;
mod raw_redb;
pub(crate) mod small;
mod trace_file;
pub(crate) mod under_sync;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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
    /// Only so many small documents
    #[arg(long, value_name = "COUNT")]
    documents: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Case {
    DurableBatched,
    DurableAlone,
    EditUnderSync,
    TraceFile,
    SmallDocuments,
    Open,
    Hold,
    Crashes,
    Amplification,
}

/// Documents in one store.
const SMALL_DOCUMENTS: [usize; 3] = [1000, 10_000, 100_000];

/// How long the reserve may take to be there, which a node makes when nobody waits for the disk.
const RESERVE_WITHIN: Duration = Duration::from_secs(20);

/// Waits until a node has made its reserve: what is written for it is not written for its documents.
async fn has_reserve(node: &Path) -> Outcome<()> {
    let (reserve, begun) = (node.join("reserve"), Instant::now());
    while !reserve.is_file() {
        if begun.elapsed() > RESERVE_WITHIN {
            return Err("the node makes no reserve; is there room on the disk?".into());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Measures what was asked for, one line for each figure.
pub(crate) async fn run(options: &Options) -> Outcome<()> {
    let is_wanted = |case| options.case.is_none_or(|only| only == case);
    if is_wanted(Case::Crashes) && !crashes::run(options.runs, options.seed) {
        return Err("a promise was broken; it is told above".into());
    }
    if is_wanted(Case::DurableBatched) {
        durable::batched().await?.print();
    }
    if is_wanted(Case::DurableAlone) {
        durable::alone().await?.print();
    }
    if is_wanted(Case::Amplification)
        && let Some(figure) = amplification::run().await?
    {
        figure.print();
    }
    if is_wanted(Case::SmallDocuments) {
        let counts = options.documents.map_or(SMALL_DOCUMENTS.to_vec(), |documents| vec![documents]);
        for documents in counts {
            small::run(documents).await?.print();
        }
    }
    if let Some(trace) = trace(options)? {
        of_trace(&trace, is_wanted).await?;
    }
    Ok(())
}

/// What is measured with an editing history.
async fn of_trace(trace: &Trace, is_wanted: impl Fn(Case) -> bool) -> Outcome<()> {
    if is_wanted(Case::TraceFile) {
        trace_file::run(trace).await?.print();
    }
    if is_wanted(Case::Open) {
        open::run(trace).await?.print();
    }
    if is_wanted(Case::Hold) {
        hold::run(trace)?.print();
    }
    if is_wanted(Case::EditUnderSync) {
        under_sync::run(trace).await?.print();
    }
    Ok(())
}

fn trace(options: &Options) -> Outcome<Option<Trace>> {
    let usual = trace::usual_place();
    if options.trace.is_none() && !usual.is_file() {
        eprintln!(
            "trace-file, open, hold and edit-under-sync are left out: there is no {}; name an editing history with --trace",
            usual.display()
        );
        return Ok(None);
    }
    let mut trace = Trace::read(options.trace.as_ref().unwrap_or(&usual))?;
    trace.keystrokes.truncate(options.keystrokes.unwrap_or(usize::MAX));
    Ok(Some(trace))
}
