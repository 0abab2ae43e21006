//! Random histories with hostile authors, judged by the code in use in many orders, and by the oracle.
//!
//! Most are small, so that all orders of theirs are tried; the others are told in random ones. A history counts once,
//! whatever its orders.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Instant;

use pistol_core::envelope::VerifiedChange;
use pistol_oracle::{Chance, Size, World};

use super::entries::Entries;
use super::judged::Verdicts;
use super::twice::{self, Tally};
use crate::Outcome;
use crate::figure::Figure;
use crate::samples::milliseconds;

/// Of so many histories one is of first writers, and large.
const FIRST_WRITERS: u64 = 200;
/// Changes of a small history of first writers, and of a large one.
const STEPS: (usize, usize) = (3, 24);
/// In how many random orders a large history of first writers is told; a small one is told in all.
const ORDERS: usize = 3;

/// What a thread found.
#[derive(Default)]
struct Found {
    tally: Tally,
    first_writers: u64,
    in_all_orders: u64,
    changes: u64,
    refused: u64,
    differences: u64,
    orders: u64,
}

/// Counts the histories in which verdicts or what is shown differ, or a theorem does not hold. An error if there are any.
pub(crate) fn run(histories: u64) -> Outcome<Figure> {
    let begun = Instant::now();
    let threads = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let found = thread::scope(|scope| {
        let begin = |thread| scope.spawn(move || of_thread(thread, threads, histories));
        let running: Vec<_> = (0..threads).map(begin).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    let sum = |of: fn(&Found) -> u64| found.iter().map(of).sum::<u64>();
    let judged = sum(|found| found.tally.histories) + sum(|found| found.first_writers);
    let differences = sum(|found| found.differences);
    let figure = Figure::new("access", "theorems")
        .with("histories", judged)
        .with("of_first_writers", sum(|found| found.first_writers))
        .with("in_all_orders", sum(|found| found.tally.in_all_orders + found.in_all_orders))
        .with("orders", sum(|found| found.tally.orders + found.orders))
        .with("operations_valid", sum(|found| found.tally.valid))
        .with("operations_invalid", sum(|found| found.tally.invalid))
        .with("changes_accepted", sum(|found| found.tally.accepted + found.changes - found.refused))
        .with("changes_masked", sum(|found| found.tally.masked))
        .with("changes_refused", sum(|found| found.refused))
        .with("t6", sum(|found| found.tally.t6))
        .with("t7", sum(|found| found.tally.t7))
        .with("t8", sum(|found| found.tally.t8))
        .with("differences", differences)
        .with("ms", milliseconds(begun.elapsed()));
    if judged == histories && differences == 0 {
        return Ok(figure);
    }
    figure.print();
    Err(format!("{differences} histories were not judged alike, of {judged}").into())
}

/// Every `threads`-th history.
fn of_thread(thread: u64, threads: u64, histories: u64) -> Found {
    let mut found = Found::default();
    for number in (thread..histories).step_by(usize::try_from(threads).unwrap_or(1)) {
        // What differs panics, as in tests; what was counted until then stays counted.
        if catch_unwind(AssertUnwindSafe(|| one(number, &mut found))).is_err() {
            eprintln!("history {number}: the judges differ, or a theorem does not hold");
            found.differences += 1;
        }
    }
    found
}

fn one(number: u64, found: &mut Found) {
    match number % FIRST_WRITERS {
        0 => of_first_writers(number, true, found),
        1..20 => of_first_writers(number, false, found),
        20..30 => of_members(number, Size::Medium, found),
        30..100 => of_members(number, Size::Small, found),
        _ => of_members(number, Size::Tiny, found),
    }
}

/// The first world from this number on that both judges can be asked about.
fn of_members(number: u64, size: Size, found: &mut Found) {
    let mut seeds = (0..).map(|again| number + (again << 32));
    let _ = seeds.find(|seed| twice::check(*seed, World::random(*seed, size), &mut found.tally));
}

fn of_first_writers(seed: u64, is_large: bool, found: &mut Found) {
    let entries = Entries::of(seed, if is_large { STEPS.1 } else { STEPS.0 });
    let told = Verdicts::told(&entries);
    found.first_writers += 1;
    found.changes += entries.changes.len() as u64;
    found.refused += told.refused.len() as u64;
    let mut shown = None;
    let mut order: Vec<&VerifiedChange> = entries.changes.iter().map(|change| &change.signed).collect();
    let mut tell = |order: &[&VerifiedChange]| {
        let (verdicts, document) = Verdicts::of(&entries, order);
        let heads = document.projected_heads();
        assert_eq!(verdicts, told, "history {seed}: another verdict");
        assert_eq!(*shown.get_or_insert(heads.clone()), heads, "history {seed}: another document");
        found.orders += 1;
    };
    if is_large {
        let mut chance = Chance::new(!seed);
        (0..ORDERS).for_each(|_| {
            chance.shuffle(&mut order);
            tell(&order);
        });
    } else {
        twice::every_order(&mut order, 0, &mut tell);
        found.in_all_orders += 1;
    }
}
