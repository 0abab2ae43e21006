//! `pistol demo`: shows and checks the main job on this machine, with processes, sockets and files as they are in life.
//!
//! Two nodes in processes of their own type a real editing history into one document, live, apart, and through a
//! SIGKILL; a third peer lies to them. Whatever is claimed is checked, against a replay that knows nothing of Pistol.

mod apart;
mod attack;
mod crash;
mod ending;
mod live;
mod node;
mod order;
mod process;
mod replay;
mod report;
mod trace;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::Context;
use crate::failure::Failure;
use crate::output::{Bar, Output};
use crate::request::Progress;
use process::Process;
use replay::Replay;
use report::Report;
use trace::{Stroke, Trace};

pub(crate) use node::DemoNode;

/// How long anything may take before the demo fails.
const LIMIT: Duration = Duration::from_mins(1);
/// The name of the document that both share.
const SHARED: &str = "shared";
/// Strokes typed unless the user says otherwise: enough to feel real, and over in seconds.
const STROKES: usize = 20_000;
/// The fewest strokes: every act needs some.
const STROKES_MIN: usize = 400;
/// Strokes that the process which is killed may have to type: more than it can before it is.
const KILLED_STROKES: usize = 20_000;

/// Shows and checks the main job: two nodes, one document, a cut, a crash, and a peer that lies
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol demo\n  pistol demo --edits 2000 --json")]
pub(crate) struct Demo {
    /// The editing history to type, JSON or gzipped [default: `../shared/traces`, or a generated one]
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// How much of it to type, or `all`
    #[arg(long, value_name = "NUMBER", default_value = "20000", value_parser = parse_amount)]
    edits: Amount,
}

/// How many strokes to type.
#[derive(Clone, Copy, Debug)]
enum Amount {
    All,
    Number(usize),
}

fn parse_amount(text: &str) -> Result<Amount, String> {
    match text.parse() {
        Ok(number) if number >= STROKES_MIN => Ok(Amount::Number(number)),
        _ if text == "all" => Ok(Amount::All),
        _ => Err(format!("give a number from {STROKES_MIN} on, or `all`")),
    }
}

impl Demo {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut interrupt = context.interrupt.clone();
        let failed = |error| Failure::io("make a temporary folder", &error);
        let folder = tempfile::Builder::new().prefix("pistol-demo-").tempdir().map_err(failed)?;
        // Dropping the play kills its processes.
        tokio::select! {
            failure = interrupt.received() => Err(failure),
            ended = Box::pin(self.play(folder.path(), &context.output)) => ended,
        }
    }

    async fn play(self, folder: &Path, output: &Output) -> Result<(), Failure> {
        let trace = self.history()?;
        let total = match self.edits {
            Amount::All if trace.end.is_some() => trace.strokes.len(),
            Amount::All => STROKES,
            Amount::Number(number) => number.min(trace.strokes.len()),
        };
        let mut stage = Stage::set(folder, trace, total, output).await?;
        live::first(&mut stage, total / 5).await?;
        live::turns(&mut stage, total / 2).await?;
        apart::run(&mut stage, total / 10 * 7).await?;
        crash::run(&mut stage).await?;
        live::turns(&mut stage, total).await?;
        attack::run(&mut stage).await?;
        ending::run(stage).await
    }

    fn history(&self) -> Result<Trace, Failure> {
        let length = match self.edits {
            Amount::All => STROKES,
            Amount::Number(number) => number,
        };
        let found = Trace::find(self.trace.as_deref())?;
        let trace = found.unwrap_or_else(|| Trace::generated(length.saturating_add(KILLED_STROKES)));
        if trace.strokes.len() < STROKES_MIN {
            let message = format!("`{}` holds {} edits only", trace.name, trace.strokes.len());
            return Err(Failure::usage(message, format!("give a history of at least {STROKES_MIN} edits")));
        }
        Ok(trace)
    }
}

/// Two nodes, what they have to type, and what was found out.
struct Stage<'a> {
    folder: &'a Path,
    /// Makes the document and invites.
    one: Process,
    /// Joins, leaves the network, and is killed.
    two: Process,
    trace: Trace,
    /// The text as it must be now.
    replay: Replay,
    /// How many changes the shared document must hold now.
    changes: u64,
    /// How many strokes are to be typed.
    total: usize,
    report: Report<'a>,
    bar: Bar,
}

impl<'a> Stage<'a> {
    async fn set(folder: &'a Path, trace: Trace, total: usize, output: &'a Output) -> Result<Self, Failure> {
        output.say(format_args!("two nodes type {total} of {} edits ({})", trace.strokes.len(), trace.name));
        let one = Process::start("node one", &folder.join("one")).await?;
        let two = Process::start("node two", &folder.join("two")).await?;
        let (report, bar) = (Report::new(output), output.bar());
        Ok(Stage { folder, one, two, trace, replay: Replay::default(), changes: 0, total, report, bar })
    }

    /// The strokes from where the text is now up to a place. They count as typed.
    fn take(&mut self, place: usize) -> Vec<Stroke> {
        let strokes = self.trace.strokes.get(self.replay.strokes()..place).unwrap_or_default().to_vec();
        self.changes += strokes.len() as u64;
        self.replay.go_on_to(place, &self.trace.strokes);
        strokes
    }

    fn show(&self, doing: &str) {
        let done = self.replay.strokes() as u64;
        self.bar.show(&Progress { done, total: (self.total as u64).max(done), doing: doing.to_owned() });
    }

    /// Both texts of the history are what the replay says.
    async fn claim_same(&mut self, claim: &str, detail: &str) -> Result<(), Failure> {
        let (one, two, expected) = (self.one.texts().await?, self.two.texts().await?, self.replay.text());
        let is_same = one == two && one.body == expected && self.replay.is_sound();
        let length = expected.chars().count();
        self.report.claim(claim, is_same, &format!("{length} characters; {detail}"))
    }
}
