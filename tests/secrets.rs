//! What is secret is in nothing that is shown, written out or handed over: looked for as bytes, and in every way of writing
//! them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::fmt::Write;
use std::path::Path;

use pistol::{Error, Node, Policy, Role, RootKey, identity};
use pistol_core::store::redb::{RedbOptions, RedbStore};
use pistol_core::store::schema::{self, LogRecord};
use pistol_core::store::{Store, Table};

const PASSPHRASE: &str = "correct horse battery staple";

/// A secret in every way of writing it.
struct Secret {
    name: &'static str,
    writings: Vec<Vec<u8>>,
}

impl Secret {
    fn of(name: &'static str, bytes: &[u8; 32]) -> Self {
        let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        });
        let list = format!("{bytes:?}");
        let texts =
            [hex.clone(), hex.to_uppercase(), bs58::encode(bytes).into_string(), list[1..list.len() - 1].to_owned()];
        let bases = [data_encoding::BASE32_NOPAD, data_encoding::BASE32_DNSSEC, data_encoding::BASE64];
        let based = bases.iter().map(|base| base.encode(&bytes[..30]));
        let based = based.flat_map(|text| [text.to_lowercase(), text]);
        let writings = texts.into_iter().chain(based).map(String::into_bytes).chain([bytes.to_vec()]);
        Secret { name, writings: writings.collect() }
    }

    fn check(&self, what: &str, shown: &[u8]) {
        for writing in &self.writings {
            let is_in = shown.windows(writing.len()).any(|window| window == writing);
            assert!(!is_in, "{} is in {what}", self.name);
        }
    }
}

/// The secrets of a store: the author's seed, the node's key, the read key of its one document; and the words.
fn secrets(folder: &Path) -> Vec<Secret> {
    let key = std::fs::read(folder.join("author.key")).unwrap();
    let seed: [u8; 32] = key[key.len() - 32..].try_into().unwrap();
    let words = identity::backup(folder, None).unwrap();
    let store = RedbStore::open(&folder.join("store.redb"), RedbOptions::default()).unwrap();
    let node = schema::node_secret(&store.read(Table::Meta, schema::NODE_SECRET_KEY).unwrap().unwrap()).unwrap();
    let log = store.range(Table::Logs, b"", &[0xff; 5], usize::MAX).unwrap()[0].1.clone();
    let read_key = LogRecord::from_value(&log).unwrap().read_key.unwrap();
    let three: Vec<&str> = words.reveal().split(' ').take(3).collect();
    vec![
        Secret::of("the author's seed", &seed),
        Secret::of("the node's key", &node),
        Secret::of("the read key", &read_key),
        Secret { name: "the words", writings: vec![three.join(" ").into_bytes()] },
        Secret { name: "the passphrase", writings: vec![PASSPHRASE.as_bytes().to_vec()] },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_what_is_shown_or_exported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let node = Node::builder(&path).offline().open().await.unwrap();
    let doc = node.create(Policy::Owned, |doc| doc.text("body").push("nothing secret")).await.unwrap();
    let id = doc.id();
    node.shutdown().await.unwrap();
    drop(doc);
    let secrets = secrets(&path);
    let check = |what: &str, shown: &[u8]| secrets.iter().for_each(|secret| secret.check(what, shown));

    let builder = Node::builder(&path).passphrase(PASSPHRASE).offline();
    check("a builder", format!("{builder:?}").as_bytes());
    let refused = Error::from(builder.open().await.unwrap_err());
    check("an error", format!("{refused} {refused:?}").as_bytes());
    check("words", format!("{:?}", identity::backup(&path, None).unwrap()).as_bytes());
    let report = pistol::examine(&path).await.unwrap();
    check("a report", format!("{report} {report:?}").as_bytes());

    let node = Node::builder(&path).offline().open().await.unwrap();
    let doc = node.document(id).await.unwrap();
    let shown = format!("{node:?} {doc:?} {:?} {:?} {:?}", doc.status(), node.documents(), doc.ticket());
    check("what is debugged", shown.as_bytes());
    check("an Automerge file", &doc.to_automerge());
    check("JSON", doc.to_json().to_string().as_bytes());
    check("an exported document", &doc.to_pistol().await.unwrap());
    node.shutdown().await.unwrap();
    let file = std::fs::read(path.join("store.redb")).unwrap();
    for secret in secrets.iter().filter(|secret| !["the node's key", "the read key"].contains(&secret.name)) {
        secret.check("the database", &file);
    }

    identity::seal(&path, PASSPHRASE).unwrap();
    check("a sealed key", &std::fs::read(path.join("author.key")).unwrap());
    let refused = identity::backup(&path, Some("another passphrase")).unwrap_err();
    check("an error", format!("{refused} {refused:?}").as_bytes());
}

#[test]
fn the_search_finds_a_secret_however_it_is_written() {
    let bytes: [u8; 32] = std::array::from_fn(|index| u8::try_from(index * 5 + 1).unwrap());
    let secret = Secret::of("a test", &bytes);
    for shown in [format!("{bytes:?}"), format!("{bytes:02x?}").replace(", ", ""), bs58::encode(bytes).into_string()] {
        assert!(std::panic::catch_unwind(|| secret.check("a test", shown.as_bytes())).is_err(), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_key_of_an_identity_is_in_no_file_and_in_nothing_that_it_signs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let root = RootKey::new().unwrap();
    let words = root.words().unwrap();
    // The seed, by way of a folder that has it as its own.
    identity::restore(folder.path().join("paper"), words.reveal(), None).unwrap();
    let key = std::fs::read(folder.path().join("paper").join("author.key")).unwrap();
    let three: Vec<&str> = words.reveal().split(' ').take(3).collect();
    let secrets = [
        Secret::of("the root's seed", &key[key.len() - 32..].try_into().unwrap()),
        Secret { name: "the root's words", writings: vec![three.join(" ").into_bytes()] },
    ];
    let node = Node::builder(&path).offline().open().await.unwrap();
    let bob = node.create_identity(&root).await.unwrap();
    bob.certify(Some(&root), root.author(), Role::Reader).unwrap();
    let (new, draft) = (root.begin(node.author()).unwrap(), bob.draft_revocation(root.author(), node.author(), &[]));
    let draft = draft.unwrap();
    let signed = root.sign(&draft).unwrap();
    bob.enter(&signed).unwrap();
    bob.flush().await.unwrap();
    node.shutdown().await.unwrap();
    let shown = format!("{root:?} {words:?} {new} {new:?} {draft} {draft:?} {signed} {signed:?} {bob:?}");
    for secret in &secrets {
        secret.check("what is shown", shown.as_bytes());
        for entry in std::fs::read_dir(&path).unwrap() {
            let file = entry.unwrap().path();
            secret.check(&file.display().to_string(), &std::fs::read(&file).unwrap());
        }
    }
}
