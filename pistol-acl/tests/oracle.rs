//! The rules judged twice: random worlds of `pistol-oracle`, made into signed operations, give the same verdicts here.
//!
//! More of them: `ORACLE_WORLDS=100000 cargo test --release -p pistol-acl --test oracle`.

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

use pistol_acl::{Place, State};
use pistol_oracle::{Judgement, Limits, Operation, Size, State as Said, Subject, Verdict, World};
use told::Told;

/// What was compared, so that a run that compares nothing is noticed.
#[derive(Debug, Default)]
struct Tally {
    worlds: usize,
    valid: usize,
    invalid: usize,
    accepted: usize,
    masked: usize,
    places: usize,
}

#[test]
fn the_oracle_and_the_judge_agree_on_every_operation_change_and_place() {
    let worlds = std::env::var("ORACLE_WORLDS").ok().and_then(|worlds| worlds.parse().ok()).unwrap_or(600);
    let mut tally = Tally::default();
    for seed in 0..worlds {
        let world = World::random(seed, if seed % 3 == 0 { Size::Medium } else { Size::Small });
        // The limits here are those of the protocol; small ones are for the oracle's own tests.
        // A group may not contain itself here, which the oracle lets pass.
        let contains_itself = |op: &Operation| op.grant().is_some_and(|(to, _)| to == Subject::Group(op.log));
        if world.limits == Limits::default() && !world.operations.iter().any(contains_itself) {
            compare(seed, &told::comparable(world), &mut tally);
        }
    }
    println!("{tally:?}");
    let least = [tally.valid, tally.invalid, tally.accepted, tally.masked, tally.places].into_iter().min();
    assert!(least > Some(100), "{tally:?}");
}

fn compare(seed: u64, world: &World, tally: &mut Tally) {
    let judgement = world.judge();
    let told = Told::of(world);
    // The oracle hears of a release whose cited operations follow on something unknown; a node waits for that.
    if judgement.released.values().any(|release| told.waits(*release)) {
        return;
    }
    tally.worlds += 1;
    operations(seed, world, &judgement, &told, tally);
    changes(seed, world, &judgement, &told, tally);
    places(seed, world, &judgement, &told, tally);
}

fn operations(seed: u64, world: &World, judgement: &Judgement, told: &Told, tally: &mut Tally) {
    for (id, verdict) in &judgement.operations {
        let is_valid = *verdict == Verdict::Valid;
        assert_eq!(told.is_valid(*id), is_valid, "world {seed}: {id} is {verdict:?}\n{world}");
        if is_valid {
            tally.valid += 1;
        } else {
            tally.invalid += 1;
        }
    }
}

fn changes(seed: u64, world: &World, judgement: &Judgement, told: &Told, tally: &mut Tally) {
    for change in &world.changes {
        let Some(said) = judgement.changes.get(&change.id) else { continue };
        let state = told.state(change);
        let agrees = match said {
            Said::Accepted(_) => state == State::Accepted,
            Said::Masked(_) => state == State::Masked,
            Said::Pending(_) | Said::Rejected(_) => !matches!(state, State::Accepted | State::Masked),
        };
        assert!(agrees, "world {seed}: {} is {state:?}, {}, and {said:?}\n{world}", change.id, told.explain(change));
        tally.accepted += usize::from(state == State::Accepted);
        tally.masked += usize::from(state == State::Masked);
    }
}

fn places(seed: u64, world: &World, judgement: &Judgement, told: &Told, tally: &mut Tally) {
    for (document, said) in &judgement.documents {
        let place = told.place(*document);
        let agrees = match said {
            Said::Accepted(_) => *place == Place::Here,
            Said::Masked(_) => matches!(place, Place::Masked(_) | Place::Removed(_)),
            Said::Pending(_) => matches!(place, Place::Pending(_)),
            Said::Rejected(_) => matches!(place, Place::Refused(_)),
        };
        assert!(agrees, "world {seed}: {document} is {place:?}, and {said:?}\n{world}");
        tally.places += 1;
    }
}
