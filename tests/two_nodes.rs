//! Two nodes of one machine, with real folders and real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use futures_lite::StreamExt;
use pistol::{Doc, ErrorKind, Node, Policy};

const WITHIN: Duration = Duration::from_secs(20);

async fn node(folder: &std::path::Path) -> Node {
    Node::builder(folder).listen("127.0.0.1:0".parse().unwrap()).open().await.unwrap()
}

fn text(doc: &Doc) -> String {
    doc.read(|doc| doc.text("body").to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_share_a_text_and_both_see_what_the_other_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (node(&folder.path().join("one")).await, node(&folder.path().join("two")).await);
    let mine = one.create(Policy::WorldWritable, |doc| doc.text("body")).await.unwrap();
    mine.edit(|doc| doc.text("body").push("Hello!\n")).unwrap();
    let theirs = two.join(&mine.ticket().to_string().parse().unwrap()).await.unwrap();
    let mut heard = mine.changes();
    theirs.synced(WITHIN).await.unwrap();
    assert_eq!(text(&theirs), "Hello!\n");
    theirs.edit(|doc| doc.text("body").push("Hello back!\n")).unwrap();
    let change = tokio::time::timeout(WITHIN, heard.next()).await.unwrap().unwrap();
    assert_eq!((change.author, change.is_own), (two.author(), false));
    assert_eq!(text(&mine), "Hello!\nHello back!\n");
    mine.synced(WITHIN).await.unwrap();
    one.shutdown().await.unwrap();
    two.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_flushed_is_there_when_the_node_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = node(folder.path()).await;
    let doc = first.create(Policy::Owned, |doc| doc.text("body")).await.unwrap();
    first.name(doc.id(), "notes").await.unwrap();
    for _ in 0..1500 {
        doc.edit(|doc| doc.text("body").push("x")).unwrap();
    }
    doc.flush().await.unwrap();
    first.shutdown().await.unwrap();
    let again = node(folder.path()).await;
    let doc = again.document(again.find("notes").unwrap()).await.unwrap();
    assert_eq!(text(&doc).len(), 1500);
    doc.edit(|doc| doc.text("body").push("y")).unwrap();
    assert_eq!(doc.history().len(), 1501);
    assert!(doc.status().forks.is_empty());
    again.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_made_apart_merge_when_the_other_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let one = node(&folder.path().join("one")).await;
    let mine = one.create(Policy::WorldWritable, |doc| doc.text("body")).await.unwrap();
    let two = node(&folder.path().join("two")).await;
    let theirs = two.join(&mine.ticket()).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    two.shutdown().await.unwrap();
    mine.edit(|doc| doc.text("body").push("from one ")).unwrap();
    let offline = Node::builder(folder.path().join("two")).offline().open().await.unwrap();
    let theirs = offline.document(mine.id()).await.unwrap();
    theirs.edit(|doc| doc.text("body").push("from two ")).unwrap();
    offline.shutdown().await.unwrap();
    let two = node(&folder.path().join("two")).await;
    let theirs = two.document(mine.id()).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    mine.synced(WITHIN).await.unwrap();
    assert_eq!(text(&mine), text(&theirs));
    assert!(text(&mine).contains("from one ") && text(&mine).contains("from two "));
    one.shutdown().await.unwrap();
    two.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_node_goes_on_alone_and_catches_up_when_it_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (node(&folder.path().join("one")).await, node(&folder.path().join("two")).await);
    let mine = one.create(Policy::WorldWritable, |doc| doc.text("body")).await.unwrap();
    let theirs = two.join(&mine.ticket()).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    two.pause();
    theirs.edit(|doc| doc.text("body").push("alone")).unwrap();
    theirs.flush().await.unwrap();
    assert_eq!(
        theirs.synced(Duration::from_millis(1)).await.map_err(|e| pistol::Error::from(e).kind()),
        Err(ErrorKind::NoPeer)
    );
    assert_eq!(text(&mine), "");
    two.resume().await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    assert_eq!(text(&mine), "alone");
    one.shutdown().await.unwrap();
    two.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_may_not_edit_an_owned_document() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (node(&folder.path().join("one")).await, node(&folder.path().join("two")).await);
    let mine = one.create(Policy::Owned, |doc| doc.text("body").push("mine")).await.unwrap();
    let theirs = two.join(&mine.ticket()).await.unwrap();
    let refused = pistol::Error::from(theirs.edit(|doc| doc.text("body").push("!")).unwrap_err());
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert_eq!(text(&theirs), "mine");
    one.shutdown().await.unwrap();
    two.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_where_nobody_answers_fails_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (node(&folder.path().join("one")).await, node(&folder.path().join("two")).await);
    let mine = one.create(Policy::Owned, |doc| doc.text("body")).await.unwrap();
    let ticket = mine.ticket();
    one.shutdown().await.unwrap();
    let failed = pistol::Error::from(two.join(&ticket).await.unwrap_err());
    assert_eq!(failed.kind(), ErrorKind::NoPeer);
    assert!(format!("{failed:?}").contains("check that the other side is sharing"), "{failed:?}");
    two.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = node(folder.path()).await;
    let second = pistol::Error::from(Node::open(folder.path()).await.unwrap_err());
    assert_eq!(second.kind(), ErrorKind::StoreInUse);
    first.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_whose_time_is_over_is_refused_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (node(&folder.path().join("one")).await, node(&folder.path().join("two")).await);
    let mine = one.create(Policy::Owned, |doc| doc.text("body")).await.unwrap();
    let mut ticket = mine.ticket_for(Duration::from_mins(1));
    assert!(two.join(&ticket).await.is_ok());
    ticket.not_after_ms = 1;
    let failed = pistol::Error::from(two.join(&ticket).await.unwrap_err());
    assert_eq!(failed.kind(), ErrorKind::BadTicket);
    assert!(failed.to_string().contains("ask for a new one"), "{failed}");
    one.shutdown().await.unwrap();
    two.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_opened_again_is_found_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (node(&folder.path().join("one")).await, node(&folder.path().join("two")).await);
    let mine = one.create(Policy::WorldWritable, |doc| doc.text("body")).await.unwrap();
    let theirs = two.join(&mine.ticket()).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    let (id, addresses) = (mine.id(), one.addresses());
    one.shutdown().await.unwrap();
    theirs.edit(|doc| doc.text("body").push("while the other was away")).unwrap();
    let one = node(&folder.path().join("one")).await;
    assert_eq!(one.addresses(), addresses);
    let mine = one.document(id).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    assert_eq!(text(&mine), "while the other was away");
    one.shutdown().await.unwrap();
    two.shutdown().await.unwrap();
}
