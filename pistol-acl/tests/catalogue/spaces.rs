//! Row 47: documents of a space whose author was revoked there.

use pistol_acl::record::{Action, Keep, LogId, Mode, Role, Subject};
use pistol_acl::{AccessPolicy, Kind, Reason, Refusal, State};
use pistol_core::id::{AuthorityId, ChangeId};

use crate::story::{Story, author, grant, heads, revoke, revoke_key};

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
    let Added { mut story, space, change, .. } = space();
    assert_eq!(story.everywhere().state(&change), State::Accepted);
    story.charters[0].space = Some((space, vec![]));
    assert_eq!(story.everywhere().explain(&change), Reason::NoPlace(None));
}

#[test]
fn a_document_waits_for_the_grant_that_it_cites_in_its_space() {
    let Added { mut story, change, two, .. } = space();
    let first = story.operation(&two).unwrap().op().prev[0];
    story.operations.clear();
    assert_eq!(story.everywhere().explain(&change), Reason::Missing(first.0));
}

#[test]
fn row_47_the_document_of_a_revoked_author_is_masked_as_a_whole() {
    let Added { mut story, space, change, .. } = space();
    let revocation = story.next(3, space, &[], revoke_key(1, Mode::Endorsed));
    assert_eq!(story.everywhere().explain(&change), Reason::NoPlace(Some(revocation)));
}

#[test]
fn row_47_it_stays_if_another_member_acknowledged_it_and_not_by_the_authors_own_word() {
    for (by, state) in [(2, State::Accepted), (1, State::Masked)] {
        let Added { mut story, space, two, change } = space();
        let one = story.operation(&two).unwrap().op().prev[0];
        let document = story.document;
        let _ = story.next(by, space, &[if by == 1 { one } else { two }], Action::Checkpoint(heads(document, &[])));
        let _ = story.next(3, space, &[], revoke_key(1, Mode::Endorsed));
        assert_eq!(story.everywhere().state(&change), state, "acknowledged by key {by}");
    }
}

#[test]
fn row_47_it_stays_if_the_revocation_keeps_it() {
    let Added { mut story, space, change, .. } = space();
    let keep = Keep { changes: vec![heads(story.document, &[])], operations: vec![] };
    let who = Subject::Key(author(1));
    let _ = story.next(3, space, &[], Action::Revoke { who, mode: Mode::Endorsed, cascade: false, keep });
    assert_eq!(story.everywhere().state(&change), State::Accepted);
}

#[test]
fn the_owner_of_a_space_removes_a_document_and_an_admin_does_not() {
    let Added { mut story, space, change, .. } = space();
    let document = story.document;
    let admin = story.next(3, space, &[], grant(4, Role::Admin));
    let by_admin = story.next(4, space, &[admin], Action::RemoveDocument { document });
    assert_eq!(story.everywhere().state(&change), State::Accepted);
    story.operations.retain(|op| op.id() != by_admin);
    let removal = story.next(3, space, &[], Action::RemoveDocument { document });
    assert_eq!(story.everywhere().explain(&change), Reason::Removed(removal));
}

#[test]
fn a_document_whose_members_are_the_spaces_is_written_by_them_until_they_are_revoked_there() {
    let mut story = Story::new(AccessPolicy::Members);
    let space = story.charter(3, Kind::Space, AccessPolicy::Members, &[3]);
    let members = story.act(1, &[], Action::Grant { to: Subject::Space(space), role: Role::Writer });
    let two = story.next(3, space, &[], grant(2, Role::Admin));
    let reader = story.next(3, space, &[], grant(4, Role::Reader));
    let by_owner = story.change(3, &[], &[members]);
    let by_two = story.change(2, &[], &[members, two]);
    let by_reader = story.change(4, &[], &[members, reader]);
    let access = story.everywhere();
    assert_eq!([by_owner, by_two].map(|change| access.state(&change)), [State::Accepted; 2]);
    assert_eq!(access.state(&by_reader), State::Refused(Refusal::Policy), "the weakest role on the path counts");
    let _ = story.next(3, space, &[], revoke_key(2, Mode::Endorsed));
    assert_eq!(story.everywhere().state(&by_two), State::Masked);
}

#[test]
fn a_ban_by_the_space_purges_an_author_in_its_documents() {
    let Added { mut story, space, .. } = space();
    story.charters[0].policy = AccessPolicy::WorldWritable;
    let spam = story.change(9, &[], &[]);
    let honest = story.change(8, &[], &[]);
    let ban = story.next(3, space, &[], revoke(Subject::Key(author(9)), Mode::Exact));
    let access = story.everywhere();
    assert_eq!(access.explain(&spam), Reason::Purged(ban));
    assert_eq!(access.state(&honest), State::Accepted);
}
