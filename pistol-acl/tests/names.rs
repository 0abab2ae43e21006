//! Names judged twice: in random worlds of `pistol-oracle` with hostile claimants and witnesses, and here. And what holds of
//! all of them.
//!
//! More of them: `ORACLE_WORLDS=100000 cargo test --release -p pistol-acl --test names`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and reads how long it may run"
)]

#[path = "support/story.rs"]
mod story;
#[path = "support/told.rs"]
mod told;

use std::collections::BTreeSet;

use pistol_acl::record::Action;
use pistol_acl::{Access, AccessPolicy, Claim, Claimant, Kind, Naming, SpaceName};
use pistol_core::id::DocumentId;
use pistol_oracle::{Limits, LogId, Naming as Said, Operation, Person, Size, Subject, World};
use story::{Item, Story, author, grant, tell};
use told::{Told, log_id};

const SPACE: LogId = LogId(4);

#[derive(Debug, Default)]
struct Tally {
    worlds: usize,
    unclaimed: usize,
    unconfirmed: usize,
    confirmed: usize,
    contested: usize,
}

fn worlds() -> u64 {
    std::env::var("ORACLE_WORLDS").ok().and_then(|worlds| worlds.parse().ok()).unwrap_or(600)
}

#[test]
fn the_oracle_and_the_judge_agree_on_every_name() {
    let mut tally = Tally::default();
    for seed in 0..worlds() {
        let world = World::of_names(seed, if seed % 3 == 0 { Size::Medium } else { Size::Small });
        let contains_itself = |op: &Operation| op.grant().is_some_and(|(to, _)| to == Subject::Group(op.log));
        if world.limits != Limits::default() || world.operations.iter().any(contains_itself) {
            continue;
        }
        let world = told::comparable(world);
        let (judgement, told) = (world.judge(), Told::of(&world));
        // As with changes: a node hears of such a release later.
        if told.has_merged() || judgement.released.values().any(|release| told.waits(*release)) {
            continue;
        }
        tally.worlds += 1;
        for number in 0..2 {
            let name: SpaceName = format!("name-{number}").parse().unwrap();
            let naming = told.node().name(&log_id(SPACE), &name);
            let said = judgement.names.get(&(SPACE, number));
            let explained = told.node().explain_name(&log_id(SPACE), &name);
            assert!(agree(&naming, said, &mut tally), "world {seed}: {explained}, and {said:?}\n{world}");
        }
    }
    println!("{tally:?}");
    let least = [tally.unclaimed, tally.unconfirmed, tally.confirmed, tally.contested].into_iter().min();
    assert!(least > Some(20), "{tally:?}");
}

fn agree(naming: &Naming, said: Option<&Said>, tally: &mut Tally) -> bool {
    match (naming, said) {
        (Naming::Unclaimed, None) => tally.unclaimed += 1,
        (Naming::Unconfirmed(claim), Some(Said::Unconfirmed(said))) if same(claim) == of_oracle(said) => {
            tally.unconfirmed += 1;
        }
        (Naming::Confirmed(claim), Some(Said::Confirmed(said))) if same(claim) == of_oracle(said) => {
            tally.confirmed += 1;
        }
        (Naming::Contested { claims, count }, Some(Said::Contested(said))) => {
            let ours: BTreeSet<_> = claims.iter().map(same).collect();
            let are_all = ours == said.iter().map(of_oracle).collect() && ours.len() == *count;
            if !are_all || !claims.is_sorted() || claims.len() != *count {
                return false;
            }
            tally.contested += 1;
        }
        _ => return false,
    }
    true
}

fn same(claim: &Claim) -> (Claimant, DocumentId) {
    (claim.claimant, claim.target)
}

fn of_oracle((person, target): &(Person, LogId)) -> (Claimant, DocumentId) {
    let claimant = match person {
        Person::Key(key) => Claimant::Key(author(key.0 as u8 + 1)),
        Person::Identity(log) => Claimant::Identity(log_id(*log)),
    };
    (claimant, log_id(*target))
}

#[test]
fn what_becomes_of_a_name_does_not_depend_on_the_order_of_arrival() {
    for seed in 0..60 {
        let (mut story, space, name) = rivals(seed);
        let all = story.told().explain_name(&space, &name);
        for order in 0..20 {
            assert_eq!(story.told_in_order(order).explain_name(&space, &name), all, "seed {seed}, order {order}");
        }
        story.operations.reverse();
        assert_eq!(story.told().explain_name(&space, &name), all, "seed {seed}, backwards");
    }
}

/// A space of key 3 in which registrars 1 and 2 witness what strangers 5 to 8 claim.
fn rivals(seed: u64) -> (Story, DocumentId, SpaceName) {
    let mut story = Story::new(AccessPolicy::Owned);
    let space = story.charter(3, Kind::Space, AccessPolicy::WorldWritable, &[3]);
    let mut dice = story::Dice(seed);
    let registrars = [1, 2].map(|key| story.next(3, space, &[], grant(key, pistol_acl::record::Role::Admin)));
    let mut claims = vec![];
    for _ in 0..6 {
        let by = 5 + dice.below(4) as u8;
        let prev = if dice.one_in(2) { story.heads(space) } else { vec![] };
        let target = DocumentId([dice.below(2) as u8; 32]);
        claims.push(story.write(by, space, &[], &prev, Action::Name { name: "scores".to_owned(), target }));
        if dice.one_in(2) {
            let at = dice.below(2);
            let prev = if dice.one_in(2) { story.heads(space) } else { vec![registrars[at]] };
            let names = vec![claims[dice.below(claims.len())]];
            story.write(1 + at as u8, space, &[registrars[at]], &prev, Action::Witness { names });
        }
    }
    (story, space, "scores".parse().unwrap())
}

