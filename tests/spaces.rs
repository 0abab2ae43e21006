//! Spaces on real nodes: documents that come with them, parts in them, names, and values by path.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::time::Duration;

use futures_lite::StreamExt;
use pistol::{
    CreateError, EditError, Naming, Node, PathError, Place, Preset, Role, Slot, Space, SpaceNameError, Subject, Value,
};

const LIMIT: Duration = Duration::from_secs(30);

async fn node(folder: &tempfile::TempDir) -> Node {
    Node::builder(folder.path()).listen("127.0.0.1:0".parse().unwrap()).open().await.unwrap()
}

/// Waits until something holds that peers bring about.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = tokio::time::Instant::now() + LIMIT;
    while !holds() {
        assert!(tokio::time::Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Two nodes, the first of which owns a space that the second joined.
async fn two(preset: Preset) -> ([tempfile::TempDir; 2], [Node; 2], [Space; 2]) {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let nodes = [node(&folders[0]).await, node(&folders[1]).await];
    let of_ann = nodes[0].create_space(preset).await.unwrap();
    let of_bob = nodes[1].join_space(&of_ann.ticket()).await.unwrap();
    (folders, nodes, [of_ann, of_bob])
}

async fn end(nodes: [Node; 2], spaces: [Space; 2]) {
    drop(spaces);
    for node in nodes {
        node.shutdown().await.unwrap();
    }
}

fn count(slot: &Slot) -> Option<i64> {
    match slot {
        Slot::Of(candidate) => match candidate.value {
            Value::Int(number) => Some(number),
            _ => None,
        },
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_of_a_space_come_with_it_and_its_writers_write_what_belongs_to_all() {
    let (_folders, nodes, [of_ann, of_bob]) = two(Preset::Team).await;
    let [ann, bob] = &nodes;
    let plan = of_ann.create(Preset::Team, |doc| doc.text("text").push("Plan: ")).await.unwrap();
    let diary = of_ann.create(Preset::Private, |doc| doc.text("text").push("Dear diary")).await.unwrap();
    assert!(matches!(of_bob.create(Preset::Wall, |_| ()).await, Err(CreateError::NoPart)));
    until("the plan is here", || bob.document_info(plan.id()).is_some()).await;
    let of_plan = bob.document(plan.id()).await.unwrap();
    assert_eq!(of_plan.edit(|doc| doc.text("text").push("no")), Err(EditError::NotAMember));
    of_ann.grant(bob.author(), Role::Writer).unwrap();
    until("he may write", || of_plan.can_edit(|edit| edit.put("a", 1)).is_ok()).await;
    of_plan.edit(|doc| doc.text("text").push("by Bob")).unwrap();
    until("she reads it", || plan.read(|content| content.text("text").to_string()) == "Plan: by Bob").await;
    until("he may add documents", || of_bob.may_add()).await;
    let wall = of_bob.create(Preset::Wall, |doc| doc.list("entries")).await.unwrap();
    until("the wall is there", || ann.document_info(wall.id()).is_some()).await;
    // A private document is known to belong here where it is, and told to nobody.
    assert_eq!(of_ann.documents().len(), 3);
    assert!(of_ann.documents().iter().all(|document| document.place == Place::Here));
    of_bob.synced(LIMIT).await.unwrap();
    assert_eq!(of_bob.documents().len(), 2);
    assert!(bob.document_info(diary.id()).is_none());

    // His part ends; what she edited of his stays, and the rest of his leaves the space.
    let other = of_bob.create(Preset::Open, |doc| doc.text("text")).await.unwrap();
    until("the other is there", || ann.document_info(other.id()).is_some()).await;
    let of_other = ann.document(other.id()).await.unwrap();
    of_other.edit(|doc| doc.text("text").push("I like it")).unwrap();
    of_other.flush().await.unwrap();
    let members = of_ann.members().len();
    of_ann.revoke(bob.author(), &[&plan]).unwrap();
    assert_eq!(of_ann.members().len(), members - 1);
    let place = |space: &Space, id| space.documents().into_iter().find(|d| d.id == id).map(|d| d.place);
    until("he knows", || !of_bob.may_add()).await;
    for space in [&of_ann, &of_bob] {
        assert!(matches!(place(space, wall.id()), Some(Place::Masked(_))));
        assert_eq!(place(space, other.id()), Some(Place::Here));
    }
    until("he may not write", || of_plan.edit(|doc| doc.text("text").push("!")) == Err(EditError::Revoked)).await;
    assert_eq!(plan.read(|content| content.text("text").to_string()), "Plan: by Bob");
    drop((plan, diary, of_plan, wall, other, of_other));
    end(nodes, [of_ann, of_bob]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_by_path_is_its_first_writers_and_four_calls_make_an_application() {
    let (_folders, nodes, [of_ann, of_bob]) = two(Preset::Open).await;
    let (mut score, mut scores) = (of_bob.watch("scores.ann").unwrap(), of_bob.watch("scores").unwrap());
    of_ann.put("scores.ann", 7).await.unwrap();
    for watch in [&mut score, &mut scores] {
        let (path, slot) = watch.next().await.unwrap();
        assert_eq!((path.as_str(), count(&slot)), ("scores.ann", Some(7)));
    }
    assert!(matches!(of_ann.name("scores"), Ok(Naming::Confirmed(_))));
    let cheat = of_bob.put("scores.ann", 0).await;
    assert!(
        matches!(&cheat, Err(PathError::Edit(EditError::NotYours { owner, .. })) if *owner == Some(nodes[0].author()))
    );
    of_bob.put("scores.bob", 9).await.unwrap();
    let (path, slot) = scores.next().await.unwrap();
    assert_eq!((path.as_str(), count(&slot)), ("scores.bob", Some(9)));
    of_ann.put("scores.ann", 8).await.unwrap();
    assert_eq!(count(&score.next().await.unwrap().1), Some(8), "it was told of no other key");
    let mut theirs = of_ann.watch("scores.bob").unwrap();
    assert_eq!(count(&theirs.next().await.unwrap().1), Some(9));
    assert_eq!(of_ann.keys("scores").await.unwrap(), ["ann", "bob"]);
    assert_eq!(of_ann.keys("").await.unwrap(), ["scores"]);
    assert_eq!(of_ann.read("others.bob").await.unwrap(), Slot::Empty);
    of_bob.delete("scores.bob").await.unwrap();
    assert_eq!(theirs.next().await.unwrap(), ("scores.bob".to_owned(), Slot::Empty));
    for bad in ["scores", "scores.", ".ann", "Scores.ann", ""] {
        let refused = of_ann.put(bad, 1).await;
        assert!(matches!(refused, Err(PathError::NotAPath(_) | PathError::NotAName(_))), "{bad}");
    }
    drop((score, scores, theirs));
    end(nodes, [of_ann, of_bob]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_two_claim_apart_is_contested_until_an_admin_confirms_one() {
    let (_folders, nodes, [of_ann, of_bob]) = two(Preset::Team).await;
    let [ann, bob] = &nodes;
    of_ann.grant(bob.author(), Role::Writer).unwrap();
    until("he may add documents", || of_bob.may_add()).await;
    of_bob.synced(LIMIT).await.unwrap();
    // Apart, both take the same name; she makes it without confirming.
    bob.pause();
    of_bob.put("list.milk", 1).await.unwrap();
    let hers = of_ann.create(Preset::Wall, |_| ()).await.unwrap();
    of_ann.claim("list", hers.id()).unwrap();
    let mut changes = of_ann.changes();
    of_bob.flush().await.unwrap();
    bob.resume().await.unwrap();
    while !matches!(of_ann.name("list").unwrap(), Naming::Contested { count: 2, .. }) {
        changes.next().await.unwrap();
    }
    let contested = of_ann.read("list.milk").await;
    assert!(matches!(&contested, Err(PathError::Contested { claims: 2, .. })), "{contested:?}");
    assert!(matches!(of_ann.confirm("list"), Err(SpaceNameError::Undecided(_))));
    let is_undecided = || matches!(of_bob.confirm("list"), Err(SpaceNameError::Undecided(_)));
    until("he knows of both", is_undecided).await;
    // His own form nobody contests; with it she says whose it is.
    let claims = match of_ann.name("list").unwrap() {
        Naming::Contested { claims, .. } => claims,
        other => panic!("{other:?}"),
    };
    let his = claims.iter().find(|claim| claim.target != hers.id()).unwrap();
    let form = of_ann.form_of("list", &his.claimant).unwrap();
    of_ann.synced(LIMIT).await.unwrap();
    // The space knows of his document now; what is in it may come later.
    let list = ann.document(his.target).await.unwrap();
    list.synced(LIMIT).await.unwrap();
    assert_eq!(count(&of_ann.read(&format!("{form}.milk")).await.unwrap()), Some(1));
    assert!(matches!(of_bob.confirm(&form), Err(SpaceNameError::Operate(_))));
    of_ann.confirm(&form).unwrap();
    assert_eq!(count(&of_ann.read("list.milk").await.unwrap()), Some(1));
    let is_confirmed = || matches!(of_bob.name("list"), Ok(Naming::Confirmed(claim)) if claim.target == his.target);
    until("he knows", is_confirmed).await;
    let ids = |node: &Node| node.spaces().into_iter().map(|info| (info.id, info.kind)).collect::<Vec<_>>();
    assert_eq!(ids(ann), [(of_ann.id(), pistol::LogKind::Space)]);
    assert_eq!(ids(bob), ids(ann));
    drop((hers, list, changes));
    end(nodes, [of_ann, of_bob]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_document_is_told_to_nobody_and_a_released_space_is_everybodys_for_ever() {
    let (_folders, nodes, [of_ann, of_bob]) = two(Preset::Open).await;
    let [ann, bob] = &nodes;
    let spam = of_bob.create(Preset::Open, |doc| doc.text("text").push("spam")).await.unwrap();
    until("it is there", || ann.document_info(spam.id()).is_some()).await;
    assert!(of_bob.remove(spam.id()).is_err());
    of_ann.remove(spam.id()).unwrap();
    let more = of_bob.create(Preset::Open, |doc| doc.text("text").push("more")).await.unwrap();
    of_ann.ban(bob.author(), &[]).unwrap();
    let place = |space: &Space, id| space.documents().into_iter().find(|d| d.id == id).map(|d| d.place);
    until("he knows", || matches!(place(&of_bob, more.id()), Some(Place::Masked(_)))).await;
    until("he knows", || matches!(place(&of_bob, spam.id()), Some(Place::Removed(_)))).await;
    let why = |id| of_bob.documents().into_iter().find(|document| document.id == id).map(|document| document.why);
    assert_eq!(why(spam.id()).unwrap(), format!("{} removed it", ann.author()));
    assert!(why(more.id()).unwrap().starts_with(&format!("{} ended its author's part", ann.author())));
    assert!(of_ann.release_proof().is_none() && !of_ann.is_released());
    of_ann.release().unwrap();
    until("he knows", || of_bob.is_released()).await;
    until("it is all there", || [spam.id(), more.id()].iter().all(|id| place(&of_ann, *id) == Some(Place::Here))).await;
    let proof = of_bob.release_proof().unwrap();
    assert_eq!(proof.verify().unwrap(), of_ann.id());
    drop((spam, more));
    end(nodes, [of_ann, of_bob]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_of_a_document_is_no_spaces_and_a_space_is_found_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = node(&folder).await;
    let doc = first.create_for(Preset::Open, |_| ()).await.unwrap();
    assert!(first.join_space(&doc.ticket()).await.is_err());
    assert!(first.space(doc.id()).await.is_err());
    let space = first.create_space(Preset::Team).await.unwrap();
    space.put("notes.one", "kept").await.unwrap();
    space.flush().await.unwrap();
    let id = space.id();
    assert_eq!(Subject::from(&space), Subject::Space(id));
    drop((doc, space));
    first.shutdown().await.unwrap();
    let again = node(&folder).await;
    let space = again.space(id).await.unwrap();
    assert!(matches!(space.read("notes.one").await, Ok(Slot::Of(candidate)) if candidate.value == Value::from("kept")));
    drop(space);
    again.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_grants_a_part_once_and_to_who_comes_first() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let nodes = [node(&folders[0]).await, node(&folders[1]).await, node(&folders[2]).await];
    let [ann, bob, eve] = &nodes;
    let of_ann = ann.create_space(Preset::Team).await.unwrap();
    let ticket = of_ann.invite(Role::Writer, None).await.unwrap();
    assert_ne!(ticket, of_ann.ticket());
    // Ann's node starts again in between.
    let id = of_ann.id();
    drop(of_ann);
    let [ann, bob, eve] = {
        let _ = (ann, bob, eve);
        let [ann, bob, eve] = nodes;
        ann.shutdown().await.unwrap();
        [node(&folders[0]).await, bob, eve]
    };
    let of_ann = ann.space(id).await.unwrap();
    let mut ticket = ticket;
    ticket.addresses = ann.addresses();
    let of_bob = bob.join_space(&ticket).await.unwrap();
    until("he may add documents", || of_bob.may_add()).await;
    assert_eq!(of_ann.members().iter().map(|member| member.subject).collect::<Vec<_>>(), [Subject::Key(bob.author())]);
    let late = eve.join_space(&ticket).await;
    assert!(late.as_ref().is_err_and(|error| error.to_string().contains("used before")), "{late:?}");
    let of_eve = eve.space(id).await.unwrap();
    assert!(!of_eve.may_add());
    // Who has no power invites nobody, and a document without members nobody either.
    assert!(of_bob.invite(Role::Writer, None).await.is_err());
    let alone = ann.create_for(Preset::Wall, |_| ()).await.unwrap();
    assert!(alone.invite(Role::Writer, None).await.is_err());
    // One whose time is over is refused by the inviting node as well.
    let mut over = of_ann.invite(Role::Admin, Some(Duration::from_millis(1))).await.unwrap();
    let end = std::mem::take(&mut over.not_after_ms);
    until("it is later", || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::try_from(now.as_millis()).unwrap() > end
    })
    .await;
    let refused = eve.join_space(&over).await;
    assert!(refused.as_ref().is_err_and(|error| error.to_string().contains("time")), "{refused:?}");
    drop((of_ann, of_bob, of_eve, alone, late, refused));
    for node in [ann, bob, eve] {
        node.shutdown().await.unwrap();
    }
}
