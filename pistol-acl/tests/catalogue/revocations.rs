//! Rows 30 to 36 and 49: revocation among keys.

use pistol_acl::record::{Action, Keep, Mode, Role, Subject};
use pistol_acl::{AccessPolicy, Loss, Reason, State};
use pistol_core::id::{AuthorityId, ChangeId};

use crate::story::{Story, author, grant, heads, revoke_key};

const MEMBERS: AccessPolicy = AccessPolicy::Members;

/// Key 2 is a writer and wrote; key 1, the root, revoked it; a tail of key 2 appears, said to be older.
struct Backdated {
    story: Story,
    grant: AuthorityId,
    revocation: AuthorityId,
    /// What key 2 wrote, and the root built on.
    early: ChangeId,
    tail: ChangeId,
}

fn tail(mode: Mode) -> Backdated {
    let mut story = Story::new(MEMBERS);
    let grant = story.act(1, &[], grant(2, Role::Writer));
    let early = story.change(2, &[], &[grant]);
    let _ = story.change(1, &[early], &[]);
    let keep = Keep { changes: vec![heads(story.document, &[early])], operations: vec![] };
    let who = Subject::Key(author(2));
    let revocation = story.act(1, &[], Action::Revoke { who, mode, cascade: false, keep });
    let tail = story.change(2, &[early], &[grant]);
    Backdated { story, grant, revocation, early, tail }
}

#[test]
fn row_30_a_backdated_tail_that_nobody_built_on_is_masked() {
    let Backdated { story, revocation, early, tail, .. } = tail(Mode::Endorsed);
    let access = story.everywhere();
    assert_eq!(access.state(&early), State::Accepted);
    assert_eq!(access.state(&tail), State::Masked);
    assert_eq!(access.explain(&tail), Reason::Revoked(revocation));
}

#[test]
fn row_30_a_tail_that_a_member_built_on_stays() {
    let Backdated { mut story, tail, .. } = tail(Mode::Endorsed);
    let by_root = story.change(1, &[tail], &[]);
    let access = story.everywhere();
    assert_eq!(access.state(&tail), State::Accepted);
    assert_eq!(access.explain(&tail), Reason::BuiltOn(by_root));
}

#[test]
fn row_31_an_exact_revocation_purges_the_tail_and_what_was_built_on_it() {
    let Backdated { mut story, revocation, early, tail, .. } = tail(Mode::Exact);
    let by_root = story.change(1, &[tail], &[]);
    let access = story.everywhere();
    assert_eq!(access.state(&early), State::Accepted, "it is kept");
    assert_eq!(access.explain(&tail), Reason::Purged(revocation));
    assert_eq!(access.explain(&by_root), Reason::Orphaned { on: tail, by: Some(revocation) });
}

#[test]
fn row_31_the_loss_is_counted_before_the_revocation_is_sent() {
    let Backdated { mut story, tail, .. } = tail(Mode::Endorsed);
    let _ = story.change(1, &[tail], &[]);
    let before = story.told();
    let revocation = story.act(1, &[], revoke_key(2, Mode::Exact));
    let signed = story.operation(&revocation).unwrap().clone();
    let loss = before.loss(signed, &Subject::Key(author(2)));
    assert_eq!(loss, Loss { purged: 2, orphaned: 2 }, "nothing is kept, and both of the root's changes build on it");
}

#[test]
fn row_32_a_new_grant_counts_after_the_revocation_and_the_old_one_does_not() {
    let Backdated { mut story, tail, early, .. } = tail(Mode::Exact);
    let again = story.act(1, &[], grant(2, Role::Writer));
    let after = story.change(2, &[early], &[again]);
    let access = story.everywhere();
    assert_eq!(access.state(&after), State::Accepted);
    assert_eq!(access.state(&tail), State::Masked, "it cites the old grant");
}

#[test]
fn row_33_a_revocation_beats_a_concurrent_grant() {
    let Backdated { mut story, revocation, grant: old, .. } = tail(Mode::Endorsed);
    let concurrent = story.write(1, story.document, &[], &[old], grant(2, Role::Writer));
    let change = story.change(2, &[], &[concurrent]);
    let access = story.everywhere();
    assert_eq!(access.explain(&change), Reason::Revoked(revocation));
}

#[test]
fn row_34_two_admins_of_one_level_cannot_revoke_each_other() {
    let mut story = Story::new(MEMBERS);
    let two = story.act(1, &[], grant(2, Role::Admin));
    let three = story.act(1, &[], grant(3, Role::Admin));
    let _ = story.write(2, story.document, &[two], &[two, three], revoke_key(3, Mode::Exact));
    let _ = story.write(3, story.document, &[three], &[two, three], revoke_key(2, Mode::Exact));
    let (by_two, by_three) = (story.change(2, &[], &[two]), story.change(3, &[], &[three]));
    let access = story.everywhere();
    assert_eq!([by_two, by_three].map(|change| access.state(&change)), [State::Accepted; 2]);
}

