//! The end: both nodes hold the same, it is what the replay says, and this is what it weighs.

use super::Stage;
use crate::failure::Failure;

pub(super) async fn run(mut stage: Stage<'_>) -> Result<(), Failure> {
    stage.show("compared");
    let typed = stage.replay.strokes();
    stage.claim_same("the texts are equal to each other and to the replay", &format!("{typed} edits")).await?;
    let is_whole_trace = typed == stage.trace.strokes.len();
    if let Some(end) = stage.trace.end.as_ref().filter(|_| is_whole_trace) {
        let is_end = stage.one.texts().await?.body == *end;
        stage.report.claim("the text is the recording's `endContent`", is_end, &stage.trace.name)?;
    }
    let (one, two) = (stage.one.status().await?, stage.two.status().await?);
    let is_same = one.heads == two.heads && one.changes == two.changes;
    let detail = format!("{} changes, {} heads", one.changes, one.heads.len());
    stage.report.claim("both nodes hold the same changes", is_same, &detail)?;
    let Stage { one: first, two: second, report, bar, .. } = stage;
    let (first, second) = tokio::join!(first.close(), second.close());
    first?;
    second?;
    drop(bar);
    report.count("the document as an Automerge file", one.automerge_bytes as u64, "bytes")?;
    report.count("store of node one", one.store_bytes, "bytes")?;
    report.count("store of node two", two.store_bytes, "bytes")?;
    report.end()
}
