//! Row 47: documents in a space.

use pistol_oracle::{
    Action, Fault, Home, Kept, Kind, Log, LogId, Mask, Mode, Policy, Standing, State, Subject, Verdict,
};

use crate::scene::*;

/// A document of Alice, whose grant in the space the owner revokes, and what follows.
fn after_the_creator_was_revoked(follow: impl Fn(&mut Scene) -> Option<Action>) -> State {
    let mut scene = Scene::members();
    let (alice, bob) =
        (scene.says(SPACE, OWNER, &[], &[], writer(ALICE)), scene.says(SPACE, OWNER, &[], &[], writer(BOB)));
    let home = Home { space: SPACE, creator: ALICE, authority: vec![alice] };
    scene.world.logs.push(Log { home: Some(home), ..Log::new(LogId(8), Kind::Document, ALICE) });
    if let Some(action) = follow(&mut scene) {
        scene.says(SPACE, BOB, &[bob], &[bob], action);
    }
    scene.says(SPACE, OWNER, &[], &[alice, bob], endorsed(ALICE));
    scene.judge().documents[&LogId(8)]
}

#[test]
fn row_47_a_revoked_authors_document_stays_iff_an_operation_of_the_space_keeps_it() {
    let document = LogId(8);
    let is_kept = |state| matches!(state, State::Accepted(Standing::Named(_)));
    let masked = after_the_creator_was_revoked(|_| None);
    assert!(matches!(masked, State::Masked(Mask::Inactive(Fault::Revoked(_)))), "{masked:?}");
    assert!(is_kept(after_the_creator_was_revoked(|_| Some(Action::Acknowledge { document }))));
    let by_owner = |action: Action| {
        after_the_creator_was_revoked(move |scene| {
            scene.says(SPACE, OWNER, &[], &[], action.clone());
            None
        })
    };
    assert!(is_kept(by_owner(Action::Checkpoint { document, heads: vec![] })));
    let keep = revoke(Subject::Key(STRANGER), Mode::Endorsed, &[Kept::Document(document)], false);
    assert!(is_kept(by_owner(keep)));
    assert!(matches!(by_owner(Action::RemoveDocument { document }), State::Masked(Mask::Removed(_))));
    assert!(matches!(by_owner(Action::Release), State::Accepted(Standing::Released(_))));
}

#[test]
fn row_47_a_revoked_author_cannot_acknowledge_its_own_document_or_backdate_for_another() {
    let mut scene = Scene::members();
    let alice = scene.says(SPACE, OWNER, &[], &[], writer(ALICE));
    scene.says(SPACE, OWNER, &[], &[alice], endorsed(ALICE));
    let late = scene.says(SPACE, ALICE, &[alice], &[alice], Action::Acknowledge { document: LogId(8) });
    assert!(matches!(scene.judge().operations[&late], Verdict::Invalid(Fault::Revoked(_))));
}

#[test]
fn in_a_space_where_anyone_adds_documents_the_owner_bans_by_an_exact_revocation() {
    for (action, stays) in [(endorsed(STRANGER), true), (exact(STRANGER, &[]), false)] {
        let mut scene = Scene::members();
        scene.world.logs[3].policy = Policy::WorldWritable;
        let home = Home { space: SPACE, creator: STRANGER, authority: vec![] };
        scene.world.logs.push(Log { home: Some(home), ..Log::new(LogId(8), Kind::Document, STRANGER) });
        scene.says(SPACE, OWNER, &[], &[], action);
        assert_eq!(matches!(scene.judge().documents[&LogId(8)], State::Accepted(_)), stays);
    }
}
