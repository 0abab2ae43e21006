//! What an application sees of a document with members, on real nodes: grant, edit, revoke, release.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::time::Duration;

use pistol::{Doc, EditError, Explanation, Loss, MembersError, Node, Policy, Preset, Revocation, Role, Subject};

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

/// Both hold the same, as each was told of.
async fn sync(docs: &[&Doc]) {
    for doc in docs.iter().chain(docs) {
        doc.synced(LIMIT).await.unwrap();
    }
}

/// Ann made a document for a team, and Bob joined it and was granted a part.
async fn team(folders: &[tempfile::TempDir; 2]) -> ([Node; 2], Doc, Doc) {
    let nodes = [node(&folders[0]).await, node(&folders[1]).await];
    let ann = nodes[0].create_for(Preset::Team, |doc| doc.text("text").push("Team: ")).await.unwrap();
    let bob = nodes[1].join(&ann.ticket()).await.unwrap();
    assert_eq!((ann.policy(), bob.policy()), (Policy::Members, Policy::Members));
    assert_eq!(push(&bob, "Bob "), Err(EditError::NotAMember));
    assert_eq!(bob.can_edit(|edit| edit.put("a", 1)), Err(EditError::NotAMember));
    ann.grant(nodes[1].author(), Role::Writer).unwrap();
    sync(&[&ann, &bob]).await;
    assert_eq!(bob.can_edit(|edit| edit.put("a", 1)), Ok(()));
    (nodes, ann, bob)
}

async fn end(nodes: [Node; 2]) {
    for node in nodes {
        node.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_granted_a_part_writes_and_who_is_revoked_does_not() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (nodes, ann, bob) = team(&folders).await;
    let bob_id = nodes[1].author();
    push(&bob, "Bob ").unwrap();
    sync(&[&bob, &ann]).await;
    push(&ann, "Ann ").unwrap();
    sync(&[&ann, &bob]).await;
    assert_eq!([text(&ann), text(&bob)], ["Team: Bob Ann "; 2]);
    let members = bob.members();
    assert_eq!((members.len(), members[0].subject, members[0].role), (1, Subject::Key(bob_id), Role::Writer));
    assert_eq!((bob.roots(), members[0].by), (vec![nodes[0].author()], nodes[0].author()));
    assert!(matches!(bob.grant(bob_id, Role::Admin), Err(MembersError::Power(_))));
    // Bob writes apart; Ann has revoked him meanwhile.
    nodes[1].pause();
    push(&bob, "too late ").unwrap();
    bob.flush().await.unwrap();
    let late = bob.history().last().unwrap().id;
    assert_eq!(ann.loss(bob_id, Revocation::Endorsed).unwrap(), Loss::default());
    ann.revoke(bob_id, Revocation::Endorsed).unwrap();
    ann.flush().await.unwrap();
    nodes[1].resume().await.unwrap();
    sync(&[&bob, &ann]).await;
    assert_eq!([text(&ann), text(&bob)], ["Team: Bob Ann "; 2]);
    assert_eq!(push(&bob, "more"), Err(EditError::Revoked));
    for doc in [&ann, &bob] {
        let explained = doc.explain(&late);
        assert!(matches!(&explained, Explanation::Masked { author, .. } if *author == bob_id), "{explained}");
        assert_eq!((doc.masked().len(), doc.status().masked, doc.members().len()), (1, 1, 0));
    }
    // Ann adopts it all the same.
    ann.adopt(&[late]).unwrap();
    sync(&[&ann, &bob]).await;
    assert_eq!([text(&ann), text(&bob)], ["Team: Bob Ann too late "; 2]);
    let id = ann.id();
    drop((ann, bob));
    end(nodes).await;
    for folder in &folders {
        let node = node(folder).await;
        let doc = node.document(id).await.unwrap();
        assert_eq!(text(&doc), "Team: Bob Ann too late ");
        drop(doc);
        node.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exact_revocation_takes_away_what_was_counted_before() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (nodes, ann, bob) = team(&folders).await;
    let bob_id = nodes[1].author();
    push(&ann, "first ").unwrap();
    sync(&[&ann, &bob]).await;
    for number in 0..3 {
        push(&bob, &format!("{number} ")).unwrap();
    }
    sync(&[&bob, &ann]).await;
    push(&ann, "on top ").unwrap();
    assert_eq!(ann.loss(bob_id, Revocation::Exact).unwrap(), Loss { purged: 3, orphaned: 1 });
    ann.revoke(bob_id, Revocation::Exact).unwrap();
    assert_eq!(text(&ann), "Team: first ");
    push(&ann, "again ").unwrap();
    sync(&[&ann, &bob]).await;
    assert_eq!([text(&ann), text(&bob)], ["Team: first again "; 2]);
    drop((ann, bob));
    end(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_document_is_everybodys_and_that_can_be_proved_without_it() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (nodes, ann, bob) = team(&folders).await;
    ann.revoke(nodes[1].author(), Revocation::Endorsed).unwrap();
    sync(&[&ann, &bob]).await;
    assert_eq!(push(&bob, "Bob "), Err(EditError::Revoked));
    assert!(bob.release().is_err() && !bob.is_released() && bob.release_proof().is_none());
    ann.release().unwrap();
    sync(&[&ann, &bob]).await;
    push(&bob, "Bob again ").unwrap();
    sync(&[&bob, &ann]).await;
    assert_eq!(text(&ann), "Team: Bob again ");
    let proof = bob.release_proof().unwrap();
    assert_eq!(proof.verify(), Ok(ann.id()));
    let mut forged = proof.clone();
    *forged.release.last_mut().unwrap() ^= 1;
    assert!(forged.verify().is_err());
    let wall = nodes[0].create_for(Preset::Wall, |_| ()).await.unwrap();
    assert_eq!(wall.release(), Err(MembersError::NoMembers));
    drop((ann, bob, wall));
    end(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_with_members_is_written_to_a_file_with_its_log() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (nodes, ann, bob) = team(&folders).await;
    push(&bob, "Bob ").unwrap();
    sync(&[&bob, &ann]).await;
    let file = ann.to_pistol().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let third = node(&folder).await;
    let doc = third.import(&file).await.unwrap();
    assert_eq!((text(&doc), doc.members()), ("Team: Bob ".to_owned(), ann.members()));
    assert_eq!(push(&doc, "x"), Err(EditError::NotAMember));
    drop((ann, bob, doc));
    third.shutdown().await.unwrap();
    end(nodes).await;
}
