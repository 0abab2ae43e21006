//! Who has a part in a document as things stand, and operations that are drafted for them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "support/story.rs"]
mod story;

use pistol_acl::record::{Action, Mode, Role, SignedOp, Subject};
use pistol_acl::{Access, AccessPolicy, Held, NoPower, Unready};
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
