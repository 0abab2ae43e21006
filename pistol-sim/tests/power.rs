//! Power cuts: at every write and every sync of a workload with everything that a store is used for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use pistol_core::store::Table;
use pistol_core::store::redb::faults::Survivors;
use pistol_sim::power::{Cut, Plan, Tally, run};

fn lives(plan: &Plan, what: &str) -> Tally {
    run(plan).unwrap_or_else(|breach| panic!("{what}: {breach}"))
}

#[test]
fn the_workload_uses_a_store_for_everything() {
    let tally = lives(&Plan::representative(), "without a cut");
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Meta) {
        assert!(tally.written.get(&table).is_some_and(|rows| *rows > 0), "nothing is written to {table:?}: {tally:?}");
    }
    for table in [Table::Tail, Table::Owed, Table::Invites] {
        assert!(
            tally.removed.get(&table).is_some_and(|rows| *rows > 0),
            "nothing is removed from {table:?}: {tally:?}"
        );
    }
    assert!(tally.retries >= 2 && tally.received > 0 && tally.opened_fast > 0, "{tally:?}");
}

#[test]
fn the_workload_with_members_masks_what_both_wrote_and_makes_documents_anew() {
    let tally = lives(&Plan::with_members(), "without a cut");
    assert!(
        tally.operated >= 10 && tally.shrunk >= 3 && tally.masked > 0 && tally.received > 0 && tally.opened_fast > 0,
        "{tally:?}"
    );
}

/// Cuts the power at the first operation, the second, and so on, until a run ends without its cut. Returns how often the
/// commit that was under way is there afterwards.
fn cut_at_each(workload: &Plan, least: u64, survivors: impl Fn(u64) -> Survivors) -> u64 {
    let mut kept = 0;
    for after in 0.. {
        let survivors = survivors(after);
        let plan = Plan { cuts: vec![Cut { after, survivors }], ..workload.clone() };
        let tally = lives(&plan, &format!("cut at {after}, {survivors:?}"));
        kept += tally.kept;
        if !tally.is_cut_all {
            assert!(after > least, "the workload has more than {after} operations");
            break;
        }
    }
    kept
}

#[test]
fn a_power_cut_at_any_operation_after_which_nothing_unsynced_is_there_loses_nothing() {
    // What is there was synced whole: the node was being closed, to be compacted or opened anew, and nobody heard of it.
    let kept = cut_at_each(&Plan::representative(), 250, |_| Survivors::None);
    assert!(kept <= 3, "{kept}");
}

#[test]
fn a_power_cut_at_any_operation_after_which_all_unsynced_is_there_loses_nothing() {
    let kept = cut_at_each(&Plan::representative(), 250, |_| Survivors::All);
    assert!(kept > 5, "{kept}");
}

#[test]
fn a_power_cut_at_any_operation_that_tears_what_is_unsynced_loses_nothing() {
    let kept = cut_at_each(&Plan::representative(), 250, |after| Survivors::Some { seed: after });
    assert!(kept > 2, "{kept}");
}

#[test]
fn a_power_cut_while_rows_come_into_packs_and_out_of_them_loses_nothing() {
    let tally = lives(&Plan::with_packs(), "without a cut");
    assert_eq!(tally.packed, 2, "{tally:?}");
    for survivors in [Survivors::None, Survivors::All] {
        cut_at_each(&Plan::with_packs(), 60, |_| survivors);
    }
    cut_at_each(&Plan::with_packs(), 60, |after| Survivors::Some { seed: after });
}

/// Row 48 of the catalogue of access: also at every write while a document is made anew.
#[test]
fn a_power_cut_while_operations_mask_and_unmask_what_was_written_loses_nothing() {
    cut_at_each(&Plan::with_members(), 100, |_| Survivors::None);
    let kept = cut_at_each(&Plan::with_members(), 100, |_| Survivors::All);
    assert!(kept > 5, "{kept}");
    cut_at_each(&Plan::with_members(), 100, |after| Survivors::Some { seed: after });
}

/// Each lost a store once: the first ones by a failed sync of a commit, the other by one of a closing.
const FOUND: [u64; 3] = [5_003_850, 5_022_231, 6_071_090];
const FOUND_LATER: [u64; 1] = [8_024_236];

#[test]
fn what_once_lost_something_loses_nothing() {
    for seed in FOUND {
        lives(&Plan::without_members(seed), &format!("seed {seed}"));
    }
    for seed in FOUND_LATER {
        lives(&Plan::of_seed(seed), &format!("seed {seed}"));
    }
}

#[test]
fn runs_by_chance_with_up_to_four_cuts_in_a_row_lose_nothing() {
    let (mut crashes, mut in_recovery) = (0, 0);
    for seed in 0..60 {
        let tally = lives(&Plan::of_seed(seed), &format!("seed {seed}"));
        crashes += tally.crashes;
        in_recovery += tally.crashes_in_recovery;
    }
    assert!(crashes > 60 && in_recovery > 5, "{crashes} crashes, {in_recovery} in recovery");
}
