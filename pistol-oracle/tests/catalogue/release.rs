//! Rows 39 and 40: release.

use pistol_oracle::{Action, Fault, Operation, OperationId, Policy, Standing, State, Verdict, Why, verify_release};

use crate::scene::*;

/// Every order of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    let shorter = orders(count - 1);
    let with_last = |order: &Vec<usize>| {
        let put = |place: usize| [&order[..place], &[count - 1], &order[place..]].concat();
        (0..count).map(put).collect::<Vec<_>>()
    };
    shorter.iter().flat_map(with_last).collect()
}

#[test]
fn row_39_a_release_concurrent_with_everything_opens_the_document_in_every_order() {
    let mut scene = Scene::members();
    let alice = scene.owner(&[], writer(ALICE));
    scene.owner(&[alice], exact(ALICE, &[]));
    scene.says(DOCUMENT, ALICE, &[alice], &[alice], writer(BOB));
    let release = scene.owner(&[], Action::Release);
    scene.owner(&[alice], Action::Relinquish);
    let before = scene.writes(ALICE, &[alice], &[]);
    let after = scene.writes(STRANGER, &[release], &[before]);
    let uncited = scene.writes(STRANGER, &[], &[before]);
    for order in orders(5) {
        let mut world = scene.world.clone();
        world.operations = order.iter().map(|number| scene.world.operations[*number].clone()).collect();
        let judgement = world.judge();
        assert_eq!(world.operations.len(), 5);
        assert_eq!(judgement.changes[&before], State::Accepted(Standing::Released(release)));
        assert_eq!(judgement.changes[&after], State::Accepted(Standing::Released(release)));
        assert_eq!(judgement.changes[&uncited], State::Rejected(Why::Authority(Fault::NotARoot)));
    }
}

#[test]
fn row_39_a_strangers_change_that_cites_a_release_waits_for_it_and_one_that_does_not_is_refused_for_ever() {
    let mut scene = Scene::new(Policy::Owned);
    let release = scene.owner(&[], Action::Release);
    let (citing, not) = (scene.writes(STRANGER, &[release], &[]), scene.writes(STRANGER, &[], &[]));
    assert_eq!(scene.accepts([citing, not]), [true, false]);
    scene.world.operations.clear();
    let judgement = scene.judge();
    assert!(matches!(judgement.changes[&citing], State::Pending(_)));
    assert!(matches!(judgement.changes[&not], State::Rejected(_)));
}

#[test]
fn row_40_a_stranger_cannot_release_and_nobody_can_where_the_genesis_forbids_it() {
    for (author, is_releasable, fault) in
        [(STRANGER, true, Fault::NotARoot), (OWNER, false, Fault::NotReleasable), (STRANGER, false, Fault::NotARoot)]
    {
        let mut scene = Scene::members();
        scene.world.logs[0].is_releasable = is_releasable;
        let release = scene.says(DOCUMENT, author, &[], &[], Action::Release);
        let work = scene.writes(STRANGER, &[release], &[]);
        assert_eq!(scene.judge().operations[&release], Verdict::Invalid(fault));
        assert_eq!(scene.judge().changes[&work], State::Rejected(Why::Authority(fault)));
    }
}

#[test]
fn a_release_is_proved_without_the_document_by_a_former_root_and_by_a_device_that_was_revoked() {
    let mut scene = Scene::new(Policy::Owned);
    scene.world.logs[0].roots = vec![OWNER, ROOT];
    let sold = scene.owner(&[], Action::AddRoot { key: ALICE });
    scene.owner(&[sold], Action::Relinquish);
    let phone = scene.says(IDENTITY, ROOT, &[], &[], admin(PHONE));
    scene.says(IDENTITY, ROOT, &[], &[phone], endorsed(PHONE));
    for (author, proof) in [(OWNER, vec![]), (ALICE, vec![sold]), (PHONE, vec![phone])] {
        let mut one = scene.clone();
        let release = one.says(DOCUMENT, author, &proof, &[OperationId(77)], Action::Release);
        let cited: Vec<_> = one.world.operations.iter().filter(|known| proof.contains(&known.id)).cloned().collect();
        let found = one.world.operations.iter().find(|known| known.id == release).unwrap();
        assert!(verify_release(&one.world.logs, &cited, found), "{author}");
        assert!(!verify_release(&one.world.logs[1..], &cited, found), "{author} without the genesis");
        let forged = Operation { is_well_signed: false, ..found.clone() };
        assert!(!verify_release(&one.world.logs, &cited, &forged), "{author} without a signature");
    }
}
