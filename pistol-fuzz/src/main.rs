//! `pistol-fuzz`: gives hostile inputs by number, and one of them again.

use std::process::ExitCode;

use pistol_fuzz::chance::Chance;
use pistol_fuzz::entry::{self, Entry};
use pistol_fuzz::history::kinds;
use pistol_fuzz::measure::{Measured, keep_panics, measured};
use pistol_fuzz::report::Report;

const HELP: &str = "usage: pistol-fuzz [--inputs COUNT] [--seed SEED] [--entry NAME] [--only NUMBER] | --list";

/// Findings shown at most.
const SHOWN_MAX: u64 = 20;

/// What to run.
struct Options {
    inputs: u64,
    seed: u64,
    entry: Option<&'static Entry>,
    only: Option<u64>,
    is_list: bool,
}

#[expect(clippy::disallowed_methods, reason = "a program has arguments")]
fn options() -> Option<Options> {
    let mut options = Options { inputs: 200_000, seed: 1, entry: None, only: None, is_list: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next()?.parse().ok();
        match argument.as_str() {
            "--inputs" => options.inputs = number()?,
            "--seed" => options.seed = number()?,
            "--only" => options.only = Some(number()?),
            "--entry" => options.entry = Some(entry::named(&arguments.next()?)?),
            "--list" => options.is_list = true,
            _ => return None,
        }
    }
    Some(options)
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    if options.is_list {
        list();
        return ExitCode::SUCCESS;
    }
    let all: Vec<&Entry> = entry::ENTRIES.iter().collect();
    let prepared = options.entry.map_or(all, |entry| vec![entry]);
    prepared.iter().for_each(|entry| (entry.prepare)());
    keep_panics();
    let mut report = Report::default();
    let numbers = options.only.map_or(0..options.inputs, |only| only..only.saturating_add(1));
    for number in numbers {
        let Some(entry) = options.entry.or_else(|| entry::of_input(number)) else { continue };
        let measured = measured_well(&report, entry, options.seed, number);
        let is_shown = report.totals.panics + report.totals.divergences + report.totals.memory_excesses < SHOWN_MAX;
        if let Some(finding) = report.add(entry, number, &measured).filter(|_| is_shown) {
            eprintln!("input {number} of {}: {finding}", entry.name);
            let replay = format!("--entry {} --seed {} --only {number}", entry.name, options.seed);
            eprintln!("  again: cargo run --release -p pistol-fuzz -- {replay}");
        }
    }
    println!("{}", report.to_line(options.seed));
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs an input; the slowest so far again, as another program may have had the processor meanwhile.
fn measured_well(report: &Report, entry: &Entry, seed: u64, number: u64) -> Measured {
    let run = || measured(|| (entry.run)(&mut Chance::of_input(seed, entry.name, number)));
    let mut first = run();
    if report.is_slowest(entry, &first) {
        for again in [run(), run()] {
            (first.time, first.whole) = (first.time.min(again.time), first.whole.min(again.whole));
        }
    }
    first
}

/// Names everything that is tried.
fn list() {
    for entry in &entry::ENTRIES {
        println!("entry {}: {} of 1000 inputs", entry.name, entry.share);
    }
    let kinds = kinds::all();
    for kind in &kinds {
        println!("kind {kind:?}");
    }
    println!("{} kinds of hostile changes", kinds.len());
}
