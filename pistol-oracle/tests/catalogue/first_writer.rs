//! Rows 42 and 43, and shared slots: ownership inside a document.

use pistol_oracle::{
    Action, Candidate, Element, Insert, Key, OperationId, Person, Place, Policy, Rule, Slot, State, Verb, Why, Write,
    broken_rules,
};

use crate::scene::*;

const WALL: Policy =
    Policy::FirstWriter { insert: Insert::Anywhere, shared_counters: false, members_only: false, shared_slots: false };
const MINE: Person = Person::Key(ALICE);
const YOURS: Person = Person::Key(BOB);

fn map(object_creator: Person) -> Place {
    Place::Map { object_creator }
}

fn list(object_creator: Person, creator: Person) -> Place {
    Place::Sequence { object_creator, element: Some(Element { creator }) }
}

#[test]
fn row_42_alice_changes_her_own_things_and_not_those_of_others_with_or_without_pred() {
    use Rule::{W1, W2, W3, W5, W6};
    use Verb::{Delete, Increment, Insert, Mark, Put};
    let (mine, yours) = (vec![MINE], vec![YOURS]);
    for (verb, place, pred_authors, expected) in [
        (Put, map(MINE), mine.clone(), vec![]),
        (Put, map(MINE), yours.clone(), vec![W1]),
        (Put, map(YOURS), vec![], vec![W3]),
        (Delete, map(YOURS), yours.clone(), vec![W1, W3]),
        (Put, list(YOURS, MINE), mine.clone(), vec![]),
        (Put, list(MINE, YOURS), vec![], vec![W2]),
        (Delete, list(MINE, YOURS), yours.clone(), vec![W1, W2]),
        (Put, Place::Root(Key::Id(MINE)), vec![], vec![]),
        (Put, Place::Root(Key::Under(MINE, 1)), mine.clone(), vec![]),
        (Put, Place::Root(Key::Beside(MINE, 1)), vec![], vec![W3]),
        (Put, Place::Root(Key::Under(YOURS, 1)), vec![], vec![W3]),
        (Put, Place::Root(Key::Plain(1)), vec![], vec![W3]),
        (Insert, list(YOURS, YOURS), vec![], vec![]),
        (Mark, list(YOURS, MINE), vec![], vec![W5]),
        (Mark, list(MINE, YOURS), vec![], vec![]),
        (Increment, map(YOURS), mine, vec![]),
        (Increment, map(MINE), yours, vec![W6]),
    ] {
        let write = Write { verb, place, pred_authors };
        assert_eq!(broken_rules(WALL, &[OWNER], MINE, &write), expected, "{write:?}");
    }
}

#[test]
fn row_42_what_the_policy_opens_is_open_and_the_root_writes_plain_keys() {
    let insert = Write { verb: Verb::Insert, place: list(YOURS, YOURS), pred_authors: vec![] };
    let count = Write { verb: Verb::Increment, place: map(YOURS), pred_authors: vec![YOURS] };
    let plain = Write { verb: Verb::Put, place: Place::Root(Key::Plain(1)), pred_authors: vec![] };
    let policy = |insert, shared_counters, shared_slots| Policy::FirstWriter {
        insert,
        shared_counters,
        members_only: false,
        shared_slots,
    };
    let broken = |policy, write| broken_rules(policy, &[OWNER], MINE, write);
    assert_eq!(broken(policy(Insert::OwnObject, false, false), &insert), [Rule::W4]);
    assert_eq!(broken(policy(Insert::Anywhere, true, false), &count), []);
    assert_eq!(broken(policy(Insert::Anywhere, false, true), &plain), []);
    assert_eq!(broken_rules(WALL, &[ALICE], MINE, &plain), []);
}

#[test]
fn row_42_one_person_on_two_devices_is_one_first_writer_until_a_device_is_revoked() {
    let mut scene = Scene::new(WALL);
    let phone = scene.says(IDENTITY, ROOT, &[], &[], writer(PHONE));
    let us = Person::Identity(IDENTITY);
    let edit = vec![Write { verb: Verb::Put, place: map(us), pred_authors: vec![us] }];
    let work = scene.does(PHONE, &[phone], &[], edit.clone());
    let bare = scene.does(PHONE, &[], &[], edit);
    assert_eq!(scene.accepts([work, bare]), [true, false]);
    assert_eq!(scene.judge().changes[&bare], State::Rejected(Why::FirstWriter(Rule::W1)));
    scene.says(IDENTITY, ROOT, &[], &[phone], endorsed(PHONE));
    assert_eq!((scene.accepts([work]), &scene.judge().void[&work]), ([true], &vec![0]));
}

#[test]
fn row_43_deleting_ones_own_container_is_allowed_whatever_others_put_in_it() {
    let house = Write { verb: Verb::Delete, place: map(MINE), pred_authors: vec![MINE] };
    assert_eq!(broken_rules(WALL, &[OWNER], MINE, &house), []);
}

#[test]
fn in_a_shared_slot_who_saw_another_loses_the_owner_decides_between_the_rest_and_else_nobody() {
    let mut scene = Scene::new(Policy::WorldWritable);
    let (first, rival) = (scene.writes(ALICE, &[], &[]), scene.writes(BOB, &[], &[]));
    let late = scene.writes(CAROL, &[], &[first]);
    let value = |author, change| Candidate { author: Person::Key(author), change };
    let all = [value(BOB, rival), value(CAROL, late), value(ALICE, first)];
    let slot = |scene: &Scene| scene.judge().slot(DOCUMENT, &all);
    assert_eq!(slot(&scene), Slot::Contested(vec![value(ALICE, first), value(BOB, rival)]));
    let vouch = |heads| Action::Checkpoint { document: DOCUMENT, heads };
    let decision: OperationId = scene.owner(&[], vouch(vec![rival]));
    assert_eq!(slot(&scene), Slot::Of(YOURS, vec![rival]));
    scene.owner(&[decision], vouch(vec![late]));
    assert_eq!(slot(&scene), Slot::Of(YOURS, vec![rival]), "the earliest decides");
    scene.owner(&[], vouch(vec![first]));
    assert_eq!(slot(&scene), Slot::Contested(vec![value(ALICE, first), value(BOB, rival)]));
    assert_eq!(scene.judge().slot(DOCUMENT, &[]), Slot::Empty);
}