#[test]
fn what_the_owner_confirmed_neither_rivals_nor_registrars_take_away() {
    for seed in 0..100 {
        let (mut story, space, name) = rivals(seed);
        let target = DocumentId([9; 32]);
        let claim = story.next(9, space, &[], Action::Name { name: "scores".to_owned(), target });
        let _ = story.next(3, space, &[], Action::Witness { names: vec![claim] });
        let confirmed = story.told().name(&space, &name);
        assert!(matches!(&confirmed, Naming::Confirmed(found) if found.operation == claim), "seed {seed}");
        let (later, ..) = rivals(seed + 1000);
        story.operations.extend(later.operations);
        let by_rival = story.next(5, space, &[], Action::Name { name: "scores".to_owned(), target });
        let registrar = story.operations[0].id();
        let _ = story.write(1, space, &[registrar], &[registrar], Action::Witness { names: vec![by_rival] });
        assert_eq!(story.told().name(&space, &name), confirmed, "seed {seed}");
    }
}

#[test]
fn the_names_of_a_space_are_listed_in_order_and_in_parts() {
    let mut story = Story::new(AccessPolicy::Owned);
    let space = story.charter(3, Kind::Space, AccessPolicy::WorldWritable, &[3]);
    for number in 0..1500 {
        let name = format!("n{number:04}");
        story.write(5, space, &[], &[], Action::Name { name, target: DocumentId([1; 32]) });
    }
    // Lines beyond a bound are owed unless somebody built on them: here all are needed.
    let mut access: Access =
        tell(story.document, &story.charters.iter().cloned().map(Item::Charter).collect::<Vec<_>>());
    story.operations.iter().for_each(|signed| drop(access.hold_needed(signed.clone())));
    access.settle();
    let first = access.names(&space, None);
    assert_eq!(first.len(), pistol_acl::limits::NAMES_LISTED_MAX);
    let rest = access.names(&space, first.last().map(|(name, _)| name));
    assert_eq!((rest.len(), rest[0].0.to_string()), (500, "n1000".to_owned()));
    assert!(first.iter().all(|(_, naming)| matches!(naming, Naming::Unconfirmed(_))));
}

/// A space where anyone may claim, with claims of "scores" by so many strangers.
fn crowd(strangers: u8) -> (Story, DocumentId) {
    let mut story = Story::new(AccessPolicy::Owned);
    let space = story.charter(3, Kind::Space, AccessPolicy::WorldWritable, &[3]);
    for by in 0..strangers {
        story.write(100 + by, space, &[], &[], scores(1));
    }
    (story, space)
}

fn scores(target: u8) -> Action {
    Action::Name { name: "scores".to_owned(), target: DocumentId([target; 32]) }
}

#[test]
fn of_a_contested_name_sixty_four_claims_are_listed_members_first_and_every_other_is_found_by_its_digits() {
    let (mut story, space) = crowd(100);
    let granted = [1, 2].map(|by| story.write(3, space, &[], &[], grant(by, pistol_acl::record::Role::Writer)));
    for (by, grant) in [1, 2].into_iter().zip(granted) {
        story.write(by, space, &[grant], &[grant], scores(2));
    }
    let name: SpaceName = "scores".parse().unwrap();
    let access = story.told();
    let naming = access.name(&space, &name);
    let Naming::Contested { claims, count } = &naming else { panic!("{naming:?}") };
    assert_eq!((claims.len(), *count), (pistol_acl::limits::CLAIMS_LISTED_MAX, 102));
    assert!(claims.is_sorted());
    let is_listed = |by: u8| claims.iter().any(|claim| claim.claimant == Claimant::Key(author(by)));
    assert!([1, 2].into_iter().all(is_listed), "whom the space gave a part is listed");
    // Of strangers those with the least ids, whatever these are worth.
    let mut strangers: Vec<_> = (100..200).map(author).collect();
    strangers.sort_unstable();
    let listed = strangers.iter().filter(|by| claims.iter().any(|claim| claim.claimant == Claimant::Key(**by)));
    assert_eq!(listed.collect::<Vec<_>>(), strangers[..62].iter().collect::<Vec<_>>());
    for by in strangers {
        let found = access.name(&space, &name.of_claimant(&Claimant::Key(by)));
        assert!(matches!(found, Naming::ByClaimant(claim) if claim.claimant == Claimant::Key(by)));
    }
    assert!(access.explain_name(&space, &name).contains("and 38 more"));
    for order in 0..10 {
        assert_eq!(story.told_in_order(order).name(&space, &name), naming, "order {order}");
    }
}

#[test]
fn a_claimant_who_says_sixty_things_at_once_takes_no_others_place_in_the_list() {
    let (mut story, space) = crowd(40);
    for target in 0..60 {
        story.write(9, space, &[], &[], scores(target));
    }
    let naming = story.told().name(&space, &"scores".parse().unwrap());
    let Naming::Contested { claims, count } = naming else { panic!("{naming:?}") };
    assert_eq!((claims.len(), count), (64, 100));
    let claimants: BTreeSet<_> = claims.iter().map(|claim| *claim.claimant.as_bytes()).collect();
    assert_eq!(claimants.len(), 41);
}
