//! A store's file in which a bit is flipped anywhere, or that is cut at any page: checked as a whole, it is refused or holds
//! what was written; not checked, no row is ever read that was not written. `DAMAGE_BYTES=all` flips a bit of every byte.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use pistol_core::store::redb::faults::{FaultyFolder, SimulatedDisk as Disk, Survivors};
use pistol_core::store::redb::{RedbOptions, RedbStore, back_up, compact, salvage};
use pistol_core::store::scan::scan_table;
use pistol_core::store::{Batch, Store, StoreError, Table};

const PAGE: usize = 4096;
/// The bytes of the file that say where everything is.
const HEADER: usize = 320;

type Rows = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Rows of every table, small and large, some written over and some removed.
fn batch(number: u8) -> Batch {
    let mut batch = Batch::default();
    for table in Table::ALL {
        for row in 0..12_u8 {
            let bytes = if row == 3 { 5_000 } else { 40 + usize::from(row) };
            batch.put(table, [b'k', number / 2, row], vec![number.wrapping_mul(31).wrapping_add(row); bytes]);
        }
        batch.remove(table, [b'k', number / 2, 7]);
    }
    // These can be in packs.
    for row in 0..12_u8 {
        batch.put(
            Table::Envelopes,
            [0, 0, 0, number / 2, 0, 0, 0, row],
            [number.wrapping_mul(31) ^ row, 0xa5].repeat(150),
        );
    }
    batch
}

/// A store that was closed, and its rows.
fn stored() -> (Vec<u8>, Rows) {
    let disk = Disk::default();
    RedbStore::format(disk.clone(), RedbOptions::default(), &Batch::default()).unwrap();
    let mut store = open(&disk, u64::MAX).unwrap();
    (0..6).for_each(|number| store.commit(&batch(number)).unwrap());
    let rows = rows(&store).unwrap().0;
    drop(store);
    (disk.after_power_cut(Survivors::All), rows)
}

/// The same store, written into a new file.
fn compacted((bytes, rows): (Vec<u8>, Rows)) -> (Vec<u8>, Rows) {
    let disk = Disk::default();
    RedbStore::format(disk.clone(), RedbOptions::default(), &Batch::default()).unwrap();
    let store = open(&Disk::holding(&bytes), u64::MAX).unwrap();
    store.copy_into(open(&disk, u64::MAX).unwrap()).unwrap();
    let bytes = disk.after_power_cut(Survivors::All);
    assert!(bytes.windows(5).any(|name| name == b"packs"));
    (bytes, rows)
}

fn open(disk: &Disk, checked_bytes_max: u64) -> Result<RedbStore, StoreError> {
    let disk = disk.clone();
    RedbStore::open_on(move || Ok(disk.clone()), RedbOptions { cache_bytes: 1 << 20, checked_bytes_max })
}

/// All rows that can be read, and whether any is told to be damaged.
fn rows(store: &RedbStore) -> Result<(Rows, bool), StoreError> {
    let (mut rows, mut is_told) = (Rows::new(), false);
    for table in Table::ALL {
        let (read, found) = scan_table(store, table)?;
        rows.extend(read.into_iter().map(|(key, value)| ((table, key), value)));
        is_told |= found.has_holes || !found.damaged.is_empty();
    }
    Ok((rows, is_told))
}

#[derive(Debug, Default)]
struct Tally {
    harmless: u64,
    refused: u64,
    /// Opened without a check of the whole: rows that were told of, or could not be reached.
    told: u64,
    short: u64,
}

impl Tally {
    fn check(&mut self, bytes: &[u8], written: &Rows, what: &str) {
        match open(&Disk::holding(bytes), u64::MAX) {
            Err(StoreError::Damaged { .. } | StoreError::DamagedRow { .. }) => self.refused += 1,
            Err(error) => panic!("{what}: {error}"),
            Ok(store) => {
                let (found, is_told) = rows(&store).unwrap();
                assert!(is_told || found == *written, "{what}: silently other rows");
                self.harmless += u64::from(!is_told);
            }
        }
        let Ok(store) = open(&Disk::holding(bytes), 0) else { return };
        let (found, is_told) = rows(&store).unwrap();
        assert!(found.iter().all(|(key, value)| written.get(key) == Some(value)), "{what}: a row was never written");
        self.told += u64::from(is_told);
        self.short += u64::from(!is_told && found != *written);
    }
}

/// A fixed sequence (Knuth's MMIX constants): the same places in every run.
struct Places(u64);

