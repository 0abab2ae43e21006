//! `pistol-sim`: runs many seeds, and one again.

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

use pistol_sim::{Failure, Most, Report, least, run_less, size};

const HELP: &str = "usage: pistol-sim [--seeds COUNT] [--from SEED] | --seed SEED [--trace] [--shrink]
       [--acts MOST] [--faults MOST] [--floods MOST] [--treasons MOST] [--salt NUMBER]";

/// Nothing is left out.
const EVERYTHING: Most = Most { acts: u64::MAX, faults: u64::MAX, floods: u64::MAX, treasons: u64::MAX, salt: 0 };

/// What to run.
struct Options {
    from: u64,
    seeds: u64,
    is_shown: bool,
    /// Whether the least is looked for with which the seed still fails.
    is_to_shrink: bool,
    most: Most,
}

#[expect(clippy::disallowed_methods, reason = "a program has arguments")]
fn options() -> Option<Options> {
    let mut options = Options { from: 0, seeds: 500, is_shown: false, is_to_shrink: false, most: EVERYTHING };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next()?.parse().ok();
        match argument.as_str() {
            "--seeds" => options.seeds = number()?,
            "--from" => options.from = number()?,
            "--seed" => (options.from, options.seeds) = (number()?, 1),
            "--trace" => options.is_shown = true,
            "--shrink" => options.is_to_shrink = true,
            "--acts" => options.most.acts = number()?,
            "--faults" => options.most.faults = number()?,
            "--floods" => options.most.floods = number()?,
            "--treasons" => options.most.treasons = number()?,
            "--salt" => options.most.salt = number()?,
            _ => return None,
        }
    }
    Some(options)
}

#[expect(clippy::disallowed_methods, reason = "the program, not the world, says how fast it is")]
fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    if options.is_to_shrink {
        return shrink(options.from);
    }
    let began = Instant::now();
    let mut total = Report::default();
    let mut failed = 0;
    for seed in options.from..options.from.saturating_add(options.seeds) {
        match outcome(seed, options.most, options.is_shown) {
            Ok(report) => add(&mut total, &report),
            Err(reason) => {
                failed += 1;
                println!("seed {seed} failed: {reason}");
                println!("  again: cargo run --release -p pistol-sim -- --seed {seed} --trace");
                println!("  with less: cargo run --release -p pistol-sim -- --seed {seed} --shrink");
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = options.seeds as f64 / seconds.max(1e-9);
    println!("{} seeds, {failed} failed, {rate:.0} seeds a second", options.seeds);
    println!(
        "{} edits, {} changes, {} commits, {} frames, {} crashes, {} cuts, {} partitions, {} floods, {} treasons, {} operations, {} plotted, {} masked, {} spared, {} ended, {} rollbacks, {} forks, {} syncs, {} closed, {} opened fast",
        total.edits,
        total.changes,
        total.commits,
        total.frames,
        total.crashes,
        total.cuts,
        total.partitions,
        total.floods,
        total.treasons,
        total.operations,
        total.plotted,
        total.masked,
        total.spared,
        total.ended,
        total.rollbacks,
        total.forks,
        total.syncs,
        total.closed,
        total.opened_fast
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says with how little a seed still fails, and how that is told as a story.
fn shrink(seed: u64) -> ExitCode {
    let fails = |most| once(seed, most, false).is_err();
    let all = size(seed);
    if !fails(all) {
        println!("seed {seed} keeps every promise");
        return ExitCode::SUCCESS;
    }
    let most = least(all, fails);
    let reason = once(seed, most, false).err().unwrap_or_default();
    let Most { acts, faults, floods, treasons, salt } = most;
    println!("seed {seed} still fails with {most:?}, of {all:?}: {reason}");
    println!(
        "  its story: cargo run --release -p pistol-sim -- --seed {seed} --acts {acts} --faults {faults} --floods {floods} --treasons {treasons} --salt {salt} --trace 2>&1 | grep '\\*\\*'"
    );
    ExitCode::FAILURE
}

fn once(seed: u64, most: Most, is_shown: bool) -> Result<Report, String> {
    match catch_unwind(|| run_less(seed, most, is_shown)) {
        Ok(outcome) => outcome.map_err(|failure: Failure| failure.to_string()),
        Err(_) => Err("a node panicked".to_owned()),
    }
}

/// Runs a seed; every tenth twice, as the same seed must give the same trace.
fn outcome(seed: u64, most: Most, is_shown: bool) -> Result<Report, String> {
    let run = |is_shown| once(seed, most, is_shown);
    let report = run(is_shown)?;
    if seed.is_multiple_of(10) && run(false)? != report {
        return Err("the same seed gave another trace".to_owned());
    }
    Ok(report)
}

fn add(total: &mut Report, report: &Report) {
    total.edits += report.edits;
    total.changes += report.changes;
    total.commits += report.commits;
    total.frames += report.frames;
    total.crashes += report.crashes;
    total.cuts += report.cuts;
    total.partitions += report.partitions;
    total.floods += report.floods;
    total.treasons += report.treasons;
    total.operations += report.operations;
    total.plotted += report.plotted;
    total.masked += report.masked;
    total.spared += report.spared;
    total.ended += report.ended;
    total.rollbacks += report.rollbacks;
    total.forks += report.forks;
    total.syncs += report.syncs;
    total.closed += report.closed;
    total.opened_fast += report.opened_fast;
}
