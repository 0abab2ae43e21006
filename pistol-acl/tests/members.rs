//! Who has a part in a document as things stand, and operations that are drafted for them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "support/story.rs"]
mod story;

use pistol_acl::record::{Action, Keep, Mode, Role, SignedOp, Subject};
use pistol_acl::{Access, AccessPolicy, Held, Kind, Need, NoPower, Unready, limits};
use pistol_core::id::AuthorityId;
use story::{Story, author, grant, key, revoke_key};

fn member(access: &Access, number: u8) -> Option<Role> {
    access.members().into_iter().find(|member| member.subject == Subject::Key(author(number))).map(|member| member.role)
}

/// Drafts, signs and takes in an operation.
fn act(access: &mut Access, by: u8, action: Action) -> Result<AuthorityId, NoPower> {
    let signed = SignedOp::sign(&key(by), &access.draft(author(by), action)?).unwrap();
    let id = signed.id();
    assert!(matches!(access.hold(signed), Held::Entered(_)));
    access.settle();
    Ok(id)
}

#[test]
fn what_is_drafted_enters_and_says_who_may_what() {
    let mut access = Story::new(AccessPolicy::Members).told();
    let granted = act(&mut access, 1, grant(2, Role::Writer)).unwrap();
    assert_eq!(access.path_to_write(&author(1)), Some(vec![]));
    assert_eq!(access.path_to_write(&author(2)), Some(vec![granted]));
    assert_eq!(access.path(&author(2), Role::Admin), None);
    assert_eq!(act(&mut access, 2, grant(3, Role::Writer)), Err(NoPower::Role));
    assert_eq!(member(&access, 2), Some(Role::Writer));
    act(&mut access, 1, revoke_key(2, Mode::Endorsed)).unwrap();
    assert_eq!((access.path_to_write(&author(2)), member(&access, 2)), (None, None));
    let again = act(&mut access, 1, grant(2, Role::Admin)).unwrap();
    assert_eq!(access.path_to_write(&author(2)), Some(vec![again]));
    act(&mut access, 2, grant(3, Role::Reader)).unwrap();
    assert_eq!((access.path_to_write(&author(3)), member(&access, 3)), (None, Some(Role::Reader)));
    act(&mut access, 3, revoke_key(3, Mode::Endorsed)).unwrap();
    assert_eq!(member(&access, 3), None, "whoever holds something may give it up");
}

#[test]
fn a_grant_outlives_the_part_of_the_one_who_gave_it() {
    let mut access = Story::new(AccessPolicy::Members).told();
    act(&mut access, 1, grant(2, Role::Admin)).unwrap();
    let granted = act(&mut access, 2, grant(3, Role::Writer)).unwrap();
    act(&mut access, 1, revoke_key(2, Mode::Endorsed)).unwrap();
    assert_eq!((member(&access, 2), member(&access, 3)), (None, Some(Role::Writer)));
    assert_eq!(access.path_to_write(&author(3)), Some(vec![granted]));
}

#[test]
fn after_a_release_anybody_cites_it_and_a_former_root_may_write_it() {
    let mut access = Story::new(AccessPolicy::Members).told();
    act(&mut access, 1, Action::AddRoot { key: author(2) }).unwrap();
    act(&mut access, 1, Action::Relinquish).unwrap();
    assert_eq!(access.path_to_write(&author(1)), None);
    assert_eq!(access.draft(author(3), Action::Release), Err(NoPower::Role));
    let release = act(&mut access, 1, Action::Release).unwrap();
    assert_eq!(access.released(), Some(release));
    assert_eq!(access.path_to_write(&author(9)), Some(vec![release]));
}

#[test]
fn what_cites_something_unknown_is_told_and_not_kept() {
    let mut story = Story::new(AccessPolicy::Members);
    let granted = story.act(1, &[], grant(2, Role::Admin));
    let second = story.act(2, &[granted], grant(3, Role::Writer));
    let change = story.change(2, &[], &[granted]);
    let charters = Story::new(AccessPolicy::Members);
    let access = charters.told();
    let unknown = Err(Unready::Waiting(vec![granted.0]));
    assert_eq!(access.look(&story.changes[0]), unknown);
    assert_eq!(access.look_at_operation(story.operation(&second).unwrap()), unknown);
    assert!(!access.holds(&second) && access.state(&change) == pistol_acl::State::Unknown);
}

