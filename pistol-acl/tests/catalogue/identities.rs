//! Rows 37, 38 and 41: devices, what is not known yet, and transfer.

use pistol_acl::record::{Action, Keep, LogId, Mode, Role, Subject};
use pistol_acl::{AccessPolicy, Kind, Reason, Refusal, State};
use pistol_core::id::AuthorityId;

use crate::story::{Story, author, grant, heads, log, revoke, revoke_key};

/// A document with an identity (log 5, root key 5) as an Admin, by devices 6 and 7.
struct Devices {
    story: Story,
    identity: LogId,
    granted: AuthorityId,
    six: AuthorityId,
    seven: AuthorityId,
}

fn devices() -> Devices {
    let mut story = Story::new(AccessPolicy::Members);
    let identity = story.charter(5, Kind::Identity, AccessPolicy::Owned, &[5]);
    let granted = story.act(1, &[], Action::Grant { to: Subject::Identity(identity), role: Role::Admin });
    let six = story.next(5, identity, &[], grant(6, Role::Admin));
    let seven = story.next(5, identity, &[], grant(7, Role::Admin));
    Devices { story, identity, granted, six, seven }
}

fn revoke_six(keep: Keep, mode: Mode) -> Action {
    Action::Revoke { who: Subject::Key(author(6)), mode, cascade: false, keep }
}

#[test]
fn row_37_a_device_revoked_in_its_identity_writes_no_more_and_its_sister_does() {
    let Devices { mut story, identity, granted, six, seven } = devices();
    let revocation = story.next(5, identity, &[], revoke_key(6, Mode::Endorsed));
    let by_six = story.change(6, &[], &[granted, six]);
    let by_seven = story.change(7, &[], &[granted, seven]);
    let access = story.everywhere();
    assert_eq!(access.explain(&by_six), Reason::Revoked(revocation));
    assert_eq!(access.state(&by_seven), State::Accepted);
}

#[test]
fn row_37_what_the_revocation_keeps_stays() {
    let Devices { mut story, identity, granted, six, .. } = devices();
    let kept = story.change(6, &[], &[granted, six]);
    let late = story.change(6, &[kept], &[granted, six]);
    let keep = Keep { changes: vec![heads(story.document, &[kept])], operations: vec![] };
    let revocation = story.next(5, identity, &[], revoke_six(keep, Mode::Endorsed));
    let access = story.everywhere();
    assert_eq!(access.explain(&kept), Reason::Adopted(vec![revocation]));
    assert_eq!(access.state(&late), State::Masked);
}

#[test]
fn row_37_an_identity_that_was_revoked_itself_cannot_adopt_its_work_by_revoking_a_device() {
    let Devices { mut story, identity, granted, six, .. } = devices();
    let change = story.change(6, &[], &[granted, six]);
    let who = Subject::Identity(identity);
    let _ = story.act(1, &[], Action::Revoke { who, mode: Mode::Endorsed, cascade: false, keep: Keep::default() });
    let keep = Keep { changes: vec![heads(story.document, &[change])], operations: vec![] };
    let _ = story.next(5, identity, &[], revoke_six(keep, Mode::Endorsed));
    assert_eq!(story.everywhere().state(&change), State::Masked);
}

#[test]
fn row_37_what_a_stolen_device_granted_is_void_unless_the_sister_acknowledged_it() {
    for is_acknowledged in [false, true] {
        let Devices { mut story, identity, granted, six, seven } = devices();
        let member = story.act(6, &[granted, six], grant(8, Role::Writer));
        if is_acknowledged {
            let _ = story.act(7, &[granted, seven], Action::Witness { names: vec![] });
        }
        let _ = story.next(5, identity, &[], revoke_key(6, Mode::Endorsed));
        assert_eq!(story.everywhere().is_valid(&member), is_acknowledged);
    }
}

#[test]
fn row_37_a_root_that_adds_a_root_acknowledges_what_it_had_seen() {
    let Devices { mut story, identity, granted, six, .. } = devices();
    let member = story.act(6, &[granted, six], grant(8, Role::Writer));
    let _ = story.act(1, &[], Action::AddRoot { key: author(2) });
    let _ = story.next(5, identity, &[], revoke_key(6, Mode::Endorsed));
    assert!(story.everywhere().is_valid(&member));
}

