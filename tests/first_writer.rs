//! What an application sees of a document where what somebody wrote is theirs, on two nodes and from a hostile peer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use pistol::hostile::HostilePeer;
use pistol::{Doc, EditError, Insert, Node, Policy, Preset, Slot, Value};

const LIMIT: Duration = Duration::from_secs(30);

struct Pair {
    _folders: [tempfile::TempDir; 2],
    nodes: [Node; 2],
    ann: Doc,
    bob: Doc,
}

async fn node(folder: &tempfile::TempDir) -> Node {
    Node::builder(folder.path()).listen("127.0.0.1:0".parse().unwrap()).open().await.unwrap()
}

/// Ann makes a document with a list, a text and a map; Bob joins.
async fn pair(policy: Policy) -> Pair {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let nodes = [node(&folders[0]).await, node(&folders[1]).await];
    let made = nodes[0].create(policy, |doc| {
        doc.list("list");
        doc.text("text");
        doc.map("map");
    });
    let ann = made.await.unwrap();
    let bob = nodes[1].join(&ann.ticket()).await.unwrap();
    Pair { _folders: folders, nodes, ann, bob }
}

impl Pair {
    async fn sync(&self) {
        for doc in [&self.ann, &self.bob] {
            doc.synced(LIMIT).await.unwrap();
        }
        let picture = |doc: &Doc| {
            let changes = doc.history().into_iter().map(|change| change.id).collect::<BTreeSet<_>>();
            (changes, doc.to_json())
        };
        assert_eq!(picture(&self.ann), picture(&self.bob));
    }

    async fn end(self) {
        for node in self.nodes {
            node.shutdown().await.unwrap();
        }
    }
}

