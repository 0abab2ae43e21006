//! Theorems T1, T2, T6, T7 and T8 of the design over random histories, told in random orders, in batches, with duplicates.
//!
//! More of them: `ACL_HISTORIES=10000 cargo test --release -p pistol-acl --test theorems`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and reads how long it may run"
)]

#[path = "support/history.rs"]
mod history;
#[path = "support/story.rs"]
mod story;

use std::collections::BTreeSet;

use history::{History, KEYS};
use pistol_acl::record::{Action, Mode, Role};
use pistol_acl::{Access, AccessPolicy, Reason, State};
use pistol_core::id::ChangeId;
use story::{grant, revoke_key};

const EVERYBODY: [u8; KEYS as usize] = [1, 2, 3, 4, 5, 6, 7, 8];

fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("ACL_HISTORIES").ok().and_then(|count| count.parse().ok());
    0..count.unwrap_or(150)
}

fn accepted_by(access: &Access) -> BTreeSet<ChangeId> {
    access.accepted().copied().collect()
}

#[test]
fn t1_what_is_accepted_and_valid_depends_on_the_set_alone() {
    let (mut accepted, mut masked, mut invalid) = (0, 0, 0);
    for seed in seeds() {
        let mut history = History::of_any_policy(seed);
        history.chaos(40, &EVERYBODY);
        let access = history.story.in_orders(4);
        let states = history.story.states(&access);
        accepted += states.iter().filter(|(_, state)| *state == State::Accepted).count();
        masked += states.iter().filter(|(_, state)| *state == State::Masked).count();
        invalid += history.story.valid(&access).iter().filter(|is_valid| !**is_valid).count();
    }
    assert!(accepted > 100 && masked > 100 && invalid > 100, "{accepted} accepted, {masked} masked, {invalid} invalid");
}

#[test]
fn t2_what_is_accepted_has_its_past_accepted() {
    for seed in seeds() {
        let mut history = History::of_any_policy(seed);
        history.chaos(60, &EVERYBODY);
        let access = history.story.told();
        let accepted = accepted_by(&access);
        for change in history.story.changes.iter().filter(|change| accepted.contains(&change.id)) {
            assert!(change.deps.iter().all(|dep| accepted.contains(dep)), "seed {seed}");
        }
    }
}

#[test]
fn every_change_has_a_reason_that_fits_its_state() {
    for seed in seeds() {
        let mut history = History::of_any_policy(seed);
        history.chaos(60, &EVERYBODY);
        let access = history.story.told();
        for (change, state) in history.story.states(&access) {
            let reason = access.explain(&change);
            assert_ne!(reason, Reason::Unknown, "seed {seed}: {change} is {state:?}");
            let begins = match state {
                State::Accepted => "accepted: ",
                State::Masked => "masked: ",
                State::Pending => "pending: ",
                _ => "refused: ",
            };
            assert!(reason.to_string().starts_with(begins), "seed {seed}: {change} is {state:?}: {reason}");
        }
    }
}

#[test]
fn t6_work_under_a_grant_of_the_root_stays_whatever_others_forge() {
    let mut kept = 0;
    for seed in seeds() {
        let mut history = History::new(seed, AccessPolicy::Members, false);
        let document = history.story.document;
        let granted = history.story.write(1, document, &[], &[], grant(2, Role::Writer));
        let _ = history.operate_in(document, &[1], grant(3, Role::Admin));
        let _ = history.operate_in(document, &[1], grant(4, Role::Admin));
        let mut honest = vec![];
        for _ in 0..20 {
            history.chaos(2, &[3, 4, 5, 6, 7, 8]);
            let deps: Vec<_> = honest.last().copied().into_iter().collect();
            honest.push(history.story.change(2, &deps, &[granted]));
        }
        let access = history.story.told();
        for change in &honest {
            assert_eq!(access.state(change), State::Accepted, "seed {seed}: {}", access.explain(change));
            kept += 1;
        }
    }
    assert!(kept > 0);
}

#[test]
fn t7_once_the_honest_know_a_revocation_nothing_more_of_the_revoked_enters() {
    let mut refused = 0;
    for seed in seeds() {
        let mut history = History::new(seed, AccessPolicy::Members, false);
        let document = history.story.document;
        let _ = history.story.act(1, &[], grant(2, Role::Writer));
        let _ = history.story.act(1, &[], grant(3, Role::Admin));
        for _ in 0..10 {
            let _ = history.change(&[1, 2, 3]);
        }
        let _ = history.story.act(1, &[], revoke_key(3, Mode::Endorsed));
        let mut late = vec![];
        for _ in 0..10 {
            let action = history.action();
            let _ = history.operate_in(document, &[3, 8], action);
            let _ = history.operate_in(document, &[3], grant(8, Role::Admin));
            late.extend(history.change(&[3, 8]));
            // The honest build on what they see, and they see what is accepted.
            let seen: Vec<_> = history.story.told().accepted().copied().collect();
            let deps: Vec<_> = seen.last().copied().into_iter().collect();
            let _ = history.change_on(&[1, 2], &deps);
        }
        let access = history.story.told();
        for change in late {
            assert_ne!(access.state(&change), State::Accepted, "seed {seed}: {}", access.explain(&change));
            refused += 1;
        }
    }
    assert!(refused > 100);
}

#[test]
fn t8_after_a_release_nothing_that_was_accepted_goes() {
    for seed in seeds() {
        let mut history = History::of_any_policy(seed);
        history.chaos(30, &EVERYBODY);
        let document = history.story.document;
        let _ = history.story.write(1, document, &[], &[], Action::Release);
        let before = accepted_by(&history.story.told());
        history.chaos(30, &EVERYBODY);
        let after = accepted_by(&history.story.told());
        assert!(before.is_subset(&after), "seed {seed}");
    }
}
