//! Rows 30 to 36, 41 and 49: grants, revocations, transfers.

use pistol_oracle::{Action, ChangeId, Fault, Kept, Mask, Mode, Policy, State, Subject, Verdict};

use crate::scene::*;

#[test]
fn row_30_a_backdated_tail_of_a_revoked_writer_is_masked_unless_somebody_built_on_it() {
    let mut scene = Scene::members();
    let (alice, bob) = (scene.owner(&[], writer(ALICE)), scene.owner(&[], writer(BOB)));
    let early = scene.writes(ALICE, &[alice], &[]);
    let on_top = scene.writes(BOB, &[bob], &[early]);
    let revocation = scene.owner(&[alice, bob], endorsed(ALICE));
    let tail = scene.writes(ALICE, &[alice], &[early]);
    assert_eq!(scene.accepts([early, on_top, tail]), [true, true, false]);
    assert_eq!(scene.judge().changes[&tail], State::Masked(Mask::Inactive(Fault::Revoked(revocation))));

    let endorser = scene.writes(BOB, &[bob], &[tail]);
    assert_eq!(scene.accepts([tail, endorser]), [true, true], "laundering through a member gains nothing");
}

#[test]
fn row_31_an_exact_revocation_purges_what_it_does_not_keep_and_all_that_was_built_on_it() {
    let mut scene = Scene::members();
    let (alice, bob) = (scene.owner(&[], writer(ALICE)), scene.owner(&[], writer(BOB)));
    let kept = scene.writes(ALICE, &[alice], &[]);
    let on_kept = scene.writes(BOB, &[bob], &[kept]);
    let tail = scene.writes(ALICE, &[alice], &[kept]);
    let on_tail = scene.writes(BOB, &[bob], &[tail]);
    let revocation = scene.owner(&[alice, bob], exact(ALICE, &[Kept::Change(kept)]));
    assert_eq!(scene.accepts([kept, on_kept, tail, on_tail]), [true, true, false, false]);
    assert_eq!(scene.judge().changes[&on_tail], State::Masked(Mask::OnPurged(tail, revocation)));
}

#[test]
fn row_32_a_new_grant_follows_on_the_revocation_and_gives_new_work_a_place() {
    for mode in [endorsed(ALICE), exact(ALICE, &[])] {
        let mut scene = Scene::members();
        let first = scene.owner(&[], writer(ALICE));
        let old = scene.writes(ALICE, &[first], &[]);
        let revocation = scene.owner(&[first], mode);
        let second = scene.owner(&[revocation], writer(ALICE));
        let new = scene.writes(ALICE, &[second], &[]);
        assert_eq!(scene.accepts([old, new]), [false, true]);
    }
}

#[test]
fn row_33_a_revocation_beats_a_concurrent_grant() {
    let mut scene = Scene::members();
    let helper = scene.owner(&[], admin(BOB));
    let grant = scene.says(DOCUMENT, BOB, &[helper], &[helper], writer(ALICE));
    scene.owner(&[helper], endorsed(ALICE));
    let work = scene.writes(ALICE, &[grant], &[]);
    assert_eq!((scene.valid([grant]), scene.accepts([work])), ([true], [false]));
}

#[test]
fn row_34_two_admins_of_one_level_cannot_remove_each_other_and_a_senior_one_can() {
    let mut scene = Scene::members();
    let (alice, bob) = (scene.owner(&[], admin(ALICE)), scene.owner(&[], admin(BOB)));
    let against_bob = scene.says(DOCUMENT, ALICE, &[alice], &[alice, bob], endorsed(BOB));
    let against_alice = scene.says(DOCUMENT, BOB, &[bob], &[alice, bob], endorsed(ALICE));
    let (of_alice, of_bob) = (scene.writes(ALICE, &[alice], &[]), scene.writes(BOB, &[bob], &[]));
    assert_eq!(scene.valid([against_bob, against_alice]), [true, true]);
    assert_eq!(scene.accepts([of_alice, of_bob]), [true, true]);

    let carol = scene.says(DOCUMENT, ALICE, &[alice], &[alice], admin(CAROL));
    let up = scene.says(DOCUMENT, CAROL, &[carol], &[carol, bob], endorsed(BOB));
    let down = scene.says(DOCUMENT, BOB, &[bob], &[carol, bob], endorsed(CAROL));
    assert_eq!((scene.judge().levels[&up], scene.valid([up, down])), (2, [false, true]));
    assert_eq!(scene.accepts([of_bob]), [true]);
}

