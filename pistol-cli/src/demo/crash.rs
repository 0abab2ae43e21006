//! Third act: a node is killed with SIGKILL while it types, and opened again.

use std::time::Instant;

use super::order::{BODY, Order, Reply};
use super::process::Process;
use super::{KILLED_STROKES, Stage};
use crate::failure::Failure;

/// Strokes between two flushes of the node that is killed.
const FLUSH_EVERY: usize = 8;
/// Acknowledged strokes after which it is killed.
const KILLED_AFTER: usize = 240;

pub(super) async fn run(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.show("a node is killed while it types");
    let (from, before) = (stage.replay.strokes(), stage.changes);
    let strokes = stage.trace.strokes.iter().skip(from).take(KILLED_STROKES).cloned().collect::<Vec<_>>();
    let given = strokes.len();
    let acknowledged = type_until_killed(stage, strokes).await?;
    // What the other node holds of it had to be durable before it was sent.
    let seen = stage.one.status().await?.changes.saturating_sub(before);
    let begun = Instant::now();
    stage.two = Process::start("node two", &stage.folder.join("two")).await?;
    let reopened = begun.elapsed();
    let (status, texts) = (stage.two.status().await?, stage.two.texts().await?);
    let kept = status.changes.saturating_sub(before);
    stage.changes = before + kept;
    stage.replay.go_on_to(from + usize::try_from(kept).unwrap_or(0), &stage.trace.strokes);
    let detail = format!("killed inside {given} edits: {acknowledged} acknowledged, {kept} there after reopening");
    let is_kept = acknowledged > 0 && kept >= acknowledged && kept < given as u64;
    stage.report.claim("SIGKILL loses nothing that was acknowledged", is_kept, &detail)?;
    let detail = format!("exactly the first {kept} edits since, none in part");
    stage.report.claim("the reopened text is whole", texts.body == stage.replay.text(), &detail)?;
    let detail = format!("the other node had {seen} of the edits, the killed one kept {kept}");
    stage.report.claim("nothing leaves a node before it is durable there", seen <= kept, &detail)?;
    stage.report.time("reopened after SIGKILL", reopened)?;
    sync_again(stage).await
}

/// How many strokes the node had acknowledged when it died.
async fn type_until_killed(stage: &mut Stage<'_>, strokes: Vec<super::Stroke>) -> Result<u64, Failure> {
    let goal = KILLED_AFTER.min(strokes.len() / 3);
    let text = BODY.to_owned();
    let order = Order::Type { text, strokes, cut_after: None, flush_every: Some(FLUSH_EVERY) };
    stage.two.tell(&order).await?;
    let mut acknowledged = 0;
    while acknowledged < goal {
        match stage.two.reply().await? {
            Reply::Flushed(strokes) => acknowledged = strokes,
            _ => break,
        }
    }
    for reply in stage.two.kill().await? {
        if let Reply::Flushed(strokes) = reply {
            acknowledged = strokes;
        }
    }
    Ok(acknowledged as u64)
}

async fn sync_again(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let begun = Instant::now();
    stage.two.ask(Order::Sync).await?;
    let order = Order::Await { changes: stage.changes };
    let (one, two) = tokio::join!(stage.one.ask(order.clone()), stage.two.ask(order));
    one?;
    two?;
    let merged = begun.elapsed();
    stage.claim_same("after the crash both nodes are equal again", "the killed node came back by itself").await?;
    stage.report.time("equal after reopening", merged)
}