fn named(to: Subject, role: Role) -> Action {
    Action::Grant { to, role }
}

#[test]
fn a_path_leads_through_groups_to_an_identity_and_its_device() {
    let mut story = Story::new(AccessPolicy::Members);
    let identity = story.charter(5, Kind::Identity, AccessPolicy::Members, &[5]);
    let group = story.charter(4, Kind::Group, AccessPolicy::Members, &[4]);
    let role = story.act(1, &[], named(Subject::Group(group), Role::Writer));
    let member = story.next(4, group, &[], named(Subject::Identity(identity), Role::Admin));
    let device = story.next(5, identity, &[], grant(6, Role::Admin));
    let mut access = story.told();
    assert_eq!(access.path_to_write(&author(6)), Some(vec![role, member, device]));
    assert_eq!(access.path(&author(6), Role::Admin), None, "the weakest role on the path counts");
    assert_eq!(access.path_to_write(&author(5)), None, "a root is no member without a grant");
    let needs = [(group, Kind::Group), (identity, Kind::Identity)].map(|(log, kind)| Need { log, kind });
    assert_eq!(access.needs(), needs);
    // A direct grant that is stronger is taken; one that is as strong names the person all the same.
    let direct = act(&mut access, 1, grant(6, Role::Writer)).unwrap();
    assert_eq!(access.path_to_write(&author(6)), Some(vec![role, member, device]));
    let change = story.change(6, &[], &[role, member, device]);
    let by_key = story.change(6, &[], &[direct]);
    story.changes.iter().for_each(|summary| drop(access.add(summary.clone())));
    assert_eq!([change, by_key].map(|change| access.identity_of(&change)), [Some(identity), None]);
    let stronger = act(&mut access, 1, grant(6, Role::Admin)).unwrap();
    assert_eq!(access.path_to_write(&author(6)), Some(vec![stronger]));
    act(&mut access, 1, revoke_key(6, Mode::Endorsed)).unwrap();
    assert_eq!(access.path_to_write(&author(6)), Some(vec![role, member, device]), "the group was not revoked");
}

#[test]
fn groups_that_name_each_other_and_a_key_that_everybody_certifies_cost_a_bounded_search() {
    let mut story = Story::new(AccessPolicy::Members);
    let groups = [4, 5].map(|number| story.charter(number, Kind::Group, AccessPolicy::Members, &[number]));
    for (number, other) in [(4, groups[1]), (5, groups[0])] {
        let own = groups[usize::from(number - 4)];
        for _ in 0..8 {
            story.next(number, own, &[], named(Subject::Group(other), Role::Writer));
        }
        for _ in 0..200 {
            story.next(number, own, &[], grant(6, Role::Writer));
        }
    }
    let role = story.act(1, &[], named(Subject::Group(groups[0]), Role::Writer));
    let access = story.told();
    let path = access.path_to_write(&author(6)).unwrap();
    assert_eq!((path[0], path.len()), (role, 2));
    assert_eq!(access.needs().len(), 2);
}

