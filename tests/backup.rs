//! Files of documents, and copies of a store that is used meanwhile.

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

use pistol::{Doc, ErrorKind, ImportError, Node, Policy, Subject};

const WITHIN: Duration = Duration::from_mins(1);

async fn node(folder: &Path) -> Node {
    Node::builder(folder).listen("127.0.0.1:0".parse().unwrap()).open().await.unwrap()
}

async fn offline(folder: &Path) -> Node {
    Node::builder(folder).offline().open().await.unwrap()
}

fn text(doc: &Doc) -> String {
    doc.read(|doc| doc.text("body").to_string())
}

async fn write(doc: &Doc, words: &[&str]) {
    for word in words {
        doc.edit(|doc| doc.text("body").push(word)).unwrap();
        doc.flush().await.unwrap();
    }
}

/// Documents that each version of the format was written for. They are never written again.
const FIXTURES: [&[u8]; 3] = [
    include_bytes!("fixtures/document-v1.pistol"),
    include_bytes!("fixtures/document-v2.pistol"),
    include_bytes!("fixtures/document-v3.pistol"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_document_is_the_same_document_in_another_store() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (offline(&folder.path().join("one")).await, offline(&folder.path().join("two")).await);
    let mine = one.create(Policy::Owned, |doc| doc.text("body")).await.unwrap();
    write(&mine, &["one ", "two "]).await;
    let file = mine.to_pistol().await.unwrap();
    let theirs = two.import(&file).await.unwrap();
    assert_eq!((theirs.id(), text(&theirs)), (mine.id(), text(&mine)));
    assert_eq!(theirs.history(), mine.history());
    assert!(theirs.edit(|doc| doc.text("body").push("no")).is_err(), "it is still its owner's");
    // Again, and with more: both are merged.
    write(&mine, &["three "]).await;
    let file = mine.to_pistol().await.unwrap();
    two.import(&file).await.unwrap();
    one.import(&file).await.unwrap();
    assert_eq!(text(&theirs), "one two three ");
    assert_eq!(theirs.history(), mine.history());
    let again = theirs.to_pistol().await.unwrap();
    one.import(&again).await.unwrap();
    assert_eq!(mine.history().len(), theirs.history().len(), "what is exported again holds nothing new");
    let id = theirs.id();
    two.shutdown().await.unwrap();
    drop(theirs);
    let two = offline(&folder.path().join("two")).await;
    assert_eq!(text(&two.document(id).await.unwrap()), "one two three ");
    two.shutdown().await.unwrap();
    one.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_from_a_file_is_synced_once_a_ticket_brings_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (node(&folder.path().join("one")).await, node(&folder.path().join("two")).await);
    let mine = one.create(Policy::WorldWritable, |doc| doc.text("body")).await.unwrap();
    write(&mine, &["one "]).await;
    let theirs = two.import(&mine.to_pistol().await.unwrap()).await.unwrap();
    write(&theirs, &["two "]).await;
    let theirs = two.join(&mine.ticket()).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    assert_eq!(text(&mine), "one two ");
    one.shutdown().await.unwrap();
    two.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_an_older_version_is_read_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let node = offline(folder.path()).await;
    let doc = node.import(FIXTURES[0]).await.unwrap();
    assert_eq!(text(&doc), "This was exported by version 1.\nAnd written twice.\n");
    assert_eq!(doc.id().to_string(), "2e7eyap5jMGxtwU9dWiCYK3mykDL8pMx49WJz6M9gXP9zTS667");
    let team = node.import(FIXTURES[1]).await.unwrap();
    assert_eq!(text(&team), "This was exported by version 2.\nAnd a member wrote this.\n");
    assert_eq!(team.id().to_string(), "HQUfaj5juNayNqpqHNUXKsFzRum9mjztjo3wUVyhkNzyBkhtV");
    assert_eq!(team.members().len(), 1);
    // A friend's device wrote under what the document says of a group, the group of an identity, and the identity of the device.
    let with_friends = node.import(FIXTURES[2]).await.unwrap();
    assert_eq!(text(&with_friends), "This was exported by version 3.\nAnd a friend's device wrote this.\n");
    assert_eq!(with_friends.id().to_string(), "MjwBZ6FG7MEKtf7goRH4ZkXGKiNa6ScbTF3zFKwkbteFnMXva");
    let friends = node.group("mzDAF32d4RtG1gBZh2w5n3WA11HZvsCJsLeTGAdd2z6uNrBau".parse().unwrap()).await.unwrap();
    let friend = node.identity("FvJvYjL8iVKUEs1Uhqf6rjuLSAvFqo58kxX16YbiK9bJouZRn".parse().unwrap()).await.unwrap();
    let subjects = |members: Vec<pistol::Member>| members.iter().map(|member| member.subject).collect::<Vec<_>>();
    assert_eq!(subjects(with_friends.members()), [Subject::from(&friends)]);
    assert_eq!((subjects(friends.members()), friend.devices().len()), (vec![Subject::from(&friend)], 1));
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_an_older_format_is_read_written_and_copied_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let fixture: [(&str, &[u8]); 2] = [
        ("store.redb", include_bytes!("fixtures/store-v2/store.redb")),
        ("author.key", include_bytes!("fixtures/store-v2/author.key")),
    ];
    for (name, bytes) in fixture {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        only_its_owner_may_read(&path);
    }
    only_its_owner_may_read(folder.path());
    for times in 0..3 {
        let node = offline(folder.path()).await;
        let doc = |name: &str| node.document(node.named(name).unwrap());
        let (notes, team, long) = (doc("notes").await.unwrap(), doc("team").await.unwrap(), doc("long").await.unwrap());
        assert_eq!(text(&notes), format!("kept since format 2\nand added to\n{}", "again\n".repeat(times)));
        assert_eq!(team.members().len(), 1);
        let long = text(&long);
        assert!(long.starts_with("line 0 of a long text of format 2\nline 1 "));
        assert!(long.ends_with("line 1199 of a long text of format 2\none more\nand another\n"));
        write(&notes, &["again\n"]).await;
        drop((notes, team));
        node.shutdown().await.unwrap();
        let report = pistol::examine(folder.path()).await.unwrap();
        assert!(report.is_healthy(), "{report:?}");
        // The first time it keeps its format, then it gets the newest.
        pistol::compact(folder.path()).await.unwrap();
    }
}

#[cfg(unix)]
fn only_its_owner_may_read(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn only_its_owner_may_read(_: &Path) {}

#[tokio::test(flavor = "multi_thread")]
async fn no_altered_cut_or_foreign_file_is_taken_in() {
    let folder = tempfile::tempdir().unwrap();
    let node = offline(folder.path()).await;
    let places = || FIXTURES.into_iter().flat_map(|file| (0..file.len()).map(move |at| (file, at)));
    let cut = places().map(|(file, length)| file[..length].to_vec());
    let altered = places().map(|(file, at)| {
        let mut file = file.to_vec();
        file[at] ^= 1 << (at % 8);
        file
    });
    let longer = FIXTURES.map(|file| [file, &[0]].concat());
    for file in cut.chain(altered).chain(longer).chain([b"a letter".to_vec()]) {
        let error = pistol::Error::from(node.import(&file).await.unwrap_err());
        assert_eq!(error.kind(), ErrorKind::BadTicket, "{error}");
    }
    let newer = [b"pistol document 4\n".as_slice(), &[7; 100]].concat();
    let error = node.import(&newer).await.unwrap_err();
    assert!(matches!(error, ImportError::File(_)) && error.to_string().contains("newer Pistol"), "{error}");
    assert!(node.documents().is_empty());
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_store_that_is_written_to_holds_all_that_was_durable() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("one"), folder.path().join("copy"));
    let one = offline(&path).await;
    let doc = one.create(Policy::Owned, |doc| doc.text("body")).await.unwrap();
    write(&doc, &["before "]).await;
    one.name(doc.id(), "notes").await.unwrap();
    let writer = doc.clone();
    let writing = tokio::spawn(async move {
        for number in 0..200 {
            writer.edit(|doc| doc.text("body").push(&format!("{number} "))).unwrap();
            tokio::task::yield_now().await;
        }
    });
    one.backup(&copy).await.unwrap();
    writing.await.unwrap();
    write(&doc, &["after "]).await;
    let again = one.backup(&copy).await.unwrap_err();
    assert!(again.to_string().contains("holds a store already"), "{again}");
    let restored = offline(&copy).await;
    assert_eq!(restored.author(), one.author());
    let theirs = restored.document(restored.find("notes").unwrap()).await.unwrap();
    assert!(text(&doc).starts_with(&text(&theirs)) && text(&theirs).starts_with("before "));
    assert!(pistol::examine(&copy).await.is_err(), "it is open");
    restored.shutdown().await.unwrap();
    let report = pistol::examine(&copy).await.unwrap();
    assert!(report.is_healthy() && report.documents == 1, "{report}");
    one.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_backup_writes_is_merged_with_what_was_written_after_it_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("one"), folder.path().join("copy"));
    let (one, friend) = (node(&path).await, node(&folder.path().join("friend")).await);
    let doc = one.create(Policy::WorldWritable, |doc| doc.text("body")).await.unwrap();
    write(&doc, &["before "]).await;
    one.backup(&copy).await.unwrap();
    write(&doc, &["after the backup "]).await;
    let theirs = friend.join(&doc.ticket()).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    one.shutdown().await.unwrap();
    // The disk is lost; the backup takes its place, and writes before it meets anybody.
    std::fs::remove_dir_all(&path).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    let one = node(&path).await;
    let again = one.document(doc.id()).await.unwrap();
    assert_eq!(text(&again), "before ");
    write(&again, &["by the backup "]).await;
    let again = one.join(&theirs.ticket()).await.unwrap();
    again.synced(WITHIN).await.unwrap();
    theirs.synced(WITHIN).await.unwrap();
    assert_eq!(text(&again), text(&theirs));
    for words in ["before ", "after the backup ", "by the backup "] {
        assert!(text(&again).contains(words), "{}", text(&again));
    }
    let status = theirs.status();
    assert_eq!((status.forks, status.refusals), (vec![], vec![]), "each wrote in a session of its own");
    one.shutdown().await.unwrap();
    friend.shutdown().await.unwrap();
}
