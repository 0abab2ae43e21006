//! Rows 39 and 40: release.

use pistol_acl::record::{Action, Mode, Role};
use pistol_acl::{AccessPolicy, Kind, Place, Reason, Refusal, ReleaseError, State, verify_release};

use crate::story::{Item, Story, author, grant, revoke_key, tell};

/// Every order of a list, to be looked at one after the other.
fn permutations(items: &mut Vec<Item>, from: usize, look: &mut dyn FnMut(&[Item])) {
    if from == items.len() {
        return look(items);
    }
    for at in from..items.len() {
        items.swap(from, at);
        permutations(items, from + 1, look);
        items.swap(from, at);
    }
}

#[test]
fn row_39_a_release_concurrent_with_everything_gives_one_outcome_in_all_orders() {
    let mut story = Story::new(AccessPolicy::Members);
    let granted = story.act(1, &[], grant(2, Role::Writer));
    let _ = story.write(1, story.document, &[], &[granted], revoke_key(2, Mode::Exact));
    let release = story.write(1, story.document, &[], &[], Action::Release);
    let by_revoked = story.change(2, &[], &[granted]);
    let citing = story.change(9, &[by_revoked], &[release]);
    let not_citing = story.change(9, &[], &[]);
    let mut orders = 0;
    permutations(&mut story.items(), 0, &mut |items| {
        orders += 1;
        let access = tell(story.document, items);
        assert_eq!(access.state(&by_revoked), State::Accepted);
        assert_eq!(access.state(&citing), State::Accepted);
        assert_eq!(
            access.state(&not_citing),
            State::Refused(Refusal::Path),
            "final, whenever the release was heard of"
        );
    });
    assert_eq!(orders, 5040);
    assert_eq!(story.everywhere().explain(&by_revoked), Reason::Released(release));
}

#[test]
fn row_39_a_change_that_cites_a_release_waits_until_it_is_known() {
    let mut story = Story::new(AccessPolicy::Members);
    let release = story.write(1, story.document, &[], &[], Action::Release);
    let change = story.change(9, &[], &[release]);
    assert_eq!(story.everywhere().state(&change), State::Accepted);
    story.operations.clear();
    assert_eq!(story.everywhere().explain(&change), Reason::Missing(release.0));
}

#[test]
fn row_40_a_release_by_a_stranger_is_refused_and_so_is_what_cites_it() {
    let mut story = Story::new(AccessPolicy::Members);
    let admin = story.act(1, &[], grant(2, Role::Admin));
    let by_admin = story.write(2, story.document, &[admin], &[], Action::Release);
    let by_stranger = story.write(9, story.document, &[], &[], Action::Release);
    let changes = [by_admin, by_stranger].map(|release| story.change(9, &[], &[release]));
    let access = story.everywhere();
    assert_eq!(changes.map(|change| access.state(&change)), [State::Refused(Refusal::Past); 2]);
    let charters = &story.charters;
    let proof = [story.operation(&admin).unwrap().clone()];
    let verdict = |id| verify_release(charters, &proof, story.operation(id).unwrap()).unwrap_err();
    assert_eq!(verdict(&by_admin), ReleaseError::Refused(Refusal::Role));
    assert_eq!(verdict(&by_stranger), ReleaseError::Refused(Refusal::Path));
}

#[test]
fn row_40_what_may_not_be_released_is_not() {
    let mut story = Story::new(AccessPolicy::Members);
    story.charters[0].is_releasable = false;
    let group = story.charter(4, Kind::Group, AccessPolicy::Owned, &[4]);
    let document = story.write(1, story.document, &[], &[], Action::Release);
    let of_group = story.next(4, group, &[], Action::Release);
    let access = story.everywhere();
    assert_eq!([document, of_group].map(|op| access.is_valid(&op)), [false, false]);
}

#[test]
fn a_release_is_proved_without_the_document_by_what_it_cites_alone() {
    let mut story = Story::new(AccessPolicy::Members);
    let _ = story.act(1, &[], grant(4, Role::Writer));
    let sold = story.act(1, &[], Action::AddRoot { key: author(2) });
    let release = story.write(2, story.document, &[sold], &[], Action::Release);
    let signed = |id| story.operation(id).unwrap().clone();
    let proved = verify_release(&story.charters, &[signed(&sold)], &signed(&release)).unwrap();
    assert_eq!((proved.log(), proved.by()), (story.document, release));
    let partial = verify_release(&story.charters, &[], &signed(&release));
    assert_eq!(partial, Err(ReleaseError::Incomplete));
    let nothing = verify_release(&story.charters, &[], &signed(&sold));
    assert_eq!(nothing, Err(ReleaseError::NotARelease));
}

#[test]
fn a_root_that_sold_its_document_can_still_release_it() {
    let mut story = Story::new(AccessPolicy::Members);
    let _ = story.act(1, &[], Action::AddRoot { key: author(2) });
    let _ = story.act(1, &[], Action::Relinquish);
    let change = story.change(1, &[], &[]);
    assert_eq!(story.everywhere().state(&change), State::Masked);
    let release = story.write(1, story.document, &[], &[], Action::Release);
    assert_eq!(story.everywhere().explain(&change), Reason::Released(release));
}

#[test]
fn a_release_by_a_device_of_the_root_stands_though_the_device_was_revoked() {
    let mut story = Story::new(AccessPolicy::Members);
    let identity = story.charter(5, Kind::Identity, AccessPolicy::Owned, &[1]);
    let device = story.next(1, identity, &[], grant(7, Role::Admin));
    let _ = story.next(1, identity, &[], revoke_key(7, Mode::Exact));
    let release = story.write(7, story.document, &[device], &[], Action::Release);
    let change = story.change(9, &[], &[release]);
    let access = story.everywhere();
    assert!(access.is_valid(&release));
    assert_eq!(access.state(&change), State::Accepted);
}

#[test]
fn after_the_release_of_a_space_removal_and_bans_do_nothing() {
    let mut story = Story::new(AccessPolicy::Members);
    let space = story.charter(3, Kind::Space, AccessPolicy::WorldWritable, &[3]);
    story.charters[0].space = Some((space, vec![]));
    let document = story.document;
    let ban = story.next(3, space, &[], revoke_key(1, Mode::Exact));
    assert_eq!(*story.everywhere().place(), Place::Masked(ban));
    let removal = story.next(3, space, &[], Action::RemoveDocument { document });
    assert_eq!(*story.everywhere().place(), Place::Removed(removal));
    let _ = story.write(3, space, &[], &[], Action::Release);
    assert_eq!(*story.everywhere().place(), Place::Here);
}
