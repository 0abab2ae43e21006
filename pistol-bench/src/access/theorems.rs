//! Random histories with hostile authors, judged by the code in use and by the oracle.

use std::time::Instant;

use pistol_core::envelope::VerifiedChange;
use pistol_oracle::Chance;

use super::entries::Entries;
use super::judged::Verdicts;
use crate::Outcome;
use crate::figure::Figure;
use crate::samples::milliseconds;

/// In how many random orders each history is given.
const ORDERS: u64 = 3;

/// Counts the orders in which verdicts or what is shown differ.
pub(crate) fn run(histories: u64) -> Outcome<Figure> {
    let begun = Instant::now();
    let (mut changes, mut refused, mut differences) = (0, 0, 0_u64);
    for seed in 0..histories {
        let entries = Entries::random(seed);
        let told = Verdicts::told(&entries);
        changes += entries.changes.len();
        refused += told.refused.len();
        let mut chance = Chance::new(!seed);
        let mut order: Vec<&VerifiedChange> = entries.changes.iter().map(|change| &change.signed).collect();
        let mut shown = None;
        for _ in 0..ORDERS {
            chance.shuffle(&mut order);
            let (verdicts, document) = Verdicts::of(&entries, &order);
            let heads = document.projected_heads();
            if verdicts != told || *shown.get_or_insert(heads.clone()) != heads {
                differences += 1;
                eprintln!("history {seed}: another verdict, or another document");
            }
        }
    }
    if refused == 0 || changes == 0 {
        return Err("nothing was judged".into());
    }
    Ok(Figure::new("access", "theorems")
        .with("histories", histories)
        .with("orders", ORDERS)
        .with("changes", changes)
        .with("refused", refused)
        .with("differences", differences)
        .with("ms", milliseconds(begun.elapsed())))
}
