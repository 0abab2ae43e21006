//! Many small documents in one store: opening it, listing them, and what that takes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use pistol::{DocumentId, Node, Policy};
use serde_json::{Value, json};
use tokio::task::{JoinSet, spawn_blocking};

use crate::figure::Figure;
use crate::samples::milliseconds;
use crate::{Outcome, process};

/// Documents made before the disk is waited for, and before the node is opened anew.
const AT_ONCE: usize = 500;
const A_NODE: usize = 5000;
/// How often the store is opened to look.
const LOOKS: usize = 5;
/// Documents that are opened one after the other.
const OPENED: usize = 100;
const KEYS: [&str; 10] = ["title", "author", "created", "changed", "state", "place", "tags", "count", "url", "note"];

pub(crate) async fn run(documents: usize) -> Outcome<Figure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("node");
    let begun = Instant::now();
    fill(&path, documents).await?;
    let made = begun.elapsed();
    let bytes = std::fs::metadata(path.join("store.redb"))?.len();
    let looked = look_again_and_again(&path).await?;
    if looked.get("documents").and_then(Value::as_u64) != u64::try_from(documents).ok() {
        return Err("the store does not list what was made".into());
    }
    let mut figure = Figure::new("store", "small-documents").with("documents", documents).with("bytes", bytes);
    for field in ["open_ms", "list_ms", "rss_mb", "document_ms", "rss_then_mb"] {
        figure = figure.with(field, looked.get(field).cloned().unwrap_or_default());
    }
    Ok(figure.with("made_ms", milliseconds(made)))
}

/// Makes documents of ten keys.
async fn fill(path: &Path, documents: usize) -> Outcome<()> {
    let mut left = documents;
    while left > 0 {
        let node = Node::builder(path).offline().open().await?;
        let here = left.min(A_NODE);
        left -= here;
        for first in (0..here).step_by(AT_ONCE) {
            let mut making = JoinSet::new();
            for _ in first..here.min(first + AT_ONCE) {
                making.spawn(make(node.clone()));
            }
            while let Some(made) = making.join_next().await {
                made??;
            }
        }
        node.shutdown().await?;
    }
    Ok(())
}

async fn make(node: Node) -> pistol::Result<()> {
    let doc = node.create(Policy::Owned, |_| ()).await?;
    doc.edit(|doc| {
        for key in KEYS {
            doc.put(key, "some 20 characters..");
        }
    })?;
    Ok(doc.flush().await?)
}

/// What it finds when the opening takes as long as it mostly does: while the system writes what was filled, it takes longer.
async fn look_again_and_again(path: &Path) -> Outcome<Value> {
    let mut looked = Vec::new();
    for _ in 0..LOOKS {
        looked.push(look_in_another_process(path).await?);
    }
    let open_ms = |value: &Value| value.get("open_ms").and_then(Value::as_f64).unwrap_or(f64::MAX);
    looked.sort_by(|one, other| open_ms(one).total_cmp(&open_ms(other)));
    Ok(looked.swap_remove(LOOKS / 2))
}

async fn look_in_another_process(path: &Path) -> Outcome<Value> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("look").arg(path).stderr(Stdio::inherit());
    let output = spawn_blocking(move || command.output()).await??;
    if !output.status.success() {
        return Err("the process that looks at the store failed".into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The process that opens the store, lists it, and then opens some of its documents.
pub(crate) async fn look(path: &Path) -> Outcome<()> {
    let begun = Instant::now();
    let node = Node::builder(path).offline().open().await?;
    let opened = begun.elapsed();
    let begun = Instant::now();
    let documents = node.documents();
    let listed = begun.elapsed();
    let rss_mb = process::resident_mb();
    let step = documents.len().div_ceil(OPENED).max(1);
    let some: Vec<DocumentId> = documents.iter().step_by(step).map(|document| document.id).collect();
    let begun = Instant::now();
    for id in &some {
        let doc = node.document(*id).await?;
        if doc.read(|doc| doc.keys().len()) != KEYS.len() {
            return Err("a document does not hold its keys".into());
        }
    }
    let each = begun.elapsed() / u32::try_from(some.len().max(1))?;
    let found = json!({
        "documents": documents.len(),
        "open_ms": milliseconds(opened),
        "list_ms": milliseconds(listed),
        "rss_mb": rss_mb,
        "document_ms": milliseconds(each),
        "rss_then_mb": process::resident_mb(),
    });
    println!("{found}");
    Ok(node.shutdown().await?)
}