#[test]
fn row_35_a_revoked_admin_cannot_backdate_a_grant_to_a_puppet() {
    let mut scene = Scene::members();
    let alice = scene.owner(&[], admin(ALICE));
    let revocation = scene.owner(&[alice], endorsed(ALICE));
    let puppet = scene.says(DOCUMENT, ALICE, &[alice], &[alice], writer(STRANGER));
    let work = scene.writes(STRANGER, &[puppet], &[]);
    assert_eq!(scene.judge().operations[&puppet], Verdict::Invalid(Fault::Revoked(revocation)));
    assert_eq!(scene.judge().changes[&work], State::Masked(Mask::Inactive(Fault::Hop(puppet))));
}

#[test]
fn row_36_a_grant_that_the_revoker_had_seen_stays_unless_the_revocation_cascades() {
    for cascade in [false, true] {
        let mut scene = Scene::members();
        let alice = scene.owner(&[], admin(ALICE));
        let bob = scene.says(DOCUMENT, ALICE, &[alice], &[alice], writer(BOB));
        scene.owner(&[bob], revoke(Subject::Key(ALICE), Mode::Endorsed, &[], cascade));
        let work = scene.writes(BOB, &[bob], &[]);
        assert_eq!((scene.valid([bob]), scene.accepts([work])), ([!cascade], [!cascade]));
    }
}

#[test]
fn work_of_a_grantee_whose_granter_was_removed_concurrently_is_masked_until_a_checkpoint_names_it() {
    let mut scene = Scene::members();
    let alice = scene.owner(&[], admin(ALICE));
    let bob = scene.says(DOCUMENT, ALICE, &[alice], &[alice], writer(BOB));
    let revocation = scene.owner(&[alice], endorsed(ALICE));
    let (below, work) = (scene.writes(BOB, &[bob], &[]), scene.writes(BOB, &[bob], &[ChangeId(3)]));
    assert_eq!(scene.accepts([below, work]), [false, false]);
    scene.owner(&[revocation], Action::Checkpoint { document: DOCUMENT, heads: vec![work] });
    assert_eq!(scene.accepts([below, work]), [true, true]);
}

#[test]
fn row_41_a_document_that_was_sold_twice_has_two_owners_and_the_seller_is_none() {
    let mut scene = Scene::new(Policy::Owned);
    let mut sell = |buyer| {
        let added = scene.owner(&[], Action::AddRoot { key: buyer });
        (added, scene.owner(&[added], Action::Relinquish))
    };
    let ((to_alice, gave_up), (to_bob, gave_up_again)) = (sell(ALICE), sell(BOB));
    let late = scene.owner(&[gave_up], writer(STRANGER));
    let (of_alice, of_bob) = (scene.writes(ALICE, &[to_alice], &[]), scene.writes(BOB, &[to_bob], &[]));
    let of_seller = scene.writes(OWNER, &[], &[]);
    assert_eq!(scene.valid([to_alice, gave_up, to_bob, gave_up_again, late]), [true, true, true, true, false]);
    assert_eq!(scene.accepts([of_alice, of_bob, of_seller]), [true, true, false]);
    let release = scene.owner(&[], Action::Release);
    assert_eq!((scene.valid([release]), scene.accepts([of_seller])), ([true], [true]), "a buyer must know");
}

#[test]
fn row_49_of_a_long_history_a_revocation_leaves_what_was_built_on_and_masks_the_rest() {
    let mut scene = Scene::members();
    let alice = scene.owner(&[], writer(ALICE));
    let mut chain: Vec<ChangeId> = Vec::new();
    for _ in 0..200 {
        let deps: Vec<ChangeId> = chain.last().copied().into_iter().collect();
        chain.push(scene.writes(ALICE, &[alice], &deps));
    }
    scene.writes(OWNER, &[], &[chain[119]]);
    scene.owner(&[alice], endorsed(ALICE));
    let judgement = scene.judge();
    assert_eq!(chain.iter().position(|change| !judgement.accepts(*change)), Some(120));
    assert_eq!(chain.iter().filter(|change| judgement.accepts(**change)).count(), 120);
}
