//! From nothing to an invitation: the command `pistol share` if it was built beside this program, else its parts.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pistol::Policy;
use tokio::task::block_in_place;

use super::node;
use crate::Outcome;
use crate::figure::Figure;
use crate::samples::Samples;
use crate::text::BODY;

const STARTS: usize = 7;

pub(crate) async fn run() -> Outcome<Figure> {
    let program = program();
    let mut samples = Samples::default();
    for _ in 0..STARTS {
        let folder = tempfile::tempdir()?;
        samples.push(match &program {
            Some(program) => block_in_place(|| command(program, folder.path()))?,
            None => parts(folder.path()).await?,
        });
    }
    let figure = Figure::new("basics", "share").with("ms", (samples.percentile_us(50) / 100.0).round() / 10.0);
    Ok(figure.with("of", if program.is_some() { "process" } else { "library" }))
}

/// The command line's program, beside this one.
fn program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.with_file_name(format!("pistol{}", std::env::consts::EXE_SUFFIX));
    program.is_file().then_some(program)
}

/// Starts the program on a store that exists, with a file that is no document yet.
fn command(program: &Path, folder: &Path) -> Outcome<Duration> {
    let (store, file) = (folder.join("store"), folder.join("notes.md"));
    std::fs::write(&file, "Hello.\n")?;
    let pistol = || {
        let mut command = Command::new(program);
        command.arg("--store").arg(&store);
        command
    };
    let is_made = pistol().arg("init").stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if !is_made.success() {
        return Err("`pistol init` failed".into());
    }
    let begun = Instant::now();
    let mut share = pistol();
    let mut share = share.arg("share").arg(&file).args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn()?;
    let stdout = share.stdout.take().ok_or("the program has no output")?;
    let ticket = BufReader::new(stdout).lines().next();
    let took = begun.elapsed();
    share.kill()?;
    share.wait()?;
    ticket.ok_or("the program printed no ticket")??.trim().parse::<pistol::Ticket>()?;
    Ok(took)
}

async fn parts(folder: &Path) -> Outcome<Duration> {
    let begun = Instant::now();
    let node = node(folder).await?;
    let doc = node.create(Policy::Owned, |doc| doc.text(BODY).push("Hello.\n")).await?;
    let _ticket = doc.ticket().to_string();
    let took = begun.elapsed();
    node.shutdown().await?;
    Ok(took)
}
