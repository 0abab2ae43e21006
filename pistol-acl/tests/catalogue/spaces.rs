//! Row 47: documents of a space whose author was revoked there.

use pistol_acl::record::{Action, Keep, LogId, Mode, Role, Subject};
use pistol_acl::{AccessPolicy, Kind, Place, Refusal, State};
use pistol_core::id::{AuthorityId, ChangeId};

use crate::story::{Story, author, grant, heads, revoke_key};

/// A space (log 3, root key 3) with key 1 as a writer, who adds the document, and key 2 as another.
struct Added {
    story: Story,
    space: LogId,
    two: AuthorityId,
    change: ChangeId,
}

fn space() -> Added {
    let mut story = Story::new(AccessPolicy::Owned);
    let space = story.charter(3, Kind::Space, AccessPolicy::Members, &[3]);
    let one = story.next(3, space, &[], grant(1, Role::Writer));
    let two = story.next(3, space, &[], grant(2, Role::Writer));
    story.charters[0].space = Some((space, vec![one]));
    let change = story.change(1, &[], &[]);
    Added { story, space, two, change }
}

#[test]
fn a_document_of_a_member_has_its_place_and_that_of_a_stranger_has_none() {
    let Added { mut story, space, .. } = space();
    assert_eq!(*story.everywhere().place(), Place::Here);
    story.charters[0].space = Some((space, vec![]));
    assert_eq!(*story.everywhere().place(), Place::Refused(Refusal::Path));
}

#[test]
fn a_document_waits_for_the_grant_that_it_cites_in_its_space() {
    let Added { mut story, two, .. } = space();
    let first = story.operation(&two).unwrap().op().prev[0];
    story.operations.clear();
    assert_eq!(*story.everywhere().place(), Place::Pending(vec![first.0]));
}

#[test]
fn row_47_the_document_of_a_revoked_author_has_no_place_and_keeps_its_content() {
    let Added { mut story, space, change, .. } = space();
    let revocation = story.next(3, space, &[], revoke_key(1, Mode::Endorsed));
    let access = story.everywhere();
    assert_eq!(*access.place(), Place::Masked(revocation));
    assert_eq!(access.state(&change), State::Accepted);
}

#[test]
fn row_47_it_stays_if_another_member_acknowledged_it_and_not_by_the_authors_own_word() {
    for by in [2, 1] {
        let Added { mut story, space, two, .. } = space();
        let one = story.operation(&two).unwrap().op().prev[0];
        let document = story.document;
        let _ = story.next(by, space, &[if by == 1 { one } else { two }], Action::Checkpoint(heads(document, &[])));
        let revocation = story.next(3, space, &[], revoke_key(1, Mode::Endorsed));
        let expected = if by == 2 { Place::Here } else { Place::Masked(revocation) };
        assert_eq!(*story.everywhere().place(), expected, "acknowledged by key {by}");
    }
}

#[test]
fn row_47_it_stays_if_the_revocation_keeps_it() {
    for mode in [Mode::Endorsed, Mode::Exact] {
        let Added { mut story, space, .. } = space();
        let keep = Keep { changes: vec![heads(story.document, &[])], operations: vec![] };
        let who = Subject::Key(author(1));
        let _ = story.next(3, space, &[], Action::Revoke { who, mode, cascade: false, keep });
        assert_eq!(*story.everywhere().place(), Place::Here);
    }
}

#[test]
fn the_owner_of_a_space_removes_a_document_and_an_admin_does_not() {
    let Added { mut story, space, .. } = space();
    let document = story.document;
    let admin = story.next(3, space, &[], grant(4, Role::Admin));
    let by_admin = story.next(4, space, &[admin], Action::RemoveDocument { document });
    assert_eq!(*story.everywhere().place(), Place::Here);
    story.operations.retain(|op| op.id() != by_admin);
    let removal = story.next(3, space, &[], Action::RemoveDocument { document });
    assert_eq!(*story.everywhere().place(), Place::Removed(removal));
}

#[test]
fn a_document_whose_members_are_the_spaces_is_written_by_them_until_they_are_revoked_there() {
    let mut story = Story::new(AccessPolicy::Members);
    let space = story.charter(3, Kind::Space, AccessPolicy::Members, &[3]);
    let members = story.act(1, &[], Action::Grant { to: Subject::Space(space), role: Role::Writer });
    let two = story.next(3, space, &[], grant(2, Role::Admin));
    let reader = story.next(3, space, &[], grant(4, Role::Reader));
    let owner = story.next(3, space, &[], grant(3, Role::Admin));
    let by_owner = story.change(3, &[], &[members, owner]);
    let by_two = story.change(2, &[], &[members, two]);
    let by_reader = story.change(4, &[], &[members, reader]);
    let access = story.everywhere();
    assert_eq!([by_owner, by_two].map(|change| access.state(&change)), [State::Accepted; 2]);
    assert_eq!(access.state(&by_reader), State::Refused(Refusal::Policy), "the weakest role on the path counts");
    let _ = story.next(3, space, &[], revoke_key(2, Mode::Endorsed));
    assert_eq!(story.everywhere().state(&by_two), State::Masked);
}