#[test]
fn row_37_a_puppet_that_the_stolen_device_made_acknowledges_nothing() {
    let Devices { mut story, identity, granted, six, .. } = devices();
    let puppet = story.act(6, &[granted, six], grant(8, Role::Admin));
    let _ = story.act(8, &[puppet], Action::Witness { names: vec![] });
    let _ = story.next(5, identity, &[], revoke_key(6, Mode::Endorsed));
    assert!(!story.everywhere().is_valid(&puppet));
}

#[test]
fn row_37_operations_that_the_revocation_keeps_stay_valid_with_what_they_knew() {
    let Devices { mut story, identity, granted, six, .. } = devices();
    let first = story.act(6, &[granted, six], grant(8, Role::Writer));
    let second = story.act(6, &[granted, six], grant(9, Role::Writer));
    let third = story.act(6, &[granted, six], grant(10, Role::Writer));
    let keep = Keep { changes: vec![], operations: vec![second] };
    let _ = story.next(5, identity, &[], revoke_six(keep, Mode::Endorsed));
    let access = story.everywhere();
    assert_eq!([first, second, third].map(|op| access.is_valid(&op)), [true, true, false]);
}

#[test]
fn a_document_revokes_whom_its_own_log_names_and_not_a_single_device() {
    let Devices { mut story, identity, granted, six, .. } = devices();
    let _ = story.act(1, &[], revoke_key(6, Mode::Endorsed));
    let change = story.change(6, &[], &[granted, six]);
    assert_eq!(story.everywhere().state(&change), State::Accepted);
    let revocation = story.act(1, &[], revoke(Subject::Identity(identity), Mode::Endorsed));
    assert_eq!(story.everywhere().explain(&change), Reason::Revoked(revocation));
}

#[test]
fn a_device_cannot_erase_what_others_built_on_it_by_an_exact_revocation_in_its_identity() {
    let Devices { mut story, identity, granted, six, .. } = devices();
    let change = story.change(6, &[], &[granted, six]);
    let by_root = story.change(1, &[change], &[]);
    let _ = story.next(5, identity, &[], revoke_key(6, Mode::Exact));
    let access = story.everywhere();
    assert_eq!([change, by_root].map(|change| access.state(&change)), [State::Accepted; 2]);
}

#[test]
fn a_device_of_a_root_adds_sisters_and_makes_no_roots() {
    let mut story = Story::new(AccessPolicy::Owned);
    let identity = story.charter(5, Kind::Identity, AccessPolicy::Owned, &[1]);
    let first = story.next(1, identity, &[], grant(7, Role::Admin));
    let second = story.next(7, identity, &[first], grant(8, Role::Writer));
    let root = story.write(7, story.document, &[first], &[], Action::AddRoot { key: author(9) });
    let (by_sister, by_puppet) = (story.change(8, &[], &[second]), story.change(9, &[], &[root]));
    let access = story.everywhere();
    assert_eq!(access.state(&by_sister), State::Accepted);
    assert_eq!(access.state(&by_puppet), State::Refused(Refusal::Past));
}

#[test]
fn row_38_changes_wait_for_grants_groups_and_certificates_and_are_never_refused_for_them() {
    let mut story = Story::new(AccessPolicy::Members);
    let identity = story.charter(5, Kind::Identity, AccessPolicy::Owned, &[5]);
    let group = story.charter(4, Kind::Group, AccessPolicy::Owned, &[4]);
    let granted = story.act(1, &[], Action::Grant { to: Subject::Group(group), role: Role::Writer });
    let member = story.next(4, group, &[], Action::Grant { to: Subject::Identity(identity), role: Role::Writer });
    let device = story.next(5, identity, &[], grant(6, Role::Writer));
    let change = story.change(6, &[], &[granted, member, device]);
    let is_missing = |drop: &dyn Fn(&mut Story)| {
        let mut part = story.clone();
        drop(&mut part);
        part.everywhere().state(&change)
    };
    for id in [granted, member, device] {
        assert_eq!(is_missing(&|part| part.operations.retain(|op| op.id() != id)), State::Pending);
    }
    for id in [log(1), identity, group] {
        assert_eq!(is_missing(&|part| part.charters.retain(|charter| charter.log != id)), State::Pending);
    }
    assert_eq!(story.everywhere().state(&change), State::Accepted);
}