fn wall() -> Policy {
    Preset::Wall.policy()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_what_is_anothers_fails_in_words_and_leaves_no_trace() {
    let pair = pair(wall()).await;
    let (ann, bob) = (&pair.ann, &pair.bob);
    let [ann_id, bob_id] = [0, 1].map(|at: usize| pair.nodes[at].author());
    let under = format!("{ann_id}/motto");
    ann.edit(|doc| {
        doc.list("list").push("Ann's");
        doc.text("text").push("Ann's");
        doc.put(&under, "hers");
        doc.map(&ann_id.to_string()).put("inner", 1);
    })
    .unwrap();
    pair.sync().await;
    let before = (bob.to_json(), bob.history().len(), bob.to_automerge());
    let refused = [
        bob.edit(|doc| doc.list("list").set(0, "Bob's")),
        bob.edit(|doc| doc.list("list").delete(0)),
        bob.edit(|doc| doc.text("text").delete(0, 1)),
        bob.edit(|doc| doc.put(&under, "his")),
        bob.edit(|doc| doc.delete(&under)),
        bob.edit(|doc| doc.map(&ann_id.to_string()).put("inner", 2)),
        bob.edit(|doc| doc.map("map").put("free", 2)),
        // One step of many is enough.
        bob.edit(|doc| {
            doc.list("list").push("Bob's");
            doc.list("list").delete(0);
        }),
    ];
    for refused in refused {
        let Err(EditError::NotYours { what, owner }) = &refused else { panic!("{refused:?}") };
        assert_eq!(*owner, Some(ann_id), "{what}");
        assert!(what.contains(&ann_id.to_string()), "{what}");
    }
    let nobodys = bob.edit(|doc| doc.put("plain", 1));
    assert!(matches!(nobodys, Err(EditError::NotYours { owner: None, .. })), "{nobodys:?}");
    assert_eq!((bob.to_json(), bob.history().len(), bob.to_automerge()), before);
    bob.edit(|doc| {
        doc.list("list").insert(0, "Bob's");
        doc.text("text").insert(2, "-Bob's-");
        doc.put(&bob_id.to_string(), "his");
    })
    .unwrap();
    pair.sync().await;
    let authors = ann.read(|doc| [0, 1].map(|at| doc.list("list").author(at).unwrap()));
    assert_eq!(authors, [bob_id, ann_id]);
    assert_eq!(ann.read(|doc| doc.text("text").to_string()), "An-Bob's-n's");
    let letters = ann.read(|doc| [0, 2, 9].map(|at| doc.text("text").author(at).unwrap()));
    assert_eq!(letters, [ann_id, bob_id, ann_id]);
    assert_eq!(ann.read(|doc| doc.author("list")), Some(ann_id), "what the document begins with is its creator's");
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn can_edit_says_what_edit_would_and_changes_nothing() {
    let pair = pair(wall()).await;
    pair.ann.edit(|doc| doc.list("list").push("Ann's")).unwrap();
    pair.sync().await;
    let before = pair.bob.to_automerge();
    pair.bob.can_edit(|doc| doc.list("list").push("Bob's")).unwrap();
    pair.bob.can_edit(|_| {}).unwrap();
    let refused = pair.bob.can_edit(|doc| doc.list("list").delete(0));
    assert!(matches!(refused, Err(EditError::NotYours { owner: Some(_), .. })), "{refused:?}");
    assert_eq!(pair.bob.to_automerge(), before);
    pair.bob.edit(|doc| doc.list("list").push("Bob's")).unwrap();
    pair.sync().await;
    assert_eq!(pair.ann.to_json()["list"], serde_json::json!(["Ann's", "Bob's"]));
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_typed_in_refuses_to_delete_anothers_letters_and_goes_on() {
    let pair = pair(wall()).await;
    pair.ann.edit(|doc| doc.text("text").push("Ann")).unwrap();
    pair.sync().await;
    let view = pair.bob.view(|doc| doc.text("text")).unwrap();
    let refused = view.edit(0, 1, "");
    assert!(matches!(refused, Err(EditError::NotYours { .. })), "{refused:?}");
    assert_eq!(view.text(), "Ann");
    view.edit(3, 0, " and Bob").unwrap();
    assert_eq!(
        (view.text(), pair.bob.read(|doc| doc.text("text").to_string())),
        ("Ann and Bob".into(), "Ann and Bob".into())
    );
    pair.sync().await;
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hostile_peer_does_to_anothers_entry_is_refused_and_what_it_adds_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder).await;
    let doc = node.create_for(Preset::Wall, |doc| doc.list("list")).await.unwrap();
    doc.edit(|doc| doc.list("list").push("mine")).unwrap();
    doc.flush().await.unwrap();
    let mut peer = HostilePeer::connect(&doc.ticket(), [7; 32]).await.unwrap();
    let mut writer = peer.writer().unwrap();
    writer.edit(|doc| doc.list("list").push("theirs")).unwrap();
    let added = writer.envelope();
    writer.edit(|doc| doc.list("list").set(0, "taken")).unwrap();
    writer.edit(|doc| doc.list("list").push("built on it")).unwrap();
    let taken = writer.envelope();
    for envelope in [added, taken] {
        peer.send_envelope(&envelope).await.unwrap();
    }
    assert_eq!(peer.acknowledged().await.unwrap().refused.len(), 2);
    assert_eq!(doc.to_json()["list"], serde_json::json!(["mine", "theirs"]));
    let refusals = doc.status().refusals;
    assert!(refusals.iter().any(|(reason, _)| reason.contains("somebody else wrote")), "{refusals:?}");
    peer.close().await;
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_counters_are_everybodys_and_a_shared_slot_is_whose_who_came_first() {
    let policy = Policy::FirstWriter { insert: Insert::Anywhere, shared_counters: true, shared_slots: true };
    let pair = pair(policy).await;
    let (ann, bob) = (&pair.ann, &pair.bob);
    let [ann_id, bob_id] = [0, 1].map(|at: usize| pair.nodes[at].author());
    ann.edit(|doc| {
        doc.increment("votes", 1);
        doc.map("map").put("room", "Ann");
    })
    .unwrap();
    pair.sync().await;
    bob.edit(|doc| doc.increment("votes", 1)).unwrap();
    let refused = bob.edit(|doc| doc.map("map").put("room", "Bob"));
    assert!(matches!(refused, Err(EditError::NotYours { owner: Some(owner), .. }) if owner == ann_id), "{refused:?}");
    pair.sync().await;
    assert_eq!(ann.read(|doc| doc.value("votes")), Some(Value::Counter(2)));
    let slot = bob.read(|doc| doc.map("map").slot("room"));
    assert!(matches!(&slot, Slot::Of(candidate) if candidate.author == ann_id), "{slot:?}");
    // Apart from each other both claim the other room, and nothing tells who was first.
    pair.nodes.iter().for_each(Node::pause);
    ann.edit(|doc| doc.map("map").put("other", "Ann")).unwrap();
    bob.edit(|doc| doc.map("map").put("other", "Bob")).unwrap();
    for node in &pair.nodes {
        node.resume().await.unwrap();
    }
    pair.sync().await;
    for doc in [ann, bob] {
        let (slot, value) = doc.read(|doc| (doc.map("map").slot("other"), doc.map("map").value("other")));
        let Slot::Contested(candidates) = slot else { panic!("{slot:?}") };
        let mut authors = [ann_id, bob_id];
        authors.sort_unstable();
        assert_eq!(candidates.iter().map(|candidate| candidate.author).collect::<Vec<_>>(), authors);
        assert_eq!(value, None, "none is picked");
        assert!(doc.read(|doc| doc.map("map").keys()).contains(&"other".to_owned()));
    }
    assert_eq!(ann.read(|doc| doc.map("map").slot("free")), Slot::Empty);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presets_are_the_policies_and_readers_that_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder).await;
    for (preset, is_public) in
        [(Preset::Private, false), (Preset::Published, true), (Preset::Wall, false), (Preset::Open, false)]
    {
        let doc = node.create_for(preset, |doc| doc.text("body")).await.unwrap();
        let info = node.documents().into_iter().find(|info| info.id == doc.id()).unwrap();
        assert_eq!((info.policy, info.is_public), (preset.policy(), is_public));
        doc.edit(|doc| doc.text("body").push("the creator writes in each")).unwrap();
    }
    node.shutdown().await.unwrap();
}
