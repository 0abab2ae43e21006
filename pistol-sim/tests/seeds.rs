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
    let (mut masked, mut spared, mut ended, mut plotted) = (0, 0, 0, 0);
    for seed in 0..100 {
        match run(seed, false) {
            Ok(report) => {
                opened_fast += report.opened_fast;
                closed += report.closed;
                masked += report.masked;
                spared += report.spared;
                ended += report.ended;
                plotted += report.plotted;
            }
            Err(failure) => {
                panic!("seed {seed}: {failure}; again: cargo run --release -p pistol-sim -- --seed {seed} --trace");
            }
        }
    }
    assert!(opened_fast > 20, "only {opened_fast} documents were opened from a snapshot");
    assert!(closed > 50, "only {closed} documents were closed");
    // Theorems that never had anything to say prove nothing.
    assert!(masked > 10 && spared > 100, "{masked} masked, {spared} spared, {ended} ended");
    assert!(plotted > 20, "only {plotted} operations and changes by traitors were taken in");
}

/// Each failed once. Those below 1,000 have a space: a document came from two peers at once, or was removed while it came, or went by
/// a ticket of its own when it was removed; in 158, 402 and 554 the world wrongly wanted removed ones. In all but two of the others a peer's heads of a log came before it let us follow, and were forgotten. In 2213 a document of which
/// all was masked had not been shown yet, and in 30247 a node was equal with a stranger, who held what it had sent: neither is a fault.
const FOUND: [u64; 14] = [158, 374, 402, 554, 582, 754, 1324, 1403, 1433, 1605, 1968, 2213, 2483, 30247];

#[test]
fn worlds_that_once_broke_a_promise_keep_it() {
    for seed in FOUND {
        run(seed, false).unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..10 {
        assert_eq!(run(seed, false), run(seed, false), "seed {seed}");
    }
    assert_ne!(run(0, false).map(|report| report.trace), run(1, false).map(|report| report.trace));
}
