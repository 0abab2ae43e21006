//! A store of several documents whose file is damaged anywhere: what is read is what was written, the rest is told of, and
//! peers send it again. `DAMAGE_RUNS=10000 cargo test --test damage` tries more places.

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

use pistol::{Doc, DocumentId, ErrorKind, Node, Policy};

const WITHIN: Duration = Duration::from_mins(1);

/// How many places are tried.
fn runs() -> u64 {
    std::env::var("DAMAGE_RUNS").map_or(200, |runs| runs.parse().unwrap())
}

async fn node(folder: &Path) -> Node {
    Node::builder(folder).listen("127.0.0.1:0".parse().unwrap()).open().await.unwrap()
}

async fn offline(folder: &Path) -> Result<Node, pistol::OpenError> {
    Node::builder(folder).offline().open().await
}

fn text(doc: &Doc) -> String {
    doc.read(|doc| doc.text("body").to_string())
}

/// Writes in several commits, so that there are several rows.
async fn write(doc: &Doc, words: &[&str]) {
    for word in words {
        doc.edit(|doc| doc.text("body").push(word)).unwrap();
        doc.flush().await.unwrap();
    }
}

struct Stored {
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
    file: Vec<u8>,
    texts: Vec<(DocumentId, String)>,
}

/// A store of four documents, closed.
async fn stored() -> Stored {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let (node, mut texts) = (offline(&path).await.unwrap(), Vec::new());
    for number in 0..4 {
        let doc = node.create(Policy::Owned, |doc| doc.text("body")).await.unwrap();
        node.name(doc.id(), &format!("document {number}")).await.unwrap();
        let words: Vec<String> = (0..12).map(|word| format!("{number}/{word} ").repeat(20)).collect();
        write(&doc, &words.iter().map(String::as_str).collect::<Vec<_>>()).await;
        texts.push((doc.id(), text(&doc)));
    }
    node.shutdown().await.unwrap();
    let file = std::fs::read(path.join("store.redb")).unwrap();
    Stored { _folder: folder, path, file, texts }
}

/// What became of damage.
#[derive(Debug, Default)]
struct Tally {
    whole: u64,
    told: u64,
    unopened: u64,
}

impl Stored {
    /// Opens the store with this file. Whatever is read is what was written.
    async fn check(&self, file: &[u8], what: &str, tally: &mut Tally) {
        self.put(file);
        let node = match offline(&self.path).await {
            Ok(node) => node,
            Err(error) => {
                let error = pistol::Error::from(error);
                assert_eq!(error.kind(), ErrorKind::StoreDamaged, "{what}: {error}");
                tally.unopened += 1;
                return;
            }
        };
        for (id, expected) in &self.texts {
            match node.document(*id).await {
                Ok(doc) => {
                    assert!(text(&doc) == *expected, "{what}: {id} is silently wrong");
                    tally.whole += 1;
                }
                Err(error) => {
                    let error = pistol::Error::from(error);
                    let is_told = error.kind() == ErrorKind::StoreDamaged
                        || (error.kind() == ErrorKind::NotFound && !node.damage().is_empty());
                    assert!(is_told, "{what}: {error}");
                    tally.told += 1;
                }
            }
        }
        node.shutdown().await.unwrap();
    }

    fn put(&self, file: &[u8]) {
        for entry in std::fs::read_dir(&self.path).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.starts_with("store.redb") {
                std::fs::remove_file(path).unwrap();
            }
        }
        std::fs::write(self.path.join("store.redb"), file).unwrap();
    }
}

/// A fixed sequence (Knuth's MMIX constants): the same places in every run.
struct Places(u64);

