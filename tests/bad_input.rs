//! Bad input from disk, user and network: a clear error with what to do, or a counted refusal; the node goes on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pistol::hostile::{HostilePeer, Message, message};
use pistol::{Doc, DocumentId, ErrorKind, Node, Policy};

const WITHIN: Duration = Duration::from_mins(1);

async fn node(folder: &Path) -> Node {
    Node::builder(folder).listen("127.0.0.1:0".parse().unwrap()).open().await.unwrap()
}

async fn shared(node: &Node) -> Doc {
    let doc = node.create(Policy::WorldWritable, |doc| doc.text("body")).await.unwrap();
    doc.edit(|doc| doc.text("body").push("mine")).unwrap();
    doc.flush().await.unwrap();
    doc
}

fn text(doc: &Doc) -> String {
    doc.read(|doc| doc.text("body").to_string())
}

/// An honest node still shares a document with another one.
async fn still_serves(doc: &Doc) {
    let folder = tempfile::tempdir().unwrap();
    let other = node(folder.path()).await;
    let theirs = other.join(&doc.ticket()).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    assert_eq!(text(&theirs), text(doc));
    other.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_told_of_or_read_as_it_was_and_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let first = node(folder.path()).await;
    let doc = shared(&first).await;
    let id = doc.id();
    first.shutdown().await.unwrap();
    drop(doc);
    let file = folder.path().join("store.redb");
    let whole = std::fs::read(&file).unwrap();
    let mut told = 0;
    for damage in 0..40 {
        let mut bytes = whole.clone();
        match damage {
            0 => bytes.clear(),
            1 => bytes.truncate(whole.len() / 2),
            2 => bytes[..64].fill(b'x'),
            _ => bytes[damage * 997 * 31 % whole.len()] ^= 1 << (damage % 8),
        }
        std::fs::write(&file, &bytes).unwrap();
        match Node::builder(folder.path()).offline().open().await {
            Ok(node) => {
                match node.document(id).await {
                    Ok(doc) => assert_eq!(text(&doc), "mine", "damage {damage} read as something else"),
                    Err(error) => {
                        told += 1;
                        assert!(error.to_string().contains("connect to a peer"), "damage {damage}: {error}");
                    }
                }
                let _ = node.shutdown().await;
            }
            Err(error) => {
                told += 1;
                let error = pistol::Error::from(error);
                assert_eq!(error.kind(), ErrorKind::StoreDamaged, "damage {damage}: {error}");
            }
        }
    }
    assert!(told >= 3, "an empty, a halved and a foreign file are told of");
}

/// Text that no compression makes small.
fn noise(seed: usize, length: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ (seed as u64 + 1);
    let letter = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from_u32(0x4e00 + (state % 20_000) as u32).unwrap()
    };
    (0..length).map(letter).collect()
}

