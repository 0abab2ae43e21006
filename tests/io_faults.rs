//! The n-th access to the disk fails, for n = 1, 2, 3, ... until none does, in each thing that a node does: it says what
//! is the matter, loses nothing that it acknowledged, and goes on without a restart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::fmt::Display;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pistol::{Doc, DocumentId, Node, Policy, RootKey};
use pistol_core::store::redb::faults::FaultyFolder;

const WITHIN: Duration = Duration::from_mins(2);
/// Trials at once: most of each is waiting.
const AT_ONCE: u64 = 16;
/// Where each trial has two nodes, which must meet in time.
const PAIRS_AT_ONCE: u64 = 4;
/// Accesses that anything takes, at most.
const ACCESSES_MAX: u64 = 2000;

/// How the disk fails.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Once,
    /// From then on; in every other trial since the disk is full.
    UntilHealed,
}

/// A folder in which the n-th access is going to fail.
struct Trial {
    faults: FaultyFolder,
    path: PathBuf,
    number: u64,
    trouble: Trouble,
    _folder: tempfile::TempDir,
}

impl Trial {
    fn new(number: u64, trouble: Trouble) -> Trial {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node");
        Trial { faults: FaultyFolder::new(&path), path, number, trouble, _folder: folder }
    }

    fn arm(&self) {
        match self.trouble {
            Trouble::Once => self.faults.fail_once(self.number, ErrorKind::Other),
            Trouble::UntilHealed if self.number.is_multiple_of(2) => {
                self.faults.fail_from(self.number, ErrorKind::Other);
            }
            Trouble::UntilHealed => self.faults.fail_from(self.number, ErrorKind::StorageFull),
        }
    }

    async fn open(&self) -> Result<Node, pistol::OpenError> {
        Node::builder(&self.path).listen("127.0.0.1:0".parse().unwrap()).open().await
    }

    /// A node with a document that says "before ", all of it durable.
    async fn node(&self) -> (Node, Doc) {
        let node = self.open().await.unwrap();
        let doc = node.create(Policy::WorldWritable, |doc| doc.text("body")).await.unwrap();
        write(&doc, "before ");
        doc.flush().await.unwrap();
        (node, doc)
    }

    /// The disk is well again. Whether it was not.
    fn heal(&self) -> bool {
        self.faults.heal();
        self.faults.has_failed()
    }

    /// What the document says when the node was closed and opened again.
    async fn reopened(&self, node: Node, id: DocumentId) -> String {
        node.shutdown().await.unwrap();
        let node = self.open().await.unwrap();
        let said = text(&node.document(id).await.unwrap());
        node.shutdown().await.unwrap();
        said
    }

    fn what(&self) -> String {
        format!("{:?} at access {}", self.trouble, self.number)
    }
}

/// Tries something that accesses the disk with each access failing, until nothing fails; `trial` says whether something
/// did.
async fn at_each_access<T>(at_once: u64, trial: impl Fn(Trial) -> T)
where
    T: Future<Output = bool> + Send + 'static,
{
    assert!(at_each_access_if_any(at_once, trial).await > 0, "nothing was accessed");
}

/// The same with what may find all that it needs in the database's cache. Returns how many accesses failed.
async fn at_each_access_if_any<T>(at_once: u64, trial: impl Fn(Trial) -> T) -> u64
where
    T: Future<Output = bool> + Send + 'static,
{
    let mut failed_in_all = 0;
    for trouble in [Trouble::Once, Trouble::UntilHealed] {
        for first in (0..ACCESSES_MAX).step_by(usize::try_from(at_once).unwrap()) {
            let numbers = first..first + at_once;
            let trials: Vec<_> = numbers.map(|number| tokio::spawn(trial(Trial::new(number, trouble)))).collect();
            let mut failed = 0;
            for trial in trials {
                failed += u64::from(trial.await.unwrap());
            }
            failed_in_all += failed;
            if failed < at_once {
                break;
            }
            assert!(first + at_once < ACCESSES_MAX, "{trouble:?}: it does not end");
        }
    }
    failed_in_all
}

fn write(doc: &Doc, words: &str) {
    doc.edit(|doc| doc.text("body").push(words)).unwrap();
}

fn text(doc: &Doc) -> String {
    doc.read(|doc| doc.text("body").to_string())
}

/// A message says the cause and what to do.
fn check_words(error: &impl Display) {
    let words = error.to_string();
    let remedies = ["check the disk", "free some space", "look at the disk", "check that the other side"];
    assert!(remedies.iter().any(|remedy| words.contains(remedy)), "no word on what to do: {words}");
    assert!(!words.contains("panic"), "{words}");
}

