//! First act: one node types alone, the other joins, and both go on in turns, each seeing what the other does.

use std::time::{Duration, Instant};

use super::order::{BODY, Order, Reply};
use super::{SHARED, Stage};
use crate::failure::Failure;

/// Strokes given to a node at once while nobody waits for them.
const PART: usize = 1000;
/// Turns in one stretch of live typing.
const TURNS: usize = 60;

/// One node types alone up to a place; then the other joins and gets it all.
pub(super) async fn first(stage: &mut Stage<'_>, until: usize) -> Result<(), Failure> {
    let ticket = stage.one.ticket(Order::Create { name: SHARED.to_owned(), is_owned: false }).await?;
    let mut typing = Duration::ZERO;
    while stage.replay.strokes() < until {
        stage.show("one types alone");
        let strokes = stage.take(until.min(stage.replay.strokes() + PART));
        typing += stage.one.ask(type_body(strokes)).await?.1;
    }
    let begun = Instant::now();
    stage.two.ask(Order::Join { name: SHARED.to_owned(), ticket }).await?;
    stage.two.ask(Order::Await { changes: stage.changes }).await?;
    let first_sync = begun.elapsed();
    let wire_bytes = stage.one.status().await?.wire_bytes(&stage.two.node);
    stage.claim_same("a joining node gets the whole text", &format!("{until} edits, one change each")).await?;
    stage.report.time("typing alone", typing)?;
    stage.report.time("first sync", first_sync)?;
    stage.report.count("first sync on the wire", wire_bytes, "bytes")
}

/// Both type in turns up to a place; each begins when it sees what the other typed.
pub(super) async fn turns(stage: &mut Stage<'_>, until: usize) -> Result<(), Failure> {
    let (from, began_bytes) = (stage.replay.strokes(), wire_bytes(stage).await?);
    let burst = (until.saturating_sub(from) / TURNS).max(1);
    let (mut is_ones_turn, mut handovers) = (false, Vec::new());
    while stage.replay.strokes() < until {
        stage.show("both type in turns");
        let strokes = stage.take(until.min(stage.replay.strokes() + burst));
        let order = Order::Await { changes: stage.changes };
        let (one, two) = (&mut stage.one, &mut stage.two);
        let (writer, reader) = if is_ones_turn { (one, two) } else { (two, one) };
        reader.tell(&order).await?;
        let (typed, _) = writer.ask(type_body(strokes)).await?;
        if let (Reply::Typed(typed_us), Reply::Done(seen_us)) = (typed, reader.reply().await?) {
            handovers.push(Duration::from_micros(seen_us.saturating_sub(typed_us)));
        }
        is_ones_turn = !is_ones_turn;
    }
    let Some(last) = handovers.len().checked_sub(1) else { return Ok(()) };
    handovers.sort_unstable();
    let strokes = (until - from) as u64;
    let bytes = wire_bytes(stage).await?.saturating_sub(began_bytes);
    stage.claim_same("both see all that is typed in turns", &format!("{} turns, {strokes} edits", last + 1)).await?;
    if let Some(median) = handovers.get(last / 2) {
        stage.report.time("last key of a turn to durable and seen on the other node, median", *median)?;
    }
    stage.report.count("live typing on the wire", bytes / strokes.max(1), "bytes an edit")
}

async fn wire_bytes(stage: &mut Stage<'_>) -> Result<u64, Failure> {
    Ok(stage.one.status().await?.wire_bytes(&stage.two.node))
}

fn type_body(strokes: Vec<super::Stroke>) -> Order {
    Order::Type { text: BODY.to_owned(), strokes, cut_after: None, flush_every: None }
}
