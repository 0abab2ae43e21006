//! A machine that was rolled back as a whole, which no fence can notice.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use pistol::{Doc, Node, Policy};

const WITHIN: Duration = Duration::from_mins(1);

async fn node(folder: &Path) -> Node {
    Node::builder(folder).listen("127.0.0.1:0".parse().unwrap()).open().await.unwrap()
}

fn write(doc: &Doc, text: &str) {
    doc.edit(|doc| doc.text("body").push(text)).unwrap();
}

fn text(doc: &Doc) -> String {
    doc.read(|doc| doc.text("body").to_string())
}

/// The database alone goes back, to where it was after the fence was turned last: so the fence matches.
#[tokio::test(flavor = "multi_thread")]
async fn both_histories_of_a_machine_that_was_rolled_back_unnoticed_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (here, saved) = (folder.path().join("here"), folder.path().join("saved"));
    let (one, two) = (node(&here).await, node(&folder.path().join("there")).await);
    let mine = one.create(Policy::WorldWritable, |doc| doc.text("body")).await.unwrap();
    write(&mine, "before ");
    let theirs = two.join(&mine.ticket()).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    mine.flush().await.unwrap();
    std::fs::copy(here.join("store.redb"), &saved).unwrap();
    write(&mine, "forgotten ");
    mine.synced(WITHIN).await.unwrap();
    assert_eq!(text(&theirs), "before forgotten ");
    let id = mine.id();
    one.shutdown().await.unwrap();
    std::fs::copy(&saved, here.join("store.redb")).unwrap();

    let one = Node::builder(&here).offline().open().await.unwrap();
    let mine = one.document(id).await.unwrap();
    assert_eq!(text(&mine), "before ");
    write(&mine, "instead ");
    mine.flush().await.unwrap();
    one.shutdown().await.unwrap();
    let one = node(&here).await;
    let mine = one.join(&theirs.ticket()).await.unwrap();
    mine.synced(WITHIN).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    assert_eq!(text(&mine), text(&theirs));
    for part in ["before ", "forgotten ", "instead "] {
        assert!(text(&mine).contains(part), "{part} was lost: {}", text(&mine));
    }
    assert_eq!([mine.status().forks, theirs.status().forks], [[one.author()], [one.author()]]);
    write(&mine, "after");
    assert!(text(&mine).contains("after"), "the node cannot write any more");
    one.shutdown().await.unwrap();
    two.shutdown().await.unwrap();
}
