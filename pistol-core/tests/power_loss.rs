//! Whatever a disk does short of lying about a sync that it reports as done: what was acknowledged is there.
//!
//! Faults are placed by counting: at the first write, the second, and so on, until a run ends without meeting its fault.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use pistol_core::store::redb::faults::{Fault, SimulatedDisk as Disk, Survivors};
use pistol_core::store::redb::{RedbOptions, RedbStore};
use pistol_core::store::{Batch, Row, Store, StoreError, Table};

const COMMITS: u8 = 8;

/// The n-th commit: new rows, one row overwritten by all, and removals, in two tables. Some are large, so that the file
/// grows and shrinks.
fn batch(number: u8) -> Batch {
    let mut batch = Batch::default();
    batch.put(Table::Meta, b"last", [number]);
    for row in 0..10 {
        let bytes = if number % 4 == 3 { 6_000 } else { 90 };
        batch.put(Table::Tail, [number, row], vec![number; bytes]);
    }
    for row in 0..5 {
        batch.remove(Table::Tail, [number.wrapping_sub(2), row]);
    }
    batch
}

/// The rows after this many commits.
fn expected(commits: u8) -> Vec<Row> {
    let mut rows = BTreeMap::new();
    for write in (0..commits).flat_map(|number| batch(number).writes) {
        match write.value {
            Some(value) => rows.insert((write.table, write.key), value),
            None => rows.remove(&(write.table, write.key)),
        };
    }
    rows.into_iter().map(|((_, key), value)| (key, value)).collect()
}

fn rows(store: &RedbStore) -> Vec<Row> {
    let read = |table, from| store.range(table, from, &[0xff; 3], usize::MAX).unwrap();
    [read(Table::Meta, b"last"), read(Table::Tail, b"")].concat()
}

fn open(disk: &Disk) -> Result<RedbStore, StoreError> {
    let disk = disk.clone();
    RedbStore::open_on(move || Ok(disk.clone()), RedbOptions { cache_bytes: 1 << 20, ..RedbOptions::default() })
}

fn empty_store() -> Vec<u8> {
    let disk = Disk::default();
    RedbStore::format(disk.clone(), RedbOptions::default(), &Batch::default()).unwrap();
    disk.after_power_cut(Survivors::None)
}

/// Commits until the power is cut or all is done. Says how many commits were acknowledged.
fn commit_until_cut(disk: &Disk) -> u8 {
    let Ok(mut store) = open(disk) else { return 0 };
    (0..COMMITS).take_while(|number| store.commit(&batch(*number)).is_ok()).count().try_into().unwrap()
}

/// The store holds what was acknowledged and no part of a commit, and takes the rest of the commits.
fn check_nothing_is_lost(bytes: &[u8], acknowledged: u8, what: &str) {
    let disk = Disk::holding(bytes);
    let mut store = open(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    let found = rows(&store);
    let in_flight = acknowledged + 1;
    assert!(found == expected(acknowledged) || found == expected(in_flight), "{what}: lost or mixed");
    for number in acknowledged..COMMITS {
        store.commit(&batch(number)).unwrap();
    }
    assert!(rows(&store) == expected(COMMITS), "{what}: later commits");
}

#[test]
fn a_power_cut_at_any_write_or_sync_loses_nothing_acknowledged() {
    let empty = empty_store();
    for operations in 0.. {
        let disk = Disk::holding(&empty);
        disk.fault_after(operations, Fault::PowerCut);
        let acknowledged = commit_until_cut(&disk);
        if disk.awaits_fault() {
            assert_eq!(acknowledged, COMMITS);
            break;
        }
        for survivors in [Survivors::None, Survivors::All, Survivors::Some { seed: operations }] {
            let bytes = disk.after_power_cut(survivors);
            check_nothing_is_lost(&bytes, acknowledged, &format!("cut at {operations}, {survivors:?}"));
        }
    }
}

#[test]
fn a_second_power_cut_while_the_store_is_opened_again_loses_nothing() {
    let empty = empty_store();
    for operations in (0..).step_by(7) {
        let disk = Disk::holding(&empty);
        disk.fault_after(operations, Fault::PowerCut);
        let acknowledged = commit_until_cut(&disk);
        if disk.awaits_fault() {
            assert_eq!(acknowledged, COMMITS);
            break;
        }
        let torn = disk.after_power_cut(Survivors::Some { seed: operations });
        for recovery in 0.. {
            let disk = Disk::holding(&torn);
            disk.fault_after(recovery, Fault::PowerCut);
            if open(&disk).is_ok() && disk.awaits_fault() {
                break;
            }
            let bytes = disk.after_power_cut(Survivors::Some { seed: recovery });
            check_nothing_is_lost(&bytes, acknowledged, &format!("cut at {operations}, then at {recovery}"));
        }
    }
}

/// Fails one operation, commits the refused batch again, and cuts the power at the end.
fn check_refused_batch_is_committed_again(fault: Fault, is_expected: impl Fn(&StoreError) -> bool) {
    let empty = empty_store();
    for operations in 0.. {
        let disk = Disk::holding(&empty);
        let mut store = open(&disk).unwrap();
        disk.fault_after(operations, fault);
        for number in 0..COMMITS {
            if let Err(error) = store.commit(&batch(number)) {
                assert!(is_expected(&error), "{error:?} at {operations}");
                assert!(rows(&store) == expected(number), "reads go on, {operations}");
                store.commit(&batch(number)).unwrap();
            }
        }
        assert!(rows(&store) == expected(COMMITS), "{fault:?} at {operations}");
        if disk.awaits_fault() {
            break;
        }
        check_nothing_is_lost(&disk.after_power_cut(Survivors::None), COMMITS, &format!("{fault:?} at {operations}"));
    }
}

#[test]
fn what_a_failed_sync_left_unwritten_is_written_again() {
    check_refused_batch_is_committed_again(Fault::SyncFails, |error| matches!(error, StoreError::Io { .. }));
}

#[test]
fn a_full_disk_refuses_a_commit_and_takes_it_when_there_is_room() {
    check_refused_batch_is_committed_again(Fault::Full, |error| matches!(error, StoreError::Full));
}
