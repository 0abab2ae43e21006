//! A stranger at full rate, and what an honest peer's keystrokes notice of it: until the node that both are connected to
//! shows them, with the stranger and without.

mod records;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use clap::ValueEnum;
use futures_lite::StreamExt;
use pistol::hostile::HostilePeer;
use pistol::{Changes, Doc, Node, Policy, Ticket};

use crate::Outcome;
use crate::basics::{WITHIN, node};
use crate::figure::Figure;
use crate::samples::Samples;
use crate::text::{self, BODY};
use records::Records;

const CHARACTERS: usize = 1000;
/// Keystrokes measured, with and without.
const KEYSTROKES: usize = 2000;

/// What the stranger sends, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Changes after one that nobody has.
    Orphans,
    /// First changes of one chain, each another one.
    Forks,
    /// Changes whose signature is wrong, by a bit.
    BadSignatures,
    /// Frames of noise.
    Malformed,
    /// Each change by an author of its own.
    Puppets,
    /// Values for one key, next to each other.
    RivalPuts,
    /// Changes of many thousand operations.
    HugeChanges,
    /// One good change.
    Repeats,
}

/// Measures one kind.
pub(crate) async fn run(kind: Kind) -> Outcome<Figure> {
    let folder = tempfile::tempdir()?;
    let (served, honest) = (node(&folder.path().join("served")).await?, node(&folder.path().join("honest")).await?);
    let doc = served.create(Policy::WorldWritable, |doc| doc.text(BODY)).await?;
    text::fill(&doc, CHARACTERS)?;
    // Nobody is told of what is not durable: the typist would begin without it.
    doc.flush().await?;
    let typist = honest.join(&doc.ticket()).await?;
    typist.synced(WITHIN).await?;
    let mut changes = doc.changes();
    typed(&typist, &doc, &mut changes).await?;
    let mut without = typed(&typist, &doc, &mut changes).await?;
    let memory_before = kilobytes("VmRSS:");
    let mut stranger = Stranger::start(&doc.ticket(), kind)?;
    let mut with = typed(&typist, &doc, &mut changes).await?;
    let frames = stranger.end()?;
    let changes = doc.history().len();
    let memory = kilobytes("VmHWM:").zip(memory_before).map(|(peak, before)| peak.saturating_sub(before) / 1000);
    let (calm, flooded) = (without.percentile_us(99), with.percentile_us(99));
    end(served, honest).await?;
    Ok(Figure::new("hostile", "flood")
        .with("kind", format!("{kind:?}"))
        .with("honest_p99_ratio", (flooded / calm * 100.0).round() / 100.0)
        .with("memory_mb", memory)
        .with("honest_p99_us", flooded)
        .with("calm_p99_us", calm)
        .with("honest_p50_us", with.percentile_us(50))
        .with("calm_p50_us", without.percentile_us(50))
        .with("frames", frames)
        .with("changes", changes))
}

async fn end(served: Node, honest: Node) -> Outcome<()> {
    honest.shutdown().await?;
    Ok(served.shutdown().await?)
}

/// Types on one node, and takes the time until the other shows it.
async fn typed(typist: &Doc, shown: &Doc, changes: &mut Changes) -> Outcome<Samples> {
    let mut samples = Samples::default();
    let mut length = shown.read(|doc| doc.text(BODY).len());
    for _ in 0..KEYSTROKES {
        let begun = Instant::now();
        typist.edit(|doc| doc.text(BODY).insert(length / 2, "x"))?;
        length += 1;
        while shown.read(|doc| doc.text(BODY).len()) < length {
            changes.next().await.ok_or("the node ended")?;
        }
        samples.push(begun.elapsed());
    }
    Ok(samples)
}

/// The process that floods.
struct Stranger {
    process: Child,
}

impl Stranger {
    /// Starts it, and waits until it floods. It runs at a lower priority: in the world it has a processor of its own.
    fn start(ticket: &Ticket, kind: Kind) -> Outcome<Stranger> {
        let kind = kind.to_possible_value().ok_or("a kind without a name")?;
        let mut command = Command::new("nice");
        command.arg("-n").arg("10").arg(std::env::current_exe()?);
        command.arg("flood").arg(ticket.to_string()).arg(kind.get_name());
        let mut process = command.stdout(Stdio::piped()).stdin(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        let mut line = String::new();
        let output = process.stdout.as_mut().ok_or("it has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        Ok(Stranger { process })
    }

    /// Ends it; how many frames it sent.
    fn end(&mut self) -> Outcome<u64> {
        drop(self.process.stdin.take());
        let mut line = String::new();
        BufReader::new(self.process.stdout.as_mut().ok_or("it has no output")?).read_line(&mut line)?;
        self.process.wait()?;
        Ok(line.trim().parse()?)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
    }
}

/// The process that floods: until its input ends it sends what it can, and connects again whenever it is thrown out.
pub(crate) async fn flood(ticket: &str, kind: Kind) -> Outcome<()> {
    let ticket: Ticket = ticket.parse()?;
    let mut records = Records::new(ticket.document, kind)?;
    let first = HostilePeer::connect(&ticket, [1; 32]).await?;
    println!("flooding");
    let end = std::thread::spawn(|| std::io::stdin().read_line(&mut String::new()));
    let (mut peer, mut sent, mut connections) = (Some(first), 0_u64, 1_u8);
    while !end.is_finished() {
        if peer.is_none() {
            connections = connections.wrapping_add(1);
            peer = HostilePeer::connect(&ticket, [connections; 32]).await.ok();
        }
        let Some(connected) = peer.take() else { continue };
        let mut speaker = connected.deaf();
        while !end.is_finished() && speaker.send_frame(&records.next()).await.is_ok() {
            sent += 1;
        }
        if end.is_finished() {
            break;
        }
        speaker.close().await;
    }
    println!("{sent}");
    Ok(())
}

fn kilobytes(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