/// A small file system of its own; gone when dropped. `None` where the machine does not allow it.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(size: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mount = ["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"];
        let mounted = Command::new("mount").args(mount).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(SmallDisk(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_of_and_everything_is_kept_once_there_is_room() {
    let Some(disk) = SmallDisk::new("6m") else {
        return eprintln!("skipped: this machine lets the test mount no file system");
    };
    let ballast = disk.0.path().join("ballast");
    let folder = disk.0.path().join("store");
    let first = Node::builder(&folder).offline().open().await.unwrap();
    let doc = first.create(Policy::Owned, |doc| doc.text("body")).await.unwrap();
    // Fill the rest of the disk, then go on writing until the store has no room left.
    std::fs::write(&ballast, vec![0u8; 3 << 20]).unwrap();
    let mut written = 0;
    let failed = loop {
        let noise = noise(written, 4000);
        doc.edit(|doc| doc.text("body").push(&format!("{noise}{written}\n"))).unwrap();
        written += 1;
        if let Err(error) = doc.flush().await {
            break error;
        }
        assert!(written < 1000, "the disk never got full");
    };
    assert!(failed.to_string().contains("look at the disk"), "{failed}");
    assert!(doc.status().store_failure.is_some());
    assert_eq!(text(&doc).lines().count(), written, "reading and editing go on in memory");
    std::fs::remove_file(&ballast).unwrap();
    let kept = tokio::time::timeout(WITHIN, async { while doc.flush().await.is_err() {} }).await;
    assert!(kept.is_ok(), "the store takes it once there is room, without a restart");
    let id = doc.id();
    first.shutdown().await.unwrap();
    drop(doc);
    let again = Node::builder(&folder).offline().open().await.unwrap();
    assert_eq!(text(&again.document(id).await.unwrap()).lines().count(), written);
    again.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_and_an_unknown_document_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (node(&folder.path().join("one")).await, node(&folder.path().join("two")).await);
    let doc = shared(&one).await;
    let mut ticket = doc.ticket();
    ticket.document = DocumentId([9; 32]);
    let unknown = pistol::Error::from(two.join(&ticket).await.unwrap_err());
    assert!(unknown.to_string().contains("does not hold the document"), "{unknown}");
    let mut text = doc.ticket().to_string();
    text.insert(20, 'a');
    let damaged = pistol::Error::from(text.parse::<pistol::Ticket>().unwrap_err());
    assert_eq!(damaged.kind(), ErrorKind::BadTicket);
    let mut ticket = doc.ticket();
    ticket.read_key = None;
    let keyless = pistol::Error::from(two.join(&ticket).await.unwrap_err());
    assert_eq!(keyless.kind(), ErrorKind::BadTicket);
    assert!(keyless.to_string().contains("key"), "{keyless}");
    one.shutdown().await.unwrap();
    two.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_bytes_a_peer_sends_the_node_goes_on_with_others() {
    let folder = tempfile::tempdir().unwrap();
    let honest = node(folder.path()).await;
    let doc = shared(&honest).await;
    let garbage: Vec<u8> = (0..5000u32).map(|number| u8::try_from(number * 7919 % 251).unwrap()).collect();
    let frames: [&[u8]; 6] = [&[], &[1], &[5, 0], &[7, 0xff], &[99, 1, 2, 3], &garbage];
    for frame in frames {
        let mut peer = HostilePeer::connect(&doc.ticket(), [7; 32]).await.unwrap();
        // An empty frame is refused by our own side; the others reach the node.
        let _ = peer.send_frame(frame).await;
        peer.close().await;
    }
    for bytes in [vec![0xff; 4], vec![0; 4], [&[3, 0, 0, 0], garbage.as_slice()].concat(), garbage.clone()] {
        let mut peer = HostilePeer::dial(&doc.ticket(), [8; 32]).await.unwrap();
        peer.send_raw(&bytes).await.unwrap();
        peer.close().await;
    }
    assert_eq!(text(&doc), "mine");
    still_serves(&doc).await;
    honest.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_with_any_flipped_bit_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let honest = node(folder.path()).await;
    let doc = shared(&honest).await;
    let peer = HostilePeer::connect(&doc.ticket(), [7; 32]).await.unwrap();
    let mut writer = peer.writer().unwrap();
    writer.edit(|doc| doc.text("body").push("never")).unwrap();
    let envelope = writer.envelope();
    peer.close().await;
    // Bits spread over all of it; `pistol-core` tries every one.
    let bits: Vec<usize> = (0..envelope.len() * 8).step_by(envelope.len() * 8 / 90).collect();
    for bits in bits.chunks(20) {
        let mut peer = HostilePeer::connect(&doc.ticket(), [7; 32]).await.unwrap();
        for bit in bits {
            let mut flipped = envelope.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            peer.send_envelope(&flipped).await.unwrap();
        }
        peer.acknowledged().await.unwrap();
        peer.close().await;
    }
    assert_eq!(text(&doc), "mine");
    let refused: u64 = doc.status().refusals.iter().map(|(_, count)| count).sum();
    assert!(refused >= bits.len() as u64 / 2, "{refused} of {}", bits.len());
    still_serves(&doc).await;
    honest.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_stops_reading_holds_up_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let honest = node(folder.path()).await;
    let doc = shared(&honest).await;
    for part in 0..20 {
        let noise = noise(part, 20_000);
        doc.edit(|doc| doc.text("body").push(&noise)).unwrap();
    }
    doc.flush().await.unwrap();
    let mut peer = HostilePeer::dial(&doc.ticket(), [7; 32]).await.unwrap();
    peer.greet().await.unwrap();
    // It asks for everything again and again, and never reads an answer.
    for topic in (0..200).step_by(2) {
        let scope = message::Scope::Document(doc.id().0);
        let interest = message::Interest { topic, scope, proof: None, wants_genesis: true, extensions: vec![] };
        if peer.send(&Message::Interest(interest)).await.is_err() {
            break;
        }
    }
    still_serves(&doc).await;
    peer.close().await;
    honest.shutdown().await.unwrap();
}