#[test]
fn row_34_a_senior_admin_revokes_a_junior_one_whatever_the_junior_wrote() {
    let mut story = Story::new(MEMBERS);
    let two = story.act(1, &[], grant(2, Role::Admin));
    let three = story.act(2, &[two], grant(3, Role::Admin));
    let _ = story.write(2, story.document, &[two], &[three], revoke_key(3, Mode::Endorsed));
    let _ = story.write(3, story.document, &[three], &[three], revoke_key(2, Mode::Endorsed));
    let (by_two, by_three) = (story.change(2, &[], &[two]), story.change(3, &[], &[three]));
    let access = story.everywhere();
    assert_eq!([by_two, by_three].map(|change| access.state(&change)), [State::Accepted, State::Masked]);
}

#[test]
fn row_35_a_grant_that_a_revoked_admin_backdates_to_a_puppet_is_void() {
    let mut story = Story::new(MEMBERS);
    let admin = story.act(1, &[], grant(2, Role::Admin));
    let revocation = story.act(1, &[], revoke_key(2, Mode::Endorsed));
    let puppet = story.write(2, story.document, &[admin], &[admin], grant(3, Role::Writer));
    let change = story.change(3, &[], &[puppet]);
    let access = story.everywhere();
    assert!(!access.is_valid(&puppet));
    assert_eq!(access.explain(&change), Reason::Broken { hop: puppet, by: Some(revocation) });
}

#[test]
fn row_36_what_an_admin_granted_before_stays_unless_the_revocation_cascades() {
    for cascade in [false, true] {
        let mut story = Story::new(MEMBERS);
        let admin = story.act(1, &[], grant(2, Role::Admin));
        let member = story.act(2, &[admin], grant(3, Role::Writer));
        let who = Subject::Key(author(2));
        let keep = Keep::default();
        let _ = story.act(1, &[], Action::Revoke { who, mode: Mode::Endorsed, cascade, keep });
        let change = story.change(3, &[], &[member]);
        let access = story.everywhere();
        assert_eq!(access.is_valid(&member), !cascade);
        assert_eq!(access.state(&change), if cascade { State::Masked } else { State::Accepted });
    }
}

#[test]
fn masked_work_is_adopted_by_a_checkpoint_of_an_admin_and_not_by_that_of_a_writer() {
    for (role, state) in [(Role::Admin, State::Accepted), (Role::Writer, State::Masked)] {
        let Backdated { mut story, tail, .. } = tail(Mode::Endorsed);
        let granted = story.act(1, &[], grant(4, role));
        let _ = story.act(4, &[granted], Action::Checkpoint(heads(story.document, &[tail])));
        assert_eq!(story.everywhere().state(&tail), state);
    }
}

#[test]
fn a_member_may_resign_and_nobody_else_may_do_it_for_them() {
    let mut story = Story::new(MEMBERS);
    let two = story.act(1, &[], grant(2, Role::Writer));
    let three = story.act(1, &[], grant(3, Role::Writer));
    let _ = story.write(3, story.document, &[three], &[three], revoke_key(2, Mode::Endorsed));
    let _ = story.write(3, story.document, &[three], &[three], revoke_key(3, Mode::Endorsed));
    let (by_two, by_three) = (story.change(2, &[], &[two]), story.change(3, &[], &[three]));
    let access = story.everywhere();
    assert_eq!([by_two, by_three].map(|change| access.state(&change)), [State::Accepted, State::Masked]);
}

#[test]
fn a_ban_where_anyone_may_write_purges_what_it_does_not_keep() {
    let mut story = Story::new(AccessPolicy::WorldWritable);
    let early = story.change(2, &[], &[]);
    let keep = Keep { changes: vec![heads(story.document, &[early])], operations: vec![] };
    let who = Subject::Key(author(2));
    let _ = story.act(1, &[], Action::Revoke { who, mode: Mode::Exact, cascade: false, keep });
    let late = story.change(2, &[early], &[]);
    let other = story.change(3, &[early], &[]);
    let access = story.everywhere();
    assert_eq!([early, late, other].map(|c| access.state(&c)), [State::Accepted, State::Masked, State::Accepted]);
}

#[test]
fn row_49_one_revocation_masks_the_revoked_half_of_a_hundred_thousand_changes() {
    let mut story = Story::new(MEMBERS);
    let granted = story.act(1, &[], grant(2, Role::Writer));
    let mut last: [Vec<ChangeId>; 2] = [vec![], vec![]];
    for _ in 0..50_000 {
        last[0] = vec![story.change(1, &last[0], &[])];
        last[1] = vec![story.change(2, &last[1], &[granted])];
    }
    let mut access = story.told();
    assert_eq!(access.accepted().count(), 100_000);
    let revocation = story.act(1, &[], revoke_key(2, Mode::Endorsed));
    access.hold(story.operation(&revocation).unwrap().clone());
    assert!(access.settle());
    assert_eq!(access.accepted().count(), 50_000);
}