#[test]
fn a_path_that_leads_to_somebody_else_is_refused() {
    let Devices { mut story, granted, six, seven, .. } = devices();
    let cases = [vec![granted, seven], vec![granted], vec![six], vec![seven, granted], vec![]];
    let changes = cases.map(|path| story.change(6, &[], &path));
    let access = story.everywhere();
    assert_eq!(changes.map(|change| access.state(&change)), [State::Refused(Refusal::Path); 5]);
}

#[test]
fn groups_nest_twice_and_no_more() {
    let mut story = Story::new(AccessPolicy::Members);
    let groups = [20, 21, 22].map(|number| story.charter(number, Kind::Group, AccessPolicy::Owned, &[4]));
    let mut path = vec![story.act(1, &[], Action::Grant { to: Subject::Group(groups[0]), role: Role::Writer })];
    let mut changes = vec![];
    for at in 0..3 {
        let member = story.next(4, groups[at], &[], grant(6, Role::Writer));
        changes.push(story.change(6, &[], &[path.as_slice(), &[member]].concat()));
        if at < 2 {
            let to = Subject::Group(groups[at + 1]);
            path.push(story.next(4, groups[at], &[], Action::Grant { to, role: Role::Writer }));
        }
    }
    let access = story.everywhere();
    let states: Vec<State> = changes.iter().map(|change| access.state(change)).collect();
    assert_eq!(states, [State::Accepted, State::Accepted, State::Refused(Refusal::Nesting)]);
}

#[test]
fn an_identity_whose_root_is_a_root_writes_by_its_devices_and_no_other_identity_that_names_that_root() {
    let mut story = Story::new(AccessPolicy::Owned);
    let mine = story.charter(5, Kind::Identity, AccessPolicy::Owned, &[1]);
    let forged = story.charter(6, Kind::Identity, AccessPolicy::Owned, &[9, 1]);
    let good = story.next(1, mine, &[], grant(7, Role::Writer));
    let bad = story.next(9, forged, &[], grant(8, Role::Writer));
    let (by_good, by_bad) = (story.change(7, &[], &[good]), story.change(8, &[], &[bad]));
    let access = story.everywhere();
    assert_eq!(access.state(&by_good), State::Accepted);
    assert_eq!(access.state(&by_bad), State::Refused(Refusal::Path));
}

#[test]
fn row_41_a_transfer_twice_makes_two_roots_and_the_seller_grants_no_more() {
    let mut story = Story::new(AccessPolicy::Members);
    let sold = story.act(1, &[], Action::AddRoot { key: author(2) });
    let _ = story.act(1, &[], Action::Relinquish);
    let again = story.write(1, story.document, &[], &[], Action::AddRoot { key: author(3) });
    let late = story.write(1, story.document, &[], &[sold], grant(4, Role::Writer));
    let granted = [(2, sold), (3, again)].map(|(key, root)| story.act(key, &[root], grant(10 + key, Role::Writer)));
    let access = story.everywhere();
    assert_eq!([sold, again, late].map(|op| access.is_valid(&op)), [true, true, false]);
    assert_eq!(granted.map(|op| access.is_valid(&op)), [true, true]);
}

#[test]
fn row_41_what_was_granted_before_the_transfer_stays() {
    let mut story = Story::new(AccessPolicy::Members);
    let granted = story.act(1, &[], grant(4, Role::Writer));
    let _ = story.act(1, &[], Action::AddRoot { key: author(2) });
    let _ = story.act(1, &[], Action::Relinquish);
    let change = story.change(4, &[], &[granted]);
    assert_eq!(story.everywhere().state(&change), State::Accepted);
}

#[test]
fn row_41_what_the_seller_wrote_stays_where_the_buyer_built_on_it() {
    let mut story = Story::new(AccessPolicy::Owned);
    let sold = story.act(1, &[], Action::AddRoot { key: author(2) });
    let early = story.change(1, &[], &[]);
    let gave_up = story.act(1, &[], Action::Relinquish);
    let bought = story.change(2, &[early], &[sold]);
    let late = story.change(1, &[early], &[]);
    let access = story.everywhere();
    assert_eq!(access.explain(&early), Reason::BuiltOn(bought));
    assert_eq!(access.explain(&late), Reason::Revoked(gave_up));
}
