//! Second act: the connection is cut while both type. They go on, each alone, also in the same text, and meet again.

use std::time::Instant;

use super::Stage;
use super::order::{BODY, MEETING, Order};
use super::replay::Replay;
use super::trace::{Stroke, Typist};
use crate::failure::Failure;

/// Strokes that each node types into the text of both while they are apart.
const MEETING_STROKES: usize = 500;

pub(super) async fn run(stage: &mut Stage<'_>, until: usize) -> Result<(), Failure> {
    stage.show("both type, and the connection is cut");
    let strokes = stage.take(until);
    let cut_after = strokes.len() / 3;
    let body = Order::Type { text: BODY.to_owned(), strokes, cut_after: Some(cut_after), flush_every: None };
    stage.two.ask(body).await?;
    // Letters of one node only, so that it can be told afterwards who typed what.
    let ones: Vec<Stroke> = Typist::new(2, "abcdefghijklm").take(MEETING_STROKES).collect();
    let twos: Vec<Stroke> = Typist::new(3, "ABCDEFGHIJKLM").take(MEETING_STROKES).collect();
    let (one, two) = tokio::join!(stage.one.ask(meet(&ones)), stage.two.ask(meet(&twos)));
    one?;
    two?;
    stage.changes += 2 * MEETING_STROKES as u64;
    let (one, two) = (stage.one.status().await?, stage.two.status().await?);
    let is_apart = one.changes < stage.changes && two.changes < stage.changes && one.heads != two.heads;
    let detail = format!("of {} changes one node holds {}, the other {}", stage.changes, one.changes, two.changes);
    stage.report.claim("without a connection both type on", is_apart, &detail)?;
    meet_again(stage, &Replay::of(&ones).text(), &Replay::of(&twos).text()).await
}

fn meet(strokes: &[Stroke]) -> Order {
    Order::Type { text: MEETING.to_owned(), strokes: strokes.to_vec(), cut_after: None, flush_every: None }
}

async fn meet_again(stage: &mut Stage<'_>, ones: &str, twos: &str) -> Result<(), Failure> {
    stage.show("both meet again");
    let begun = Instant::now();
    stage.two.ask(Order::Resume).await?;
    let reconnected = begun.elapsed();
    let order = Order::Await { changes: stage.changes };
    let (one, two) = tokio::join!(stage.one.ask(order.clone()), stage.two.ask(order));
    one?;
    two?;
    let merged = begun.elapsed();
    let wire_bytes = stage.one.status().await?.wire_bytes(&stage.two.node);
    stage.claim_same("what was typed apart is merged", "the connection was cut inside the typing").await?;
    let meeting = stage.one.texts().await?.meeting;
    let of = |is_ones: fn(&char) -> bool| meeting.chars().filter(is_ones).collect::<String>();
    let is_whole = of(char::is_ascii_lowercase) == ones && of(char::is_ascii_uppercase) == twos;
    let detail = format!("{} characters of one node, {} of the other", ones.len(), twos.len());
    let is_all = is_whole && meeting.len() == ones.len() + twos.len();
    stage.report.claim("in one text every character is there once, each author's in order", is_all, &detail)?;
    stage.report.time("reconnected and equal", reconnected)?;
    stage.report.time("merged on both nodes", merged)?;
    stage.report.count("reconnecting and merging on the wire", wire_bytes, "bytes")
}
