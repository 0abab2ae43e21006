//! A profile that is copied to another device, and one that is restored from a backup: both go on, and nothing is lost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::time::Duration;

use pistol::{Doc, DocumentId, Node, Policy};

const WITHIN: Duration = Duration::from_mins(1);

async fn open(folder: &Path) -> Node {
    Node::builder(folder).listen("127.0.0.1:0".parse().unwrap()).open().await.unwrap()
}

/// The files of a profile, somewhere else.
fn copy(from: &Path, to: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).unwrap();
    }
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn text(doc: &Doc) -> String {
    doc.read(|doc| doc.text("body").to_string())
}

/// Opens a profile, writes, and waits until the friend holds it.
async fn write(folder: &Path, id: DocumentId, words: &str) {
    let node = open(folder).await;
    let doc = node.document(id).await.unwrap();
    doc.edit(|doc| doc.text("body").push(words)).unwrap();
    doc.synced(WITHIN).await.unwrap();
    node.shutdown().await.unwrap();
}

/// A profile that has written to a document which a friend has too.
async fn shared(folder: &Path) -> (Node, Doc) {
    let (one, friend) = (open(&folder.join("one")).await, open(&folder.join("friend")).await);
    let mine = one.create(Policy::WorldWritable, |doc| doc.text("body")).await.unwrap();
    mine.edit(|doc| doc.text("body").push("before ")).unwrap();
    let theirs = friend.join(&mine.ticket()).await.unwrap();
    // So that the profile can find its friend by itself, it is invited too.
    one.join(&theirs.ticket()).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    one.shutdown().await.unwrap();
    (friend, theirs)
}

fn check(doc: &Doc, words: &[&str]) {
    let text = text(doc);
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
    let status = doc.status();
    assert_eq!(status.forks, [], "each wrote in a session of its own");
    assert_eq!((status.refusals, status.waiting), (vec![], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_copied_to_another_device_writes_in_sessions_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let (friend, doc) = shared(folder.path()).await;
    copy(&one, &two);
    for (device, words) in [(&one, "here "), (&two, "there "), (&one, "again "), (&two, "still ")] {
        write(device, doc.id(), words).await;
    }
    check(&doc, &["before ", "here ", "there ", "again ", "still "]);
    let authors: Vec<_> = doc.history().iter().map(|entry| entry.author).collect();
    assert!(authors.iter().all(|author| *author == authors[0]), "both are the same author");
    for device in [&one, &two] {
        let node = open(device).await;
        let mine = node.document(doc.id()).await.unwrap();
        mine.synced(WITHIN).await.unwrap();
        assert_eq!(text(&mine), text(&doc));
        node.shutdown().await.unwrap();
    }
    friend.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_backup_writes_is_merged_with_what_was_written_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let (one, backup) = (folder.path().join("one"), folder.path().join("backup"));
    let (friend, doc) = shared(folder.path()).await;
    copy(&one, &backup);
    write(&one, doc.id(), "after the backup ").await;
    copy(&backup, &one);
    write(&one, doc.id(), "by the backup ").await;
    let words = ["before ", "after the backup ", "by the backup "];
    check(&doc, &words);
    let node = open(&one).await;
    let mine = node.document(doc.id()).await.unwrap();
    mine.synced(WITHIN).await.unwrap();
    check(&mine, &words);
    assert_eq!(text(&mine), text(&doc));
    node.shutdown().await.unwrap();
    friend.shutdown().await.unwrap();
}
