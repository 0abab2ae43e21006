//! The doctor finds what is wrong with a folder, says what to do, and acts where it may.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use pistol::{Author, Doc, DocumentId, Node, Policy, Preset, Role, Subject};
use pistol_core::store::redb::{RedbOptions, RedbStore};
use pistol_core::store::schema::{self, LogNumber};
use pistol_core::store::{Batch, Row, Store, Table};

/// A store with two documents, one of them long enough for a snapshot; closed.
async fn stored(folder: &Path) -> (PathBuf, DocumentId) {
    let path = folder.join("store");
    let node = Node::builder(&path).offline().open().await.unwrap();
    let long = node.create(Policy::Owned, |doc| doc.text("body")).await.unwrap();
    node.name(long.id(), "long").await.unwrap();
    for _ in 0..5 {
        for _ in 0..500 {
            long.edit(|doc| doc.text("body").push("x")).unwrap();
        }
        long.flush().await.unwrap();
    }
    let short = node.create(Policy::Owned, |doc| doc.text("body")).await.unwrap();
    for _ in 0..3 {
        short.edit(|doc| doc.text("body").push("y")).unwrap();
        short.flush().await.unwrap();
    }
    let id = long.id();
    node.shutdown().await.unwrap();
    (path, id)
}

fn open(path: &Path) -> RedbStore {
    RedbStore::open(&path.join("store.redb"), RedbOptions::default()).unwrap()
}

fn rows(store: &RedbStore, table: Table) -> Vec<Row> {
    store.range(table, b"", &[0xff; 64], usize::MAX).unwrap()
}