#[test]
fn of_many_logs_those_that_are_named_by_grants_that_count_are_looked_for_first() {
    let mut story = Story::new(AccessPolicy::Members);
    let admin = story.act(1, &[], grant(2, Role::Admin));
    let strange = |number: u32| {
        let mut id = [9; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        pistol_core::id::DocumentId(id)
    };
    for number in 0..300 {
        story.act(2, &[admin], named(Subject::Identity(strange(number)), Role::Writer));
    }
    let senior = pistol_core::id::DocumentId([6; 32]);
    story.act(1, &[], named(Subject::Group(senior), Role::Writer));
    let mut access = story.told();
    access.settle();
    assert_eq!(access.needs().len(), limits::LOGS_MAX);
    assert_eq!(access.needs()[0], Need { log: senior, kind: Kind::Group });
    let honest = pistol_core::id::DocumentId([7; 32]);
    let cascade =
        Action::Revoke { who: Subject::Key(author(2)), mode: Mode::Endorsed, cascade: true, keep: Keep::default() };
    act(&mut access, 1, cascade).unwrap();
    act(&mut access, 1, named(Subject::Group(honest), Role::Writer)).unwrap();
    access.settle();
    assert_eq!(access.needs()[..2], [senior, honest].map(|log| Need { log, kind: Kind::Group }));
}

#[test]
fn a_group_that_names_hundreds_keeps_nobody_of_another_group_out() {
    let mut story = Story::new(AccessPolicy::Members);
    let groups = [4, 5].map(|number| story.charter(number, Kind::Group, AccessPolicy::Members, &[number]));
    let strange = |number: u16| pistol_core::id::DocumentId(std::array::from_fn(|at| number.to_be_bytes()[at % 2]));
    for number in 0..300 {
        story.next(4, groups[0], &[], named(Subject::Identity(strange(number)), Role::Writer));
    }
    let few: Vec<_> = (500..520).map(strange).collect();
    for identity in &few {
        story.next(5, groups[1], &[], named(Subject::Identity(*identity), Role::Writer));
    }
    for group in groups {
        story.act(1, &[], named(Subject::Group(group), Role::Writer));
    }
    let mut access = story.told();
    access.settle();
    let needs = access.needs();
    assert_eq!(needs.len(), limits::LOGS_MAX);
    assert!(few.iter().all(|log| needs.contains(&Need { log: *log, kind: Kind::Identity })));
}

#[test]
fn a_device_of_an_identity_whose_root_was_added_cites_that_and_its_certificate() {
    let mut story = Story::new(AccessPolicy::Members);
    let identity = story.charter(5, Kind::Identity, AccessPolicy::Members, &[5]);
    let certificate = story.next(5, identity, &[], grant(6, Role::Admin));
    let mut access = story.told();
    assert_eq!((access.path_to_write(&author(6)), access.had_part(&author(6))), (None, true));
    assert_eq!(access.draft(author(6), Action::Release), Err(NoPower::Role));
    let added = act(&mut access, 1, Action::AddRoot { key: author(5) }).unwrap();
    assert_eq!(access.path(&author(6), Role::Admin), Some(vec![added, certificate]));
    assert_eq!(access.path(&author(5), Role::Admin), Some(vec![added]));
    act(&mut access, 6, grant(7, Role::Writer)).unwrap();
    assert_eq!(member(&access, 7), Some(Role::Writer));
    let change = story.change(6, &[], &[added, certificate]);
    access.add(story.changes[0].clone());
    assert_eq!(access.state(&change), pistol_acl::State::Accepted);
    assert_eq!(access.identity_of(&change), Some(identity));
    // Who is a root no more may still release, by a device too.
    act(&mut access, 5, Action::Relinquish).unwrap();
    assert_eq!(access.path(&author(6), Role::Relay), None);
    let release = act(&mut access, 6, Action::Release).unwrap();
    assert_eq!(access.released(), Some(release));
}

#[test]
fn a_device_is_a_roots_only_if_all_roots_of_its_identity_are_roots_one_of_them_added_last() {
    let mut story = Story::new(AccessPolicy::Members);
    let mut certificate = |number: u8, roots: &[u8]| {
        let identity = story.charter(number, Kind::Identity, AccessPolicy::Members, roots);
        story.next(roots[0], identity, &[], grant(number, Role::Admin))
    };
    let [with_owner, _strange] = [certificate(20, &[5, 1]), certificate(21, &[5, 9])];
    let mut access = story.told();
    assert_eq!([20, 21].map(|device| access.path_to_write(&author(device))), [None, None]);
    let added = act(&mut access, 1, Action::AddRoot { key: author(5) }).unwrap();
    assert_eq!(access.path_to_write(&author(20)), Some(vec![added, with_owner]));
    assert_eq!(access.path_to_write(&author(21)), None);
}

#[test]
fn a_device_of_a_roots_identity_that_nothing_names_is_found_in_documents_and_spaces() {
    for kind in [Kind::Document, Kind::Space] {
        let mut story = Story::of(story::log(1), vec![], vec![], vec![]);
        story.charter(1, kind, AccessPolicy::Members, &[1, 2]);
        let identity = story.charter(5, Kind::Identity, AccessPolicy::Members, &[1, 2]);
        let certificate = story.next(2, identity, &[], grant(6, Role::Admin));
        let mut access = story.told();
        assert_eq!(access.needs(), []);
        assert_eq!(access.path(&author(6), Role::Admin), Some(vec![certificate]));
        act(&mut access, 6, grant(7, Role::Writer)).unwrap();
        assert_eq!(member(&access, 7), Some(Role::Writer));
        assert_eq!(access.path_to_add(&author(6)), (kind == Kind::Space).then_some(vec![certificate]));
    }
}