impl Places {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_anywhere_never_makes_a_document_silently_wrong_and_others_open() {
    let stored = stored().await;
    let (mut in_header, mut anywhere, mut places) = (Tally::default(), Tally::default(), Places(1));
    for run in 0..runs() {
        // A fourth of them in the header: without it the database does not open, and that is told.
        let (within, tally) = if run % 4 == 0 { (320, &mut in_header) } else { (stored.file.len(), &mut anywhere) };
        let (place, bit) = (places.next(within), places.next(8));
        let mut file = stored.file.clone();
        file[place] ^= 1 << bit;
        stored.check(&file, &format!("bit {bit} of byte {place}"), tally).await;
    }
    println!("in the header {in_header:?}, anywhere {anywhere:?}");
    assert!(anywhere.whole > anywhere.told * 20, "one bit harms one document: {anywhere:?}");
    assert!(anywhere.unopened * 50 < runs(), "a store with one wrong bit opens: {anywhere:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_store_is_told_of_and_what_is_read_is_right() {
    let stored = stored().await;
    let mut tally = Tally::default();
    let parts = (runs() / 6).clamp(32, 512) as usize;
    for part in 0..parts {
        let length = stored.file.len() * part / parts;
        stored.check(&stored.file[..length], &format!("{length} bytes"), &mut tally).await;
    }
    println!("{tally:?}");
}

/// Alters the bytes of the file where these lie.
fn alter(folder: &Path, bytes: &[u8]) {
    let path = folder.join("store.redb");
    let mut file = std::fs::read(&path).unwrap();
    let places: Vec<usize> = (0..file.len() - bytes.len()).filter(|at| file[*at..].starts_with(bytes)).collect();
    assert!(!places.is_empty(), "the bytes are in the file");
    places.into_iter().for_each(|at| file[at + 3] ^= 4);
    std::fs::write(path, file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_document_is_repaired_from_a_peer_and_keeps_what_only_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let (first, friend) = (node(&one).await, node(&two).await);
    let mine = first.create(Policy::WorldWritable, |doc| doc.text("body")).await.unwrap();
    write(&mine, &["begin ", "uncompressible-marker-of-the-second-row ", "third "]).await;
    let theirs = friend.join(&mine.ticket()).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    first.join(&theirs.ticket()).await.unwrap();
    friend.pause();
    first.pause();
    // What the friend never saw lies behind what will be damaged.
    write(&mine, &["only here "]).await;
    let other = first.create(Policy::Owned, |doc| doc.text("body").push("another document")).await.unwrap();
    let (id, expected, other_id) = (mine.id(), text(&mine), other.id());
    first.shutdown().await.unwrap();
    drop((mine, other));
    alter(&one, b"marker-of-the-second-row");

    let first = offline(&one).await.unwrap();
    assert!(!first.damage().is_empty(), "the file was damaged");
    assert_eq!(text(&first.document(other_id).await.unwrap()), "another document");
    let error = pistol::Error::from(first.document(id).await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::StoreDamaged);
    assert!(error.to_string().contains("of its changes were lost here"), "{error}");
    first.shutdown().await.unwrap();

    friend.resume().await.unwrap();
    let first = node(&one).await;
    let mine = first.join(&theirs.ticket()).await.unwrap();
    assert_eq!(text(&mine), expected);
    assert_eq!(mine.status().damage, None);
    mine.synced(WITHIN).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    assert_eq!(text(&theirs), expected, "what only the damaged store held is everywhere");
    first.shutdown().await.unwrap();
    friend.shutdown().await.unwrap();
    drop((mine, theirs));
    let first = offline(&one).await.unwrap();
    assert_eq!(text(&first.document(id).await.unwrap()), expected, "it is whole on disk");
    first.shutdown().await.unwrap();
    let report = pistol::examine(&one).await.unwrap();
    assert!(report.is_healthy(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_nobody_else_holds_opens_with_what_is_left_once_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one");
    let first = offline(&path).await.unwrap();
    let mine = first.create(Policy::Owned, |doc| doc.text("body")).await.unwrap();
    write(&mine, &["begin ", "uncompressible-marker-of-the-second-row ", "third "]).await;
    let id = mine.id();
    first.shutdown().await.unwrap();
    drop(mine);
    alter(&path, b"marker-of-the-second-row");
    let report = pistol::examine(&path).await.unwrap();
    assert!(!report.is_healthy(), "{report}");
    let report = pistol::repair(&path).await.unwrap();
    assert!(report.is_healthy(), "{report}");
    assert!(report.to_string().contains("what was made here and never synced is lost"), "{report}");
    let first = offline(&path).await.unwrap();
    let mine = first.document(id).await.unwrap();
    assert_eq!(text(&mine), "begin ");
    assert!(mine.status().damage.is_some(), "it is told for as long as it is so");
    write(&mine, &["and on"]).await;
    first.shutdown().await.unwrap();
    drop(mine);
    let first = offline(&path).await.unwrap();
    assert_eq!(text(&first.document(id).await.unwrap()), "begin and on");
    first.shutdown().await.unwrap();
}