/// What is wrong with a store: its name, and how it comes about.
type Wrong = (&'static str, fn(&RedbStore, &mut Batch));

const WRONGS: [Wrong; 9] = [
    ("need some of those", |store, batch| {
        let (key, _) = rows(store, Table::Envelopes)[0].clone();
        batch.remove(Table::Envelopes, key);
        batch.remove(Table::Snapshots, rows(store, Table::Snapshots)[0].0.clone());
    }),
    ("are lost here", |store, batch| {
        let (key, mut value) = rows(store, Table::Tail).pop().unwrap();
        let at = value.len() - 3;
        value[at] ^= 1;
        batch.put(Table::Tail, key, value);
    }),
    ("how many there were is not known", |store, batch| {
        let (key, _) = rows(store, Table::Ends)[0].clone();
        batch.remove(Table::Ends, key);
    }),
    ("its snapshot is damaged", |store, batch| {
        let (key, mut value) = rows(store, Table::Snapshots)[0].clone();
        value[50] ^= 1;
        batch.put(Table::Snapshots, key, value);
    }),
    ("the beginning of a document is lost", |store, batch| {
        let (key, _) = rows(store, Table::Logs)[1].clone();
        batch.put(Table::Logs, key, b"nonsense");
    }),
    ("stands for no document", |_, batch| {
        batch.put(Table::Names, schema::name_key("ghost"), schema::name_value([7; 32]));
    }),
    ("belong to no document", |_, batch| {
        let session = schema::SessionRecord { session: 1, is_started: true };
        batch.put(Table::Sessions, LogNumber(77).key(), session.to_value());
    }),
    ("belong to no document", |_, batch| batch.put(Table::Peers, [1; 32], b"nowhere")),
    ("the row 'node' is lost", |_, batch| batch.remove(Table::Meta, schema::NODE_SECRET_KEY)),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_store_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = stored(folder.path()).await;
    for _ in 0..2 {
        let report = pistol::examine(&path).await.unwrap();
        assert_eq!((report.findings.len(), report.documents, report.changes), (0, 2, 2503), "{report}");
        let report = pistol::repair(&path).await.unwrap();
        assert_eq!(report.findings, [], "there is nothing to act on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_is_wrong_is_found_explained_and_put_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = stored(folder.path()).await;
    let whole = fs::read(path.join("store.redb")).unwrap();
    for (words, wrong) in WRONGS {
        fs::write(path.join("store.redb"), &whole).unwrap();
        let mut store = open(&path);
        let mut batch = Batch::default();
        wrong(&store, &mut batch);
        store.commit(&batch).unwrap();
        drop(store);
        let report = pistol::examine(&path).await.unwrap();
        assert!(!report.is_healthy() && report.to_string().contains(words), "{words}: {report}");
        assert!(report.findings.iter().all(|finding| !finding.help.is_empty()));
        let again = pistol::examine(&path).await.unwrap();
        assert_eq!(again, report, "looking changes nothing");
        let repaired = pistol::repair(&path).await.unwrap();
        assert!(repaired.findings.iter().any(|finding| finding.is_repaired), "{words}: {repaired}");
        let after = pistol::examine(&path).await.unwrap();
        let is_told = after.findings.iter().all(|finding| !finding.what.is_empty());
        assert!(is_told && (after.is_healthy() || words.contains("beginning")), "{words}: {after}");
        let node = Node::builder(&path).offline().open().await.unwrap();
        for document in node.documents() {
            node.document(document.id).await.unwrap();
        }
        node.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_all_that_is_left_of_damaged_rows_is_kept_until_a_repair_puts_it_into_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, id) = stored(folder.path()).await;
    let mut store = open(&path);
    let mut batch = Batch::default();
    batch.remove(Table::Envelopes, rows(&store, Table::Envelopes)[0].0.clone());
    store.commit(&batch).unwrap();
    drop(store);
    // An opening finds out, and throws nothing away.
    let node = Node::builder(&path).offline().open().await.unwrap();
    assert!(node.document(id).await.is_err());
    node.shutdown().await.unwrap();
    let snapshots = || rows(&open(&path), Table::Snapshots).len();
    assert_eq!(snapshots(), 1);
    // Nor does a repair by somebody who cannot tell whose picture it is.
    let key = fs::read(path.join("author.key")).unwrap();
    fs::remove_file(path.join("author.key")).unwrap();
    let report = pistol::repair(&path).await.unwrap();
    assert!(report.to_string().contains("unseal the key"), "{report}");
    assert_eq!(snapshots(), 1);
    fs::write(path.join("author.key"), key).unwrap();
    // What an earlier repair put into a file stays.
    let kept = |number: u8| path.join(format!("{id}-{number}.automerge"));
    fs::write(kept(1), "of an earlier repair").unwrap();
    let report = pistol::repair(&path).await.unwrap();
    assert!(report.to_string().contains("-2.automerge"), "{report}");
    assert_eq!((snapshots(), fs::read(kept(1)).unwrap()), (0, b"of an earlier repair".to_vec()));
    let shown = automerge::Automerge::load(&fs::read(kept(2)).unwrap()).unwrap();
    let (_, body) = automerge::ReadDoc::get(&shown, automerge::ROOT, "body").unwrap().unwrap();
    assert_eq!(automerge::ReadDoc::text(&shown, body).unwrap(), "x".repeat(2500));
    let node = Node::builder(&path).offline().open().await.unwrap();
    node.document(id).await.unwrap();
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_a_document_whose_beginning_was_lost_are_put_to_it_when_it_is_here_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, id) = stored(folder.path()).await;
    let node = Node::builder(&path).offline().open().await.unwrap();
    let file = node.document(id).await.unwrap().to_pistol().await.unwrap();
    let doc = node.document(id).await.unwrap();
    doc.edit(|doc| doc.text("body").push(" and later")).unwrap();
    node.shutdown().await.unwrap();
    drop(doc);
    let mut store = open(&path);
    let mut batch = Batch::default();
    batch.put(Table::Logs, LogNumber(0).key(), b"nonsense");
    store.commit(&batch).unwrap();
    drop(store);
    pistol::repair(&path).await.unwrap();
    let node = Node::builder(&path).offline().open().await.unwrap();
    assert_eq!(node.documents().len(), 1);
    node.import(&file).await.unwrap();
    node.shutdown().await.unwrap();
    let report = pistol::repair(&path).await.unwrap();
    assert!(report.to_string().contains("they are put to it"), "{report}");
    let node = Node::builder(&path).offline().open().await.unwrap();
    let doc = node.document(id).await.unwrap();
    assert!(doc.read(|doc| doc.text("body").to_string()).ends_with("x and later"));
    node.shutdown().await.unwrap();
    drop(doc);
    let report = pistol::examine(&path).await.unwrap();
    assert!(report.is_healthy(), "{report}");
}

/// A store with a document of members of which the beginning was lost after Bob was granted a part, wrote, and Cy was granted
/// one; and what it held, as files: at first, with Bob's grant, and all.
struct Lost {
    path: PathBuf,
    id: DocumentId,
    bob: Author,
    cy: Author,
    files: [Vec<u8>; 3],
}

impl Lost {
    /// `is_lost`: rows that were lost with the beginning.
    async fn new(folder: &Path, is_lost: fn(Table, &[u8]) -> bool) -> Lost {
        let (path, apart) = (folder.join("ann"), folder.join("bob"));
        let [ann, bob] = [offline(&path).await, offline(&apart).await];
        let cy = pistol_core::key::AuthorKey::from_seed(&[3; 32]).id();
        let doc = ann.create_for(Preset::Team, |doc| doc.text("body").push("Team: ")).await.unwrap();
        let first = saved(&doc).await;
        doc.grant(bob.author(), Role::Writer).unwrap();
        let granted = saved(&doc).await;
        let at_bobs = bob.import(&granted).await.unwrap();
        at_bobs.edit(|doc| doc.text("body").push("Bob")).unwrap();
        ann.import(&saved(&at_bobs).await).await.unwrap();
        doc.grant(cy, Role::Reader).unwrap();
        let files = [first, granted, saved(&doc).await];
        let lost = Lost { path, id: doc.id(), bob: bob.author(), cy, files };
        drop((doc, at_bobs));
        ann.shutdown().await.unwrap();
        bob.shutdown().await.unwrap();
        lost.lose(is_lost);
        pistol::repair(&lost.path).await.unwrap();
        lost
    }

    fn lose(&self, is_lost: fn(Table, &[u8]) -> bool) {
        let mut store = open(&self.path);
        let mut batch = Batch::default();
        batch.put(Table::Logs, LogNumber(0).key(), b"nonsense");
        for table in [Table::Envelopes, Table::Tail, Table::Ends, Table::Operations] {
            let lost = rows(&store, table).into_iter().filter(|(key, _)| is_lost(table, key));
            lost.for_each(|(key, _)| batch.remove(table, key));
        }
        store.commit(&batch).unwrap();
    }

    /// The document comes again, and a repair follows.
    async fn join_and_repair(&self, file: &[u8]) -> String {
        let node = offline(&self.path).await;
        node.import(file).await.unwrap();
        node.shutdown().await.unwrap();
        pistol::repair(&self.path).await.unwrap().to_string()
    }

    /// What the document shows, and who has a part in it.
    async fn shown(&self) -> (String, Vec<Subject>) {
        let node = offline(&self.path).await;
        let doc = node.document(self.id).await.unwrap();
        let shown = doc.read(|doc| doc.text("body").to_string());
        let mut members: Vec<Subject> = doc.members().into_iter().map(|member| member.subject).collect();
        members.sort_unstable();
        drop(doc);
        node.shutdown().await.unwrap();
        (shown, members)
    }

    fn members(&self) -> Vec<Subject> {
        let mut members = vec![Subject::Key(self.bob), Subject::Key(self.cy)];
        members.sort_unstable();
        members
    }
}

async fn offline(path: &Path) -> Node {
    Node::builder(path).offline().open().await.unwrap()
}

async fn saved(doc: &Doc) -> Vec<u8> {
    doc.flush().await.unwrap();
    doc.to_pistol().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_and_what_members_wrote_are_put_to_a_document_whose_beginning_was_lost() {
    let folder = tempfile::tempdir().unwrap();
    let lost = Lost::new(folder.path(), |_, _| false).await;
    let report = lost.join_and_repair(&lost.files[0]).await;
    assert!(report.contains("they are put to it"), "{report}");
    let report = pistol::examine(&lost.path).await.unwrap();
    assert!(report.is_healthy(), "{report}");
    assert_eq!(lost.shown().await, ("Team: Bob".to_owned(), lost.members()));
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_are_put_to_their_document_where_nothing_else_of_it_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let lost = Lost::new(folder.path(), |table, _| table != Table::Operations).await;
    for (file, shown) in [(0, "Team: "), (2, "Team: Bob")] {
        let report = lost.join_and_repair(&lost.files[file]).await;
        assert_eq!(report.contains("they are put to it"), file == 0, "they are moved once: {report}");
        let report = pistol::examine(&lost.path).await.unwrap();
        assert!(report.is_healthy(), "{report}");
        assert_eq!(lost.shown().await, (shown.to_owned(), lost.members()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_follows_on_a_lost_one_is_kept_until_that_is_here() {
    let folder = tempfile::tempdir().unwrap();
    let is_lost = |table, key: &[u8]| {
        let is_first = schema::operation_position(key).is_ok_and(|(_, number)| number == 0);
        table != Table::Operations || is_first
    };
    let lost = Lost::new(folder.path(), is_lost).await;
    for _ in 0..2 {
        let report = lost.join_and_repair(&lost.files[0]).await;
        assert!(report.contains("follow on some that are lost here"), "{report}");
        assert_eq!(lost.shown().await, ("Team: ".to_owned(), vec![]));
        assert_eq!(rows(&open(&lost.path), Table::Operations).len(), 1);
    }
    let report = lost.join_and_repair(&lost.files[1]).await;
    assert!(report.contains("they are put to it"), "{report}");
    assert!(pistol::examine(&lost.path).await.unwrap().is_healthy());
    assert_eq!(lost.shown().await, ("Team: ".to_owned(), lost.members()));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_missing_foreign_or_exposed_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = stored(folder.path()).await;
    fs::write(path.join("store.redb.new"), b"half").unwrap();
    let report = pistol::examine(&path).await.unwrap();
    assert!(report.is_healthy() && report.to_string().contains("work that was interrupted left it"), "{report}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path.join("author.key"), fs::Permissions::from_mode(0o644)).unwrap();
        let report = pistol::examine(&path).await.unwrap();
        assert!(!report.is_healthy() && report.to_string().contains("author.key"), "{report}");
        let report = pistol::repair(&path).await.unwrap();
        assert!(report.is_healthy(), "{report}");
        assert!(pistol::examine(&path).await.unwrap().is_healthy());
    }
    for content in [b"".as_slice(), b"a letter, not a store"] {
        fs::write(path.join("store.redb"), content).unwrap();
        for report in [pistol::examine(&path).await.unwrap(), pistol::repair(&path).await.unwrap()] {
            assert!(!report.is_healthy() && report.to_string().contains("restore a backup"), "{report}");
        }
        assert_eq!(fs::read(path.join("store.redb")).unwrap(), content, "it is left as it was");
    }
    fs::remove_file(path.join("store.redb")).unwrap();
    fs::remove_file(path.join("author.key")).unwrap();
    let report = pistol::examine(&path).await.unwrap();
    assert!(report.to_string().contains("store.redb: it is missing"), "{report}");
    assert!(report.to_string().contains("author.key"), "{report}");
    assert!(pistol::examine(folder.path().join("nowhere")).await.is_err());
}
