//! Power cuts by chance, each run a function of its seed.

use pistol_sim::power::{self, Breach, Plan};

use crate::figure::Figure;

/// Runs so many seeds; `false` if a promise was broken. Every broken promise is told with the command that repeats it.
pub(crate) fn run(runs: u64, from: u64) -> bool {
    let (mut crashes, mut in_recovery, mut kept, mut commits) = (0, 0, 0, 0);
    let (mut lost, mut mixed, mut other) = (0_u64, 0_u64, 0_u64);
    for seed in from..from.saturating_add(runs) {
        match std::panic::catch_unwind(|| power::run(&Plan::of_seed(seed))) {
            Ok(Ok(tally)) => {
                crashes += tally.crashes;
                in_recovery += tally.crashes_in_recovery;
                kept += tally.kept;
                commits += tally.commits;
                continue;
            }
            Ok(Err(breach)) => {
                match breach {
                    Breach::Lost(_) => lost += 1,
                    Breach::Mixed(_) => mixed += 1,
                    Breach::Other(_) => other += 1,
                }
                eprintln!("seed {seed}: {breach}");
            }
            Err(_) => {
                other += 1;
                eprintln!("seed {seed}: it panicked");
            }
        }
        eprintln!("  again: cargo run --release -p pistol-bench -- store --case crashes --runs 1 --seed {seed}");
    }
    Figure::new("store", "crashes")
        .with("runs", runs)
        .with("seed", from)
        .with("crashes", crashes)
        .with("in_recovery", in_recovery)
        .with("kept_unacknowledged", kept)
        .with("commits", commits)
        .with("lost", lost)
        .with("mixed", mixed)
        .with("other", other)
        .print();
    lost + mixed + other == 0
}
