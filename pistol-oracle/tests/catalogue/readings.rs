//! Questions that the rules leave open, by the numbers of `src/readings.md`: the case that decided each.

use pistol_oracle::{Action, Fault, Kept, Mode, Role, State, Subject, Why};

use crate::scene::*;

#[test]
fn reading_4_the_least_role_on_a_path_counts() {
    let mut scene = Scene::members();
    let group = scene.owner(&[], grant(Subject::Group(GROUP), Role::Writer));
    let reader = scene.says(GROUP, OWNER, &[], &[], grant(Subject::Key(ALICE), Role::Reader));
    let work = scene.writes(ALICE, &[group, reader], &[]);
    assert_eq!(scene.judge().changes[&work], State::Rejected(Why::Authority(Fault::RoleTooLow)));
}

#[test]
fn reading_11_who_leaves_vouches_for_nothing_new() {
    let mut scene = Scene::members();
    let alice = scene.owner(&[], admin(ALICE));
    let left = scene.says(DOCUMENT, ALICE, &[alice], &[alice], endorsed(ALICE));
    let tail = scene.writes(ALICE, &[alice], &[]);
    let keep = [Kept::Change(tail)];
    let again = revoke(Subject::Key(ALICE), Mode::Endorsed, &keep, false);
    let again = scene.says(DOCUMENT, ALICE, &[alice], &[alice], again);
    assert_eq!((scene.valid([left, again]), scene.accepts([tail])), ([true, true], [false]));
}

#[test]
fn reading_11_leaving_does_not_reach_a_more_senior_grant_of_ones_own() {
    let mut scene = Scene::members();
    let (senior, bob) = (scene.owner(&[], writer(ALICE)), scene.owner(&[], admin(BOB)));
    let junior = scene.says(DOCUMENT, BOB, &[bob], &[bob], writer(ALICE));
    scene.says(DOCUMENT, ALICE, &[junior], &[junior], endorsed(ALICE));
    let (above, below) = (scene.writes(ALICE, &[senior], &[]), scene.writes(ALICE, &[junior], &[]));
    assert_eq!(scene.accepts([above, below]), [true, false]);
}

#[test]
fn reading_12_only_an_active_author_speaks_for_an_operation_and_none_for_leaving() {
    for laptop_is_revoked in [false, true] {
        let mut scene = Scene::members();
        let member = scene.owner(&[], grant(Subject::Identity(IDENTITY), Role::Admin));
        let [phone, laptop] = [PHONE, LAPTOP].map(|device| scene.says(IDENTITY, ROOT, &[], &[], admin(device)));
        let granted = scene.says(DOCUMENT, PHONE, &[member, phone], &[member], writer(ALICE));
        let left = revoke(Subject::Identity(IDENTITY), Mode::Endorsed, &[], false);
        let left = scene.says(DOCUMENT, PHONE, &[member, phone], &[member], left);
        let vouch = Action::Checkpoint { document: DOCUMENT, heads: vec![] };
        scene.says(DOCUMENT, LAPTOP, &[member, laptop], &[granted], vouch.clone());
        scene.owner(&[left], vouch);
        scene.says(IDENTITY, ROOT, &[], &[phone], endorsed(PHONE));
        if laptop_is_revoked {
            scene.says(IDENTITY, ROOT, &[], &[laptop], endorsed(LAPTOP));
        }
        assert_eq!(scene.valid([granted, left]), [!laptop_is_revoked, false]);
    }
}

#[test]
fn reading_13_a_strangers_revocation_in_an_identity_of_its_own_adopts_nothing() {
    let mut scene = Scene::members();
    let alice = scene.owner(&[], writer(ALICE));
    let tail = scene.writes(ALICE, &[alice], &[]);
    scene.owner(&[alice], endorsed(ALICE));
    let keep = revoke(Subject::Key(PHONE), Mode::Endorsed, &[Kept::Change(tail)], false);
    let kept = scene.says(IDENTITY, ROOT, &[], &[], keep);
    assert_eq!((scene.valid([kept]), scene.accepts([tail])), ([true], [false]));
}

#[test]
fn reading_14_an_exact_revocation_in_an_identity_takes_nobodys_work_along() {
    let mut scene = Scene::members();
    let (member, bob) =
        (scene.owner(&[], grant(Subject::Identity(IDENTITY), Role::Writer)), scene.owner(&[], writer(BOB)));
    let phone = scene.says(IDENTITY, ROOT, &[], &[], admin(PHONE));
    let early = scene.writes(PHONE, &[member, phone], &[]);
    let on_top = scene.writes(BOB, &[bob], &[early]);
    scene.says(IDENTITY, ROOT, &[], &[phone], exact(PHONE, &[]));
    let tail = scene.writes(PHONE, &[member, phone], &[on_top]);
    assert_eq!(scene.accepts([early, on_top, tail]), [true, true, false]);
}

#[test]
fn reading_19_in_a_released_space_revocations_are_void_and_grants_stay() {
    for is_released in [false, true] {
        let mut scene = Scene::members();
        let to_space = scene.owner(&[], grant(Subject::Space(SPACE), Role::Writer));
        let alice = scene.says(SPACE, OWNER, &[], &[], writer(ALICE));
        scene.says(SPACE, OWNER, &[], &[alice], endorsed(ALICE));
        if is_released {
            scene.says(SPACE, OWNER, &[], &[], Action::Release);
        }
        let work = scene.writes(ALICE, &[to_space, alice], &[]);
        assert_eq!(scene.accepts([work]), [is_released]);
    }
}

#[test]
fn reading_12_who_left_does_not_speak_for_an_operation_any_more() {
    for bob_left in [false, true] {
        let mut scene = Scene::members();
        let member = scene.owner(&[], grant(Subject::Identity(IDENTITY), Role::Admin));
        let bob = scene.owner(&[], admin(BOB));
        let phone = scene.says(IDENTITY, ROOT, &[], &[], admin(PHONE));
        let granted = scene.says(DOCUMENT, PHONE, &[member, phone], &[member], writer(ALICE));
        let vouch = Action::Checkpoint { document: DOCUMENT, heads: vec![] };
        let vouched = scene.says(DOCUMENT, BOB, &[bob], &[granted], vouch);
        if bob_left {
            scene.says(DOCUMENT, BOB, &[bob], &[vouched], endorsed(BOB));
        }
        scene.says(IDENTITY, ROOT, &[], &[phone], endorsed(PHONE));
        assert_eq!(scene.valid([granted, vouched]), [!bob_left, true]);
    }
}
