//! A store with more documents than memory: what nobody holds is closed, and nothing is lost by it; what is removed is
//! gone, and its room is free.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::Path;

use pistol::{Doc, ErrorKind, Node, Policy};

/// A node that keeps no document in memory that nobody holds.
async fn node(folder: &Path) -> Node {
    Node::builder(folder).offline().memory(0).open().await.unwrap()
}

async fn document(node: &Node, text: &str) -> Doc {
    let doc = node.create(Policy::Owned, |doc| doc.text("body")).await.unwrap();
    doc.edit(|doc| doc.text("body").push(text)).unwrap();
    doc.flush().await.unwrap();
    doc
}

fn text(doc: &Doc) -> String {
    doc.read(|doc| doc.text("body").to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_nobody_holds_are_opened_again_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(folder.path()).await;
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(document(&node, &format!("number {number}")).await.id());
    }
    for round in 0..3 {
        for (number, id) in ids.iter().enumerate() {
            let doc = node.document(*id).await.unwrap();
            assert_eq!(text(&doc), format!("number {number}{}", ", again".repeat(round)));
            doc.edit(|doc| doc.text("body").push(", again")).unwrap();
        }
    }
    // Each was written in one session, however often it was closed.
    for id in &ids {
        let history = node.document(*id).await.unwrap().history();
        assert_eq!(history.len(), 4);
        assert!(history.iter().all(|change| change.session == history[0].session));
    }
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_keeps_its_document_open_and_goes_on_working() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(folder.path()).await;
    let doc = document(&node, "seen").await;
    let view = doc.view(|doc| doc.text("body")).unwrap();
    let id = doc.id();
    drop(doc);
    for number in 0..20 {
        document(&node, &format!("other {number}")).await;
    }
    view.edit(4, 0, " and typed").unwrap();
    assert_eq!(view.text(), "seen and typed");
    let again = node.document(id).await.unwrap();
    again.edit(|doc| doc.text("body").insert(0, "just ")).unwrap();
    view.take();
    assert_eq!(view.text(), "just seen and typed");
    drop(view);
    assert_eq!(text(&again), "just seen and typed");
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_documents_are_listed_and_found_without_being_opened() {
    let folder = tempfile::tempdir().unwrap();
    let first = node(folder.path()).await;
    let mut ids = Vec::new();
    for number in 0..20 {
        let doc = document(&first, "text").await;
        first.name(doc.id(), &format!("name {number}")).await.unwrap();
        ids.push(doc.id());
    }
    first.shutdown().await.unwrap();
    let node = node(folder.path()).await;
    assert_eq!(node.documents().len(), 20);
    for (number, id) in ids.iter().enumerate() {
        let name = format!("name {number}");
        assert_eq!(node.find(&name).unwrap(), *id);
        assert_eq!(node.find(&id.to_string()[..20]).unwrap(), *id);
        let info = node.document_info(*id).unwrap();
        assert_eq!((info.name, info.policy, info.is_public), (Some(name), Policy::Owned, false));
    }
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_room_of_a_removed_document_is_used_again_and_given_back_when_the_node_ends() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = || std::fs::metadata(folder.path().join("store.redb")).unwrap().len();
    let mut state = 1_u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + state.to_be_bytes()[0] % 26)
    };
    let large: String = (0..300_000).map(|_| letter()).collect();
    let (mut sizes, mut ended) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let node = node(folder.path()).await;
        let doc = node.create(Policy::Owned, |doc| doc.text("body")).await.unwrap();
        for part in large.as_bytes().chunks(10_000) {
            doc.edit(|doc| doc.text("body").push(std::str::from_utf8(part).unwrap())).unwrap();
        }
        doc.flush().await.unwrap();
        let id = doc.id();
        let error = node.forget(id).await.unwrap_err();
        assert_eq!(pistol::Error::from(error).kind(), ErrorKind::DocumentInUse);
        drop(doc);
        node.forget(id).await.unwrap();
        assert_eq!(node.documents(), []);
        assert!(node.document(id).await.is_err());
        sizes.push(bytes());
        node.shutdown().await.unwrap();
        ended.push(bytes());
    }
    assert!(ended.iter().all(|bytes| *bytes < sizes[0] / 2), "{ended:?} of {sizes:?}");
    assert!(sizes[3] < 2 * sizes[0], "the file grows although its documents are gone: {sizes:?}");
    let node = node(folder.path()).await;
    let kept = document(&node, "kept").await.id();
    node.shutdown().await.unwrap();
    let compacted = pistol::compact(folder.path()).await.unwrap();
    assert_eq!((compacted.bytes_before, compacted.bytes_after), (compacted.bytes_before, bytes()));
    assert!(compacted.bytes_after < sizes[3], "{compacted:?}");
    let node = Node::builder(folder.path()).offline().open().await.unwrap();
    assert_eq!(text(&node.document(kept).await.unwrap()), "kept");
    assert!(pistol::compact(folder.path()).await.is_err(), "it is open");
    node.shutdown().await.unwrap();
}