/// Does something again until it succeeds, without opening the node again.
async fn until_done<T, E: Display, F: Future<Output = Result<T, E>>>(what: &str, mut attempt: impl FnMut() -> F) -> T {
    let end = Instant::now() + WITHIN;
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) if Instant::now() > end => panic!("{what}: it does not recover: {error}"),
            Err(error) => check_words(&error),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Copies a closed node's folder.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn making_a_node() {
    at_each_access(AT_ONCE, |trial: Trial| async move {
        trial.arm();
        let first = trial.open().await;
        let has_failed = trial.heal();
        let what = trial.what();
        let node = match first {
            Ok(node) => node,
            Err(error) => {
                check_words(&error);
                trial.open().await.unwrap()
            }
        };
        let author = node.author();
        let doc = node.create(Policy::Owned, |doc| doc.text("body").push("here")).await.unwrap();
        let id = doc.id();
        assert_eq!(trial.reopened(node, id).await, "here", "{what}");
        let node = trial.open().await.unwrap();
        assert_eq!(node.author(), author, "{what}");
        node.shutdown().await.unwrap();
        has_failed
    })
    .await;
}

/// A closed node with a document that says "here".
async fn base(path: &Path) -> DocumentId {
    let node = Node::builder(path).offline().open().await.unwrap();
    let doc = node.create(Policy::WorldWritable, |doc| doc.text("body").push("here ")).await.unwrap();
    node.shutdown().await.unwrap();
    doc.id()
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_a_node() {
    let folder = tempfile::tempdir().unwrap();
    let id = base(folder.path()).await;
    at_each_access(AT_ONCE, |trial: Trial| {
        copy(folder.path(), &trial.path);
        async move {
            trial.arm();
            let first = trial.open().await;
            let has_failed = trial.heal();
            let node = match first {
                Ok(node) => node,
                Err(error) => {
                    check_words(&error);
                    trial.open().await.unwrap()
                }
            };
            assert_eq!(trial.reopened(node, id).await, "here ", "{}", trial.what());
            has_failed
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let id = base(folder.path()).await;
    at_each_access_if_any(AT_ONCE, |trial: Trial| {
        copy(folder.path(), &trial.path);
        async move {
            let node = trial.open().await.unwrap();
            trial.arm();
            let first = node.document(id).await;
            let has_failed = trial.heal();
            let doc = match first {
                Ok(doc) => doc,
                Err(error) => {
                    check_words(&error);
                    until_done(&trial.what(), || node.document(id)).await
                }
            };
            assert_eq!(text(&doc), "here ");
            node.shutdown().await.unwrap();
            has_failed
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_and_naming_a_document() {
    at_each_access(AT_ONCE, |trial: Trial| async move {
        let (node, old) = trial.node().await;
        trial.arm();
        let created = node.create(Policy::Owned, |doc| doc.text("body").push("new")).await;
        let named = node.name(old.id(), "name").await;
        let has_failed = trial.heal();
        let doc = match created {
            Ok(doc) => doc,
            Err(error) => {
                check_words(&error);
                let new = || node.create(Policy::Owned, |doc| doc.text("body").push("new"));
                until_done(&trial.what(), new).await
            }
        };
        if let Err(error) = named {
            check_words(&error);
            until_done(&trial.what(), || node.name(old.id(), "name")).await;
        }
        let id = doc.id();
        assert_eq!(trial.reopened(node, id).await, "new", "{}", trial.what());
        let node = trial.open().await.unwrap();
        assert_eq!(node.find("name").unwrap(), old.id());
        assert_eq!(text(&node.document(old.id()).await.unwrap()), "before ");
        node.shutdown().await.unwrap();
        has_failed
    })
    .await;
}

/// An identity that no device is certified in belongs to nobody who is there.
#[tokio::test(flavor = "multi_thread")]
async fn making_an_identity() {
    at_each_access(AT_ONCE, |trial: Trial| async move {
        let node = trial.open().await.unwrap();
        let root = RootKey::new().unwrap();
        trial.arm();
        let made = node.create_identity(&root).await.map(|identity| identity.id());
        // The disk may still be full when the node ends.
        let _ = node.shutdown().await;
        let has_failed = trial.heal();
        let node = trial.open().await.unwrap();
        let found: Vec<DocumentId> = node.identities().iter().map(|info| info.id).collect();
        for id in &found {
            assert_eq!(node.identity(*id).await.unwrap().devices().len(), 1, "{}", trial.what());
        }
        match made {
            Ok(id) => assert_eq!(found, [id], "{}", trial.what()),
            Err(error) => check_words(&error),
        }
        node.shutdown().await.unwrap();
        has_failed
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn editing_and_flushing() {
    at_each_access(AT_ONCE, |trial: Trial| async move {
        let (node, doc) = trial.node().await;
        trial.arm();
        write(&doc, "during ");
        let flushed = doc.flush().await;
        // Reading and editing go on whatever the disk does.
        assert_eq!(text(&doc), "before during ");
        write(&doc, "and ");
        let has_failed = trial.heal();
        if let Err(error) = flushed {
            check_words(&error);
            let status = doc.status().store_failure;
            assert!(status.is_some(), "{}: the status says why", trial.what());
        }
        until_done(&trial.what(), || doc.flush()).await;
        assert_eq!(doc.status().store_failure, None, "{}", trial.what());
        write(&doc, "after");
        until_done(&trial.what(), || doc.flush()).await;
        let id = doc.id();
        assert_eq!(trial.reopened(node, id).await, "before during and after", "{}", trial.what());
        has_failed
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_a_document() {
    at_each_access(AT_ONCE, |trial: Trial| async move {
        let (node, doc) = trial.node().await;
        let other = node.create(Policy::Owned, |doc| doc.text("body").push("kept")).await.unwrap();
        let (id, kept) = (doc.id(), other.id());
        drop(doc);
        trial.arm();
        let removed = node.forget(id).await;
        let has_failed = trial.heal();
        if let Err(error) = removed {
            check_words(&error);
        }
        // It is gone from here on, and its rows go when the disk lets them.
        assert!(node.document_info(id).is_none(), "{}", trial.what());
        until_done(&trial.what(), || node.flush()).await;
        assert_eq!(text(&other), "kept", "{}", trial.what());
        node.shutdown().await.unwrap();
        let node = trial.open().await.unwrap();
        assert!(node.document_info(id).is_none(), "{}", trial.what());
        assert_eq!(text(&node.document(kept).await.unwrap()), "kept", "{}", trial.what());
        node.shutdown().await.unwrap();
        has_failed
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn making_the_file_small() {
    let folder = tempfile::tempdir().unwrap();
    let id = base(folder.path()).await;
    at_each_access(AT_ONCE, |trial: Trial| {
        copy(folder.path(), &trial.path);
        async move {
            trial.arm();
            let compacted = pistol::compact(&trial.path).await;
            let has_failed = trial.heal();
            if let Err(error) = compacted {
                check_words(&error);
                pistol::compact(&trial.path).await.unwrap();
            }
            let node = trial.open().await.unwrap();
            assert_eq!(trial.reopened(node, id).await, "here ", "{}", trial.what());
            has_failed
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_a_node() {
    at_each_access(AT_ONCE, |trial: Trial| async move {
        let (node, doc) = trial.node().await;
        trial.arm();
        write(&doc, "last");
        let id = doc.id();
        let closed = node.shutdown().await;
        let has_failed = trial.heal();
        if let Err(error) = &closed {
            check_words(error);
        }
        let node = trial.open().await.unwrap();
        let said = text(&node.document(id).await.unwrap());
        // What was not acknowledged may be there too.
        let is_kept = said == "before last" || (closed.is_err() && said == "before ");
        assert!(is_kept, "{}: {said}", trial.what());
        node.shutdown().await.unwrap();
        has_failed
    })
    .await;
}

/// A friend whose disk is well.
async fn friend() -> (tempfile::TempDir, Node) {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::builder(folder.path()).listen("127.0.0.1:0".parse().unwrap()).open().await.unwrap();
    (folder, node)
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_and_receiving() {
    at_each_access(PAIRS_AT_ONCE, |trial: Trial| async move {
        let (_folder, friend) = friend().await;
        let theirs = friend.create(Policy::WorldWritable, |doc| doc.text("body").push("theirs ")).await.unwrap();
        let node = trial.open().await.unwrap();
        trial.arm();
        let joined = node.join(&theirs.ticket()).await;
        let has_failed = trial.heal();
        let mine = match joined {
            Ok(doc) => doc,
            Err(error) => {
                check_words(&error);
                let ticket = theirs.ticket();
                until_done(&trial.what(), || node.join(&ticket)).await
            }
        };
        write(&mine, "mine ");
        until_done(&trial.what(), || mine.synced(WITHIN)).await;
        let said = text(&mine);
        assert!(said.contains("theirs ") && said.contains("mine "), "{}: {said}", trial.what());
        let id = mine.id();
        let reopened = trial.reopened(node, id).await;
        assert!(reopened.contains("theirs ") && reopened.contains("mine "), "{}: {reopened}", trial.what());
        friend.shutdown().await.unwrap();
        has_failed
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sharing() {
    at_each_access_if_any(PAIRS_AT_ONCE, |trial: Trial| async move {
        let (node, mine) = trial.node().await;
        let (_folder, friend) = friend().await;
        trial.arm();
        let joined = friend.join(&mine.ticket()).await;
        let synced = match &joined {
            Ok(theirs) => theirs.synced(Duration::from_secs(1)).await.is_ok(),
            Err(_) => false,
        };
        let has_failed = trial.heal();
        let theirs = if let Ok(theirs) = joined {
            theirs
        } else {
            let ticket = mine.ticket();
            until_done(&trial.what(), || friend.join(&ticket)).await
        };
        if !synced {
            until_done(&trial.what(), || theirs.synced(WITHIN)).await;
        }
        assert_eq!(text(&theirs), "before ", "{}", trial.what());
        assert_eq!(mine.status().store_failure, None, "{}", trial.what());
        friend.shutdown().await.unwrap();
        until_done(&trial.what(), || node.flush()).await;
        node.shutdown().await.unwrap();
        has_failed
    })
    .await;
}
