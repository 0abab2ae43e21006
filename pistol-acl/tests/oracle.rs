//! The rules judged twice, and the theorems: random worlds of `pistol-oracle`, made into signed operations, get the same
//! verdicts here, in any order.
//!
//! A hundred thousand of them: `cargo run --release -p pistol-bench -- access --case theorems`.

#![allow(clippy::disallowed_methods, reason = "a test reads how long it may run")]

#[path = "support/story.rs"]
mod story;
#[path = "support/told.rs"]
mod told;
#[path = "support/twice.rs"]
mod twice;

use pistol_oracle::{Size, World};
use twice::Tally;

#[test]
fn the_oracle_and_the_judge_agree_on_every_operation_change_and_place_in_any_order() {
    let worlds = std::env::var("ORACLE_WORLDS").ok().and_then(|worlds| worlds.parse().ok()).unwrap_or(600);
    let mut tally = Tally::default();
    for seed in 0..worlds {
        let size = match seed % 4 {
            0 | 2 => Size::Tiny,
            1 => Size::Small,
            _ => Size::Medium,
        };
        twice::check(seed, World::random(seed, size), &mut tally);
    }
    println!("{tally:?}");
    let Tally { in_all_orders, valid, invalid, accepted, masked, places, t6, t7, .. } = tally;
    let least = [valid, invalid, accepted, masked, places, t6, t7, in_all_orders].into_iter().min();
    assert!(least > Some(40) && tally.t8 > 10, "{tally:?}");
}
