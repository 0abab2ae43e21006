//! People and groups on real nodes: a person with two devices, a device that is lost, the root from its words, and a group.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::time::Duration;

use pistol::{
    Doc, EditError, FindError, IdentityError, LogKind, NewIdentity, Node, Preset, Revocation, Role, RootKey, Subject,
};

const LIMIT: Duration = Duration::from_secs(30);

async fn node(folder: &tempfile::TempDir) -> Node {
    Node::builder(folder.path()).listen("127.0.0.1:0".parse().unwrap()).open().await.unwrap()
}

fn text(doc: &Doc) -> String {
    doc.read(|content| content.text("text").to_string())
}

fn push(doc: &Doc, text: &str) -> Result<(), EditError> {
    doc.edit(|edit| edit.text("text").push(text))
}

/// Waits until something holds that peers bring about.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = tokio::time::Instant::now() + LIMIT;
    while !holds() {
        assert!(tokio::time::Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn three() -> ([tempfile::TempDir; 3], [Node; 3]) {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let nodes = [node(&folders[0]).await, node(&folders[1]).await, node(&folders[2]).await];
    (folders, nodes)
}

async fn end(nodes: [Node; 3]) {
    for node in nodes {
        node.shutdown().await.unwrap();
    }
}

/// Ann owns the document; Bob has a laptop and a phone.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_granted_a_part_writes_on_all_devices_until_one_is_revoked() {
    let (_folders, nodes) = three().await;
    let [ann, laptop, phone] = &nodes;
    let root = RootKey::new().unwrap();
    let bob = laptop.create_identity(&root).await.unwrap();
    assert_eq!(bob.devices().iter().map(|device| device.subject).collect::<Vec<_>>(), [Subject::Key(laptop.author())]);
    bob.certify(None, phone.author(), Role::Writer).unwrap();
    bob.flush().await.unwrap();

    let of_ann = ann.create_for(Preset::Team, |doc| doc.text("text").push("Team: ")).await.unwrap();
    let of_laptop = laptop.join(&of_ann.ticket()).await.unwrap();
    let of_phone = phone.join(&of_laptop.ticket()).await.unwrap();
    assert_eq!(push(&of_laptop, "no"), Err(EditError::NotAMember));
    of_ann.grant(&bob, Role::Writer).unwrap();
    until("the laptop may write", || of_laptop.can_edit(|edit| edit.put("a", 1)).is_ok()).await;
    until("the phone may write", || of_phone.can_edit(|edit| edit.put("a", 1)).is_ok()).await;
    push(&of_laptop, "laptop ").unwrap();
    until("the phone shows it", || text(&of_phone).contains("laptop")).await;
    push(&of_phone, "phone ").unwrap();
    until("Ann shows both", || text(&of_ann) == "Team: laptop phone ").await;

    // The phone is lost. The laptop, whose certificate is the root's, revokes it; what it wrote before stays.
    phone.pause();
    push(&of_phone, "thief ").unwrap();
    of_phone.flush().await.unwrap();
    bob.revoke(None, phone.author(), &[&of_laptop]).unwrap();
    bob.flush().await.unwrap();
    push(&of_laptop, "after ").unwrap();
    until("Ann shows what came after", || text(&of_ann).contains("after")).await;
    phone.resume().await.unwrap();
    until("the thief's change came and is masked", || of_ann.status().masked == 1).await;
    until("the phone knows", || of_phone.can_edit(|edit| edit.put("a", 1)) == Err(EditError::Revoked)).await;
    assert_eq!([text(&of_ann), text(&of_laptop)], ["Team: laptop phone after "; 2]);

    // On the phone itself the thief sees the same: what was written last is masked, and nothing more is written.
    until("the phone shows what counts", || text(&of_phone) == "Team: laptop phone after ").await;
    let masked = of_phone.masked();
    assert_eq!(masked.iter().map(|masked| masked.author).collect::<Vec<_>>(), [phone.author()]);
    assert!(masked[0].why.contains("ended its author's part"), "{}", masked[0].why);
    let error = push(&of_phone, "more").unwrap_err().to_string();
    assert!(error.contains("your part in this document was ended"), "{error}");
    let on_phone = phone.identity(bob.id()).await.unwrap();
    let error = on_phone.certify(None, phone.author(), Role::Admin).unwrap_err().to_string();
    assert!(error.contains("your role here does not allow that"), "{error}");
    assert!(of_phone.grant(phone.author(), Role::Admin).is_err());
    drop((of_ann, of_laptop, of_phone, bob, on_phone));
    end(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_comes_back_from_its_words_and_revokes_on_any_machine() {
    let (_folders, nodes) = three().await;
    let [laptop, other, _] = &nodes;
    let root = RootKey::new().unwrap();
    let words = root.words().unwrap();
    assert_eq!((words.reveal().split(' ').count(), format!("{root:?}{words:?}")), (24, "RootKeyWords".to_owned()));
    let bob = laptop.create_identity(&root).await.unwrap();
    drop(root);
    // All devices are lost. On a new one the log comes from a peer, and the root from paper.
    let log = other.join(&bob.ticket()).await.unwrap();
    let again = other.identity(log.id()).await.unwrap();
    until("the devices are known", || again.devices().len() == 1).await;
    assert!(again.certify(None, other.author(), Role::Admin).is_err(), "it is no device of it yet");
    let root = RootKey::from_words(words.reveal()).unwrap();
    again.revoke(Some(&root), laptop.author(), &[]).unwrap();
    again.certify(Some(&root), other.author(), Role::Admin).unwrap();
    until("the other devices hear of it", || {
        bob.devices().iter().map(|device| device.subject).eq([Subject::Key(other.author())])
    })
    .await;
    let wrong = RootKey::new().unwrap();
    assert!(bob.certify(Some(&wrong), laptop.author(), Role::Admin).is_err());
    assert!(matches!(RootKey::from_words("one two"), Err(IdentityError::Count(2))));
    assert!(matches!(other.group(log.id()).await, Err(FindError::OtherKind { .. })), "it is no group");
    drop((bob, again, log));
    end(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_changes_while_the_grant_to_it_stays() {
    let (folders, nodes) = three().await;
    let [ann, bob, carol] = &nodes;
    let of_ann = ann.create_for(Preset::Team, |doc| doc.text("text")).await.unwrap();
    let friends = ann.create_group().await.unwrap();
    friends.add(bob.author(), Role::Writer).unwrap();
    of_ann.grant(&friends, Role::Writer).unwrap();
    let (of_bob, of_carol) = (bob.join(&of_ann.ticket()).await.unwrap(), carol.join(&of_ann.ticket()).await.unwrap());
    until("Bob may write", || of_bob.can_edit(|edit| edit.put("a", 1)).is_ok()).await;
    assert_eq!(push(&of_carol, "no"), Err(EditError::NotAMember));
    friends.add(carol.author(), Role::Writer).unwrap();
    until("Carol may write", || of_carol.can_edit(|edit| edit.put("a", 1)).is_ok()).await;
    friends.remove(bob.author(), &[&of_ann]).unwrap();
    until("Bob may not", || of_bob.can_edit(|edit| edit.put("a", 1)) == Err(EditError::Revoked)).await;
    assert!(of_bob.grant(bob.author(), Role::Admin).is_err());
    push(&of_carol, "Carol").unwrap();
    until("all show it", || [&of_ann, &of_bob].iter().all(|doc| text(doc) == "Carol")).await;
    // Who gave the part takes it from all of them.
    of_ann.revoke(&friends, Revocation::Endorsed).unwrap();
    until("Carol may not", || push(&of_carol, "more") == Err(EditError::Revoked)).await;
    let (document, group) = (of_ann.id(), friends.id());
    drop((of_ann, of_bob, of_carol, friends));
    end(nodes).await;
    let ann = node(&folders[0]).await;
    assert_eq!(ann.group(group).await.unwrap().members().len(), 1);
    assert_eq!(text(&ann.document(document).await.unwrap()), "Carol");
    assert_eq!(ann.documents().len(), 1, "a group is no document");
    ann.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_signs_on_another_machine_and_its_key_stays_there() {
    let (_folders, nodes) = three().await;
    let [laptop, phone, _] = &nodes;
    let root = RootKey::new().unwrap();
    let new: NewIdentity = root.begin(laptop.author()).unwrap().to_string().parse().unwrap();
    let bob = laptop.take_identity(&new).await.unwrap();
    assert_eq!((bob.roots(), bob.devices().len()), (vec![root.author()], 1));
    assert_eq!(laptop.take_identity(&new).await.unwrap().id(), bob.id(), "once more is the same");
    let draft = bob.draft_certificate(root.author(), phone.author(), Role::Writer).unwrap();
    let signed = root.sign(&draft.to_string().parse().unwrap()).unwrap();
    let other = laptop.create_identity(&root).await.unwrap();
    assert!(other.enter(&signed).is_err(), "it is another identity's");
    bob.enter(&signed.to_string().parse().unwrap()).unwrap();
    assert_eq!(bob.devices().len(), 2);
    bob.enter(&root.sign(&bob.draft_revocation(root.author(), laptop.author(), &[]).unwrap()).unwrap()).unwrap();
    assert_eq!(bob.devices().iter().map(|device| device.subject).collect::<Vec<_>>(), [Subject::Key(phone.author())]);
    assert!(bob.draft_certificate(laptop.author(), phone.author(), Role::Writer).is_err(), "no root of it");
    drop((bob, other));
    end(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_document_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::builder(folder.path()).offline().open().await.unwrap();
    let bob = node.create_identity(&RootKey::new().unwrap()).await.unwrap().id();
    let friends = node.create_group().await.unwrap().id();
    let notes = node.create_for(Preset::Team, |doc| doc.text("text")).await.unwrap().id();
    node.name(bob, "bob").await.unwrap();
    for (id, kind, what) in [(bob, LogKind::Identity, "an identity"), (friends, LogKind::Group, "a group")] {
        let text = id.to_string();
        let errors = [node.find(&text).unwrap_err(), node.document(id).await.unwrap_err()];
        assert!(errors.iter().all(|error| error.to_string().contains(what)), "{errors:?}");
        assert_eq!(node.find_among(&text[..20], &[kind]).unwrap().kind, kind);
        assert_eq!(node.held(id).await.unwrap().kind(), kind);
    }
    assert!(matches!(node.find("bob"), Err(FindError::OtherKind { kind: LogKind::Identity, .. })));
    assert!(matches!(node.identity(notes).await, Err(FindError::OtherKind { kind: LogKind::Document, .. })));
    assert!(matches!(node.find_among("none", &[LogKind::Group]), Err(FindError::NoLog(_))));
    assert_eq!([node.documents(), node.identities(), node.groups()].map(|list| list[0].id), [notes, bob, friends]);
    node.shutdown().await.unwrap();
}