impl Places {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

#[test]
fn a_flipped_bit_is_told_of_or_harms_nothing() {
    flip(&stored());
    flip(&compacted(stored()));
}

fn flip((bytes, written): &(Vec<u8>, Rows)) {
    let (mut tally, mut places) = (Tally::default(), Places(7));
    let header = (0..HEADER).map(|place| (place, place % 8));
    let is_all = std::env::var("DAMAGE_BYTES").is_ok_and(|which| which == "all");
    let step = if is_all { 1 } else { bytes.len() / 700 };
    let rest: Vec<_> = (HEADER..bytes.len())
        .step_by(step)
        .map(|place| ((place + places.next(step)).min(bytes.len() - 1), places.next(8)))
        .collect();
    for (place, bit) in header.chain(rest) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << bit;
        tally.check(&flipped, written, &format!("bit {bit} of byte {place}"));
    }
    println!("{} bytes: {tally:?}", bytes.len());
    assert!(tally.refused > 0 && tally.harmless > 0 && tally.told > 0, "{tally:?}");
}

#[test]
fn a_file_that_is_cut_at_any_page_is_told_of() {
    for (bytes, written) in [stored(), compacted(stored())] {
        let mut tally = Tally::default();
        for length in (0..bytes.len()).step_by(PAGE) {
            tally.check(&bytes[..length], &written, &format!("cut at {length}"));
        }
        println!("{} bytes: {tally:?}", bytes.len());
        assert!(tally.refused > 0, "{tally:?}");
    }
}

fn options(checked_bytes_max: u64) -> RedbOptions {
    RedbOptions { cache_bytes: 1 << 20, checked_bytes_max }
}

/// Does something in a folder whose disk is gone from the n-th access on, for every n until it is done; then, with the
/// disk back, once more.
fn cut_short(folder: &Path, act: impl Fn() -> Result<(), StoreError>, check_cut: impl Fn(u64)) {
    let faulty = FaultyFolder::new(folder);
    for accesses in 0.. {
        faulty.fail_from(accesses, ErrorKind::Other);
        let done = act();
        let has_failed = faulty.has_failed();
        faulty.heal();
        if !has_failed {
            assert!(done.is_ok() && accesses > 20, "{accesses}: {done:?}");
            return;
        }
        if done.is_err() {
            check_cut(accesses);
        }
    }
}

#[test]
fn a_salvage_that_is_cut_short_at_any_access_leaves_the_file_as_it_was_or_is_done() {
    let (mut bytes, written) = stored();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    // A bit of a large value, wherever it lies.
    let value = &written[&(Table::Tail, vec![b'k', 2, 3])][100..200];
    let places: Vec<usize> = (0..bytes.len() - value.len()).filter(|at| bytes[*at..].starts_with(value)).collect();
    places.into_iter().for_each(|at| bytes[at + 50] ^= 1);
    std::fs::write(&path, &bytes).unwrap();
    assert!(RedbStore::open(&path, options(u64::MAX)).is_err(), "it is damaged");
    let mut first = Batch::default();
    first.put(Table::Meta, *b"first", *b"row");
    let is_wanted = |_: Table, key: &[u8]| key != b"format";
    let check = |path: &Path| {
        let (found, is_told) = rows(&RedbStore::open(path, options(u64::MAX)).unwrap()).unwrap();
        let lost = written.iter().filter(|(key, value)| key.1 != b"format" && found.get(*key) != Some(*value)).count();
        // Each table has a row with this value.
        assert!(!is_told && lost == Table::ALL.len(), "{lost} rows were lost");
    };
    let act = || salvage(&path, options(u64::MAX), &first, is_wanted).map(drop);
    cut_short(folder.path(), act, |accesses| {
        if std::fs::read(&path).unwrap() != bytes {
            // Only the folder could not be synced any more.
            check(&path);
        }
        std::fs::write(&path, &bytes).unwrap();
        let left =
            std::fs::read_dir(folder.path()).unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
        for name in left.filter(|name| name.contains("damaged-")) {
            assert_eq!(std::fs::read(folder.path().join(&name)).unwrap(), bytes, "{accesses}: {name}");
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
    });
    check(&path);
}

#[test]
fn a_backup_that_is_cut_short_at_any_access_leaves_no_store_or_a_whole_one() {
    let (bytes, written) = stored();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let from = open(&Disk::holding(&bytes), u64::MAX).unwrap();
    let act = || back_up(&from, &path, options(u64::MAX), |_, key| key != b"format").map(drop);
    let check = || {
        let found = rows(&RedbStore::open(&path, options(u64::MAX)).unwrap()).unwrap().0;
        assert_eq!(found.len(), written.len());
        assert!(written.iter().all(|(key, value)| found.get(key) == Some(value)));
    };
    cut_short(folder.path(), act, |_| {
        if path.exists() {
            check();
            std::fs::remove_file(&path).unwrap();
        }
    });
    check();
}

#[test]
fn a_compaction_that_is_cut_short_at_any_access_leaves_all_rows() {
    let (bytes, written) = stored();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    std::fs::write(&path, &bytes).unwrap();
    let check =
        || assert_eq!(rows(&RedbStore::open(&path, options(u64::MAX)).unwrap()).unwrap(), (written.clone(), false));
    cut_short(folder.path(), || compact(&path, options(u64::MAX)), |_| check());
    check();
    assert!(std::fs::metadata(&path).unwrap().len() < bytes.len() as u64, "it is smaller in the end");
}
