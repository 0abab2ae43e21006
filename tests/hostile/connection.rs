//! What a node does about a peer that lies, on a real connection.

use std::time::Duration;

use pistol::hostile::{HostilePeer, Writer};
use pistol::{Doc, Node, Policy};

async fn honest(folder: &std::path::Path, policy: Policy) -> (Node, Doc) {
    let node = Node::builder(folder).listen("127.0.0.1:0".parse().unwrap()).open().await.unwrap();
    let doc = node.create(policy, |doc| doc.text("body")).await.unwrap();
    doc.edit(|doc| doc.text("body").push("mine")).unwrap();
    doc.flush().await.unwrap();
    (node, doc)
}

/// What an honest document says and refused after an envelope of a stranger's.
async fn after(policy: Policy, envelope: impl FnOnce(&HostilePeer, &Doc) -> Vec<u8>) -> (String, Vec<(String, u64)>) {
    let folder = tempfile::tempdir().unwrap();
    let (node, doc) = honest(folder.path(), policy).await;
    let mut peer = HostilePeer::connect(&doc.ticket(), [7; 32]).await.unwrap();
    let envelope = envelope(&peer, &doc);
    peer.send_envelope(&envelope).await.unwrap();
    peer.acknowledged().await.unwrap();
    let (text, refusals) = (doc.read(|doc| doc.text("body").to_string()), doc.status().refusals);
    peer.close().await;
    node.shutdown().await.unwrap();
    (text, refusals)
}

fn written(writer: &mut Writer) -> &mut Writer {
    writer.edit(|doc| doc.text("body").insert(0, "not ")).unwrap();
    writer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_may_write_in_a_world_writable_document_only() {
    for (policy, expected, refused) in [(Policy::WorldWritable, "not mine", 0), (Policy::Owned, "mine", 1)] {
        let (text, refusals) = after(policy, |peer, _| written(&mut peer.writer().unwrap()).envelope()).await;
        assert_eq!(text, expected);
        assert_eq!(refusals.len(), refused);
        assert!(refusals.iter().all(|(reason, _)| reason.contains("policy")), "{refusals:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_signature_and_anothers_chain_are_refused() {
    let forged = |peer: &HostilePeer, _: &Doc| written(&mut peer.writer().unwrap()).forged_envelope();
    let stolen = |peer: &HostilePeer, doc: &Doc| {
        let owner = doc.history()[0].author;
        written(&mut peer.writer_as(owner).unwrap()).envelope()
    };
    for (text, refusals) in [after(Policy::WorldWritable, forged).await, after(Policy::WorldWritable, stolen).await] {
        assert_eq!(text, "mine");
        assert!(refusals.len() == 1 && refusals[0].0.contains("signature is not the author's"), "{refusals:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_branches_of_a_fork_are_merged_and_its_author_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (node, doc) = honest(folder.path(), Policy::WorldWritable).await;
    let mut peer = HostilePeer::connect(&doc.ticket(), [7; 32]).await.unwrap();
    let mut one = peer.writer().unwrap();
    one.edit(|doc| doc.text("body").push(", we say")).unwrap();
    let mut two = one.fork().unwrap();
    one.edit(|doc| doc.text("body").push(" [left]")).unwrap();
    two.edit(|doc| doc.text("body").push(" [right]")).unwrap();
    for envelope in [one.envelope(), two.envelope()] {
        peer.send_envelope(&envelope).await.unwrap();
    }
    assert!(peer.acknowledged().await.unwrap().refused.is_empty());
    let text = doc.read(|doc| doc.text("body").to_string());
    assert!(text.starts_with("mine, we say") && text.contains("[left]") && text.contains("[right]"), "{text}");
    assert_eq!(doc.status().forks, [peer.author()]);
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_claims_four_gibibytes_ends_the_connection_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (node, doc) = honest(folder.path(), Policy::WorldWritable).await;
    let mut peer = HostilePeer::connect(&doc.ticket(), [7; 32]).await.unwrap();
    peer.send_raw(&[0xff; 4]).await.unwrap();
    assert!(peer.ended().await.unwrap().contains("Protocol"));
    let other = HostilePeer::connect(&doc.ticket(), [8; 32]).await.unwrap();
    assert!(!other.envelopes().is_empty());
    tokio::time::timeout(Duration::from_secs(20), node.shutdown()).await.unwrap().unwrap();
}
