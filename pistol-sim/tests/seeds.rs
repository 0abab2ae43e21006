//! Worlds by chance: every promise is kept, and a seed says all.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use pistol_sim::run;

#[test]
fn a_hundred_worlds_keep_every_promise() {
    let (mut opened_fast, mut closed) = (0, 0);
    for seed in 0..100 {
        match run(seed, false) {
            Ok(report) => {
                opened_fast += report.opened_fast;
                closed += report.closed;
            }
            Err(failure) => {
                panic!("seed {seed}: {failure}; again: cargo run --release -p pistol-sim -- --seed {seed} --trace");
            }
        }
    }
    assert!(opened_fast > 20, "only {opened_fast} documents were opened from a snapshot");
    assert!(closed > 50, "only {closed} documents were closed");
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..10 {
        assert_eq!(run(seed, false), run(seed, false), "seed {seed}");
    }
    assert_ne!(run(0, false).map(|report| report.trace), run(1, false).map(|report| report.trace));
}
