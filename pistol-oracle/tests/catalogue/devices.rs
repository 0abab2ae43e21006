//! Rows 37 and 38: devices and their certificates, and what is not known yet.

use pistol_oracle::{
    Action, Fault, Kept, Kind, Log, LogId, Mask, Missing, Mode, OperationId, Policy, Role, State, Subject, Verdict, Why,
};

use crate::scene::*;

/// A document whose member or root is an identity with two devices: the paths of phone and laptop.
fn with_devices(scene: &mut Scene) -> (Vec<OperationId>, Vec<OperationId>) {
    let member = scene.owner(&[], grant(Subject::Identity(IDENTITY), Role::Admin));
    let phone = scene.says(IDENTITY, ROOT, &[], &[], admin(PHONE));
    let laptop = scene.says(IDENTITY, ROOT, &[], &[], admin(LAPTOP));
    (vec![member, phone], vec![member, laptop])
}

#[test]
fn row_37_a_device_revoked_in_its_identity_keeps_what_the_other_device_built_on() {
    let mut scene = Scene::members();
    let (phone, laptop) = with_devices(&mut scene);
    let early = scene.writes(PHONE, &phone, &[]);
    let on_top = scene.writes(LAPTOP, &laptop, &[early]);
    scene.says(IDENTITY, ROOT, &[], &[phone[1], laptop[1]], endorsed(PHONE));
    let tail = scene.writes(PHONE, &phone, &[early]);
    assert_eq!(scene.accepts([early, on_top, tail]), [true, true, false]);
}

#[test]
fn row_37_of_a_revoked_device_those_operations_stay_that_are_acknowledged_or_kept() {
    let mut scene = Scene::members();
    let (phone, laptop) = with_devices(&mut scene);
    let seen = scene.says(DOCUMENT, PHONE, &phone, &[phone[0]], writer(ALICE));
    let kept = scene.says(DOCUMENT, PHONE, &phone, &[phone[0]], writer(BOB));
    let lost = scene.says(DOCUMENT, PHONE, &phone, &[phone[0]], writer(STRANGER));
    let checkpoint = Action::Checkpoint { document: DOCUMENT, heads: vec![] };
    scene.says(DOCUMENT, LAPTOP, &laptop, &[seen], checkpoint);
    let keep = [Kept::Operation(kept)];
    scene.says(IDENTITY, ROOT, &[], &[phone[1]], revoke(Subject::Key(PHONE), Mode::Endorsed, &keep, false));
    assert_eq!(scene.valid([seen, kept, lost]), [true, true, false]);
}

#[test]
fn row_37_a_puppet_cannot_acknowledge_what_it_owes_its_grant_to() {
    let mut scene = Scene::members();
    let (phone, _) = with_devices(&mut scene);
    let puppet = scene.says(DOCUMENT, PHONE, &phone, &[phone[0]], admin(STRANGER));
    scene.says(DOCUMENT, STRANGER, &[puppet], &[puppet], writer(BOB));
    scene.says(IDENTITY, ROOT, &[], &[phone[1]], endorsed(PHONE));
    assert_eq!(scene.valid([puppet]), [false]);
}

#[test]
fn a_device_of_an_identity_that_is_a_root_writes_in_an_owned_document_and_a_strangers_does_not() {
    let mut scene = Scene::new(Policy::Owned);
    scene.world.logs[0].roots = vec![ROOT];
    let phone = scene.says(IDENTITY, ROOT, &[], &[], admin(PHONE));
    let work = scene.writes(PHONE, &[phone], &[]);
    assert_eq!(scene.accepts([work]), [true]);
    scene.world.logs[1].roots = vec![ROOT, STRANGER];
    assert_eq!(scene.judge().changes[&work], State::Rejected(Why::Authority(Fault::NotARoot)));
}

#[test]
fn row_38_an_unknown_grant_group_or_certificate_is_waited_for_and_never_refused() {
    let mut scene = Scene::members();
    let to_group = scene.owner(&[], grant(Subject::Group(GROUP), Role::Writer));
    let member = scene.says(GROUP, OWNER, &[], &[], grant(Subject::Identity(IDENTITY), Role::Writer));
    let phone = scene.says(IDENTITY, ROOT, &[], &[], writer(PHONE));
    let work = scene.writes(PHONE, &[to_group, member, phone], &[]);
    assert_eq!(scene.accepts([work]), [true]);
    for missing in [to_group, member, phone] {
        let mut less = scene.world.clone();
        less.operations.retain(|operation| operation.id != missing);
        assert_eq!(less.judge().changes[&work], State::Pending(Missing::Operation(missing)));
    }
    scene.world.logs.retain(|log| log.id != GROUP);
    assert_eq!(scene.judge().operations[&member], Verdict::Pending(Missing::Log(GROUP)));
    assert_eq!(scene.judge().changes[&work], State::Pending(Missing::Operation(member)));
}

#[test]
fn one_who_was_removed_from_a_group_leaves_the_documents_of_the_group() {
    let mut scene = Scene::members();
    let to_group = scene.owner(&[], grant(Subject::Group(GROUP), Role::Writer));
    let member = scene.says(GROUP, OWNER, &[], &[], writer(ALICE));
    let removal = scene.says(GROUP, OWNER, &[], &[member], endorsed(ALICE));
    let work = scene.writes(ALICE, &[to_group, member], &[]);
    assert_eq!(scene.judge().changes[&work], State::Masked(Mask::Inactive(Fault::Revoked(removal))));
}

#[test]
fn a_path_leads_through_two_groups_and_not_through_three() {
    let mut scene = Scene::members();
    let (outer, inner, third) = (GROUP, LogId(20), LogId(21));
    scene.world.logs.extend([inner, third].map(|group| Log::new(group, Kind::Group, OWNER)));
    let hop = |scene: &mut Scene, log, to| scene.says(log, OWNER, &[], &[], grant(to, Role::Writer));
    let to_outer = hop(&mut scene, DOCUMENT, Subject::Group(outer));
    let to_inner = hop(&mut scene, outer, Subject::Group(inner));
    let to_third = hop(&mut scene, inner, Subject::Group(third));
    let (member, deeper) = (hop(&mut scene, inner, Subject::Key(ALICE)), hop(&mut scene, third, Subject::Key(ALICE)));
    let nested = scene.writes(ALICE, &[to_outer, to_inner, member], &[]);
    let too_deep = scene.writes(ALICE, &[to_outer, to_inner, to_third, deeper], &[]);
    assert_eq!(scene.accepts([nested]), [true]);
    assert_eq!(scene.judge().changes[&too_deep], State::Rejected(Why::Authority(Fault::NestedTooDeep)));
}
