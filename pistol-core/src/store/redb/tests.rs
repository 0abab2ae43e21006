//! The redb store against the conformance suite, damaged files, and a second process.

use std::fs;
use std::path::PathBuf;

use ::redb::ReadableTable;

use super::*;
use crate::store::conformance;
use crate::store::memory::MemoryStore;

/// A store that is on disk and closed.
struct Closed {
    folder: tempfile::TempDir,
}

impl Closed {
    fn new(rows: u32) -> Closed {
        let closed = Closed { folder: tempfile::tempdir().unwrap() };
        let mut store = RedbStore::create(&closed.path(), OPTIONS, &Batch::default()).unwrap();
        store.commit(&batch(rows)).unwrap();
        closed
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.redb")
    }

    fn open(&self) -> Result<RedbStore, StoreError> {
        RedbStore::open(&self.path(), OPTIONS)
    }
}

const OPTIONS: RedbOptions = RedbOptions { cache_bytes: 1 << 20, checked_bytes_max: 64 << 20 };

fn batch(rows: u32) -> Batch {
    let mut batch = Batch::default();
    for number in 0..rows {
        batch.put(Table::Tail, number.to_be_bytes(), vec![number.to_le_bytes()[0]; 200]);
    }
    batch
}

fn rows(store: &RedbStore) -> Result<Vec<Row>, StoreError> {
    store.range(Table::Tail, b"", &[0xff; 5], usize::MAX)
}

#[test]
fn the_redb_store_keeps_the_contract_of_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    conformance::check(&mut || {
        count += 1;
        let path = folder.path().join(count.to_string());
        Box::new(RedbStore::create(&path, OPTIONS, &Batch::default()).unwrap())
    });
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let closed = Closed::new(100);
    assert_eq!(rows(&closed.open().unwrap()).unwrap().len(), 100);
    // Files above the limit are opened without being read whole.
    let unchecked = RedbStore::open(&closed.path(), RedbOptions { checked_bytes_max: 0, ..OPTIONS }).unwrap();
    assert_eq!(rows(&unchecked).unwrap().len(), 100);
}

#[test]
fn a_new_store_holds_its_first_rows_and_replaces_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    fs::write(folder.path().join("store.redb.new"), b"left by a crash").unwrap();
    let store = RedbStore::create(&path, OPTIONS, &batch(3)).unwrap();
    assert_eq!(rows(&store).unwrap().len(), 3);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let again = RedbStore::create(&path, OPTIONS, &Batch::default());
    assert!(matches!(again, Err(StoreError::Io { source }) if source.kind() == std::io::ErrorKind::AlreadyExists));
}

#[test]
fn a_store_that_is_open_is_in_use() {
    let closed = Closed::new(1);
    let _open = closed.open().unwrap();
    assert!(matches!(closed.open(), Err(StoreError::InUse)));
}

#[test]
fn a_missing_file_is_not_created_by_opening() {
    let closed = Closed::new(1);
    fs::remove_file(closed.path()).unwrap();
    assert!(matches!(closed.open(), Err(StoreError::Io { source }) if source.kind() == std::io::ErrorKind::NotFound));
    assert!(!closed.path().exists());
}

#[test]
fn an_empty_or_foreign_file_is_damaged() {
    let closed = Closed::new(1);
    for content in [b"".as_slice(), b"x", b"a letter, not a store", &[0; 10_000]] {
        fs::write(closed.path(), content).unwrap();
        assert!(matches!(closed.open(), Err(StoreError::Damaged { .. })), "{} bytes", content.len());
        assert_eq!(fs::read(closed.path()).unwrap(), content, "it is left as it was");
    }
}

#[test]
fn a_truncated_store_is_damaged_or_loses_nothing() {
    let closed = Closed::new(300);
    let whole = fs::read(closed.path()).unwrap();
    let expected = rows(&closed.open().unwrap()).unwrap();
    for part in 0..64 {
        fs::write(closed.path(), &whole[..whole.len() * part / 64]).unwrap();
        check_damaged_or_equal(&closed, &expected, &format!("{part}/64 of the file"));
    }
}

#[test]
fn a_flipped_bit_is_found_or_harmless() {
    let closed = Closed::new(300);
    let whole = fs::read(closed.path()).unwrap();
    let expected = rows(&closed.open().unwrap()).unwrap();
    // A fixed sequence (Knuth's MMIX constants): the same places in every run.
    let mut random = 1_u64;
    for round in 0..200 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Half of them in the header, which is where redb trusts most.
        let within = if round % 2 == 0 { whole.len() } else { 320 };
        let place = usize::try_from(random >> 33).unwrap() % within;
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (random >> 13 & 7);
        fs::write(closed.path(), bytes).unwrap();
        check_damaged_or_equal(&closed, &expected, &format!("byte {place}"));
    }
}

fn check_damaged_or_equal(closed: &Closed, expected: &[Row], what: &str) {
    match closed.open().and_then(|store| rows(&store)) {
        Ok(rows) => assert!(rows == expected, "{what}: other rows"),
        Err(StoreError::Damaged { .. }) => {}
        Err(error) => panic!("{what}: {error}"),
    }
}

/// A file in which the value of one row has a wrong bit.
fn altered(closed: &Closed) {
    let mut file = fs::read(closed.path()).unwrap();
    let value = [7; 200];
    let places: Vec<usize> = (0..file.len() - value.len()).filter(|at| file[*at..].starts_with(&value)).collect();
    places.into_iter().for_each(|at| file[at + 100] ^= 1);
    fs::write(closed.path(), file).unwrap();
}

#[test]
fn a_row_that_is_not_what_was_written_is_told_of_and_its_neighbours_are_read() {
    let closed = Closed::new(100);
    altered(&closed);
    assert!(matches!(closed.open(), Err(StoreError::Damaged { .. })), "a file that is read whole is not opened");
    let store = RedbStore::open(&closed.path(), RedbOptions { checked_bytes_max: 0, ..OPTIONS }).unwrap();
    let key = 7_u32.to_be_bytes();
    let is_it =
        |error: StoreError| matches!(error, StoreError::DamagedRow { table: Table::Tail, key: found } if found == key);
    assert!(is_it(store.read(Table::Tail, &key).unwrap_err()));
    assert_eq!(rows(&store).unwrap().len(), 7, "those before it");
    assert!(is_it(store.range(Table::Tail, &key, &[0xff; 5], usize::MAX).unwrap_err()));
    let (read, found) = crate::store::scan::scan_table(&store, Table::Tail).unwrap();
    assert_eq!((read.len(), found.damaged, found.has_holes), (99, vec![key.to_vec()], false));
}

#[test]
fn a_row_at_another_place_than_it_was_written_to_is_damaged() {
    for (table, key) in [(Table::Tail, b"b".as_slice()), (Table::Names, b"a")] {
        let resting = check::added(Table::Tail, b"a", b"value").into_owned();
        assert_eq!(check::removed(Table::Tail, b"a", &resting).unwrap(), b"value");
        assert!(check::removed(table, key, &resting).is_err());
    }
}

#[test]
fn what_can_be_read_of_a_damaged_file_goes_into_a_new_one_and_the_damaged_one_is_kept() {
    let closed = Closed::new(100);
    altered(&closed);
    let damaged = fs::read(closed.path()).unwrap();
    let salvaged = salvage(&closed.path(), OPTIONS, &Batch::default(), |table, key| {
        !(table == Table::Meta && key == schema::FORMAT_KEY)
    });
    let salvaged = salvaged.unwrap();
    assert_eq!((salvaged.rows, salvaged.lost), (99, vec![(Table::Tail, 7_u32.to_be_bytes().to_vec())]));
    assert!(fs::read(salvaged.kept).unwrap() == damaged, "it is kept as it was");
    assert_eq!(rows(&closed.open().unwrap()).unwrap().len(), 99);
}

#[test]
fn a_number_under_which_rows_lie_is_not_given_out_again_after_a_salvage() {
    for table in [Table::Logs, Table::Envelopes, Table::Tail, Table::Ends, Table::Operations] {
        let closed = Closed::new(0);
        let mut one = Batch::default();
        one.put(table, [7_u32.to_be_bytes(), [0; 4]].concat(), b"row");
        closed.open().unwrap().commit(&one).unwrap();
        salvage(&closed.path(), OPTIONS, &Batch::default(), |table, _| table != Table::Meta).unwrap();
        let next = closed.open().unwrap().read(Table::Meta, schema::NEXT_LOG_KEY).unwrap();
        assert_eq!(next.map(|value| schema::next_log(&value).unwrap()), Some(8), "{table:?}");
    }
}

#[test]
fn a_newer_format_is_refused() {
    let closed = Closed::new(1);
    let mut newer = Batch::default();
    newer.put(Table::Meta, schema::FORMAT_KEY, schema::format_value(9));
    closed.open().unwrap().commit(&newer).unwrap();
    assert!(matches!(closed.open(), Err(StoreError::Newer { found: 9, known: schema::FORMAT })));
}

#[test]
#[cfg(unix)]
fn only_its_owner_may_read_a_store() {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(Closed::new(1).path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Rows of full envelopes, of two logs.
fn envelopes(count: u32) -> Batch {
    let mut batch = Batch::default();
    for number in 0..count {
        let log = number % 2 + 1;
        batch.put(Table::Envelopes, [log.to_be_bytes(), number.to_be_bytes()].concat(), pack::tests::envelope(number));
    }
    batch
}

/// A compacted store of so many full envelopes, and the same in memory.
fn packed_store(count: u32) -> (Closed, MemoryStore) {
    let (closed, mut same) = (Closed::new(0), MemoryStore::default());
    closed.open().unwrap().commit(&envelopes(count)).unwrap();
    same.commit(&envelopes(count)).unwrap();
    compact(&closed.path(), OPTIONS).unwrap();
    (closed, same)
}

fn alone(store: &RedbStore) -> usize {
    let count = |database: &Database| {
        let rows = reading(&begin(database)?, Table::Envelopes)?;
        rows.map_or(Ok(0), |rows| rows.range::<&[u8]>(..).map(Iterator::count).map_err(from_redb))
    };
    store.with_database(Access::Read, count).unwrap()
}

#[test]
fn a_compacted_store_keeps_its_envelopes_in_packs_and_reads_them_as_before() {
    let (closed, same) = packed_store(300);
    let store = closed.open().unwrap();
    assert_eq!(alone(&store), 0);
    let all = same.range(Table::Envelopes, &[], &[0xff; 9], usize::MAX).unwrap();
    for (key, value) in &all {
        assert_eq!(store.read(Table::Envelopes, key).unwrap().as_ref(), Some(value));
        assert_eq!(store.read(Table::Envelopes, &[key.as_slice(), &[0]].concat()).unwrap(), None);
    }
    let ends: Vec<Vec<u8>> =
        all.iter().flat_map(|(key, _)| [key.clone(), [key.as_slice(), &[0]].concat()]).step_by(37).collect();
    for from in &ends {
        for to in &ends {
            for bytes_max in [1, 3000, usize::MAX] {
                let of = |store: &dyn Store| store.range(Table::Envelopes, from, to, bytes_max).unwrap();
                assert!(of(&store) == of(&same) && of(&*store.frozen().unwrap()) == of(&same));
            }
        }
    }
}

#[test]
fn rows_written_into_packs_and_removed_from_them_are_as_in_a_store_without() {
    // A fixed sequence (Knuth's MMIX constants): the same writes in every run.
    let mut random = 1_u64;
    let mut next = |below: u32| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(random >> 33).unwrap() % below
    };
    let (closed, mut same) = packed_store(120);
    for round in 0..40 {
        let mut store = closed.open().unwrap();
        for _ in 0..next(6) {
            let mut batch = Batch::default();
            for _ in 0..next(4) {
                let key = [(next(3) + 1).to_be_bytes(), next(150).to_be_bytes()].concat();
                match next(3) {
                    0 => batch.remove(Table::Envelopes, key),
                    1 => batch.put(Table::Envelopes, key, [next(200).to_be_bytes(); 30].concat()),
                    _ => batch.put(Table::Envelopes, key, pack::tests::envelope(next(200))),
                }
            }
            store.commit(&batch).unwrap();
            same.commit(&batch).unwrap();
        }
        let of = |store: &dyn Store| store.range(Table::Envelopes, &[], &[0xff; 9], usize::MAX).unwrap();
        assert!(of(&store) == of(&same), "round {round}");
        drop(store);
        if next(5) == 0 {
            compact(&closed.path(), OPTIONS).unwrap();
        }
    }
}

#[test]
fn a_damaged_pack_costs_its_own_rows_and_is_made_good_by_writing_them_again() {
    let (closed, same) = packed_store(800);
    let mut file = fs::read(closed.path()).unwrap();
    // A pack of the second log: version, place of its first row, number 1. Pages that are used no more may hold it too.
    let is_it = |at: &usize| file[*at..].starts_with(&[1, 0, 0, 0, 1]) && at + 300 < file.len();
    let places: Vec<usize> = (0..file.len()).filter(is_it).collect();
    places.into_iter().for_each(|at| file[at + 300] ^= 1);
    fs::write(closed.path(), file).unwrap();
    let unchecked = RedbOptions { checked_bytes_max: 0, ..OPTIONS };
    let mut store = RedbStore::open(&closed.path(), unchecked).unwrap();
    let (read, found) = crate::store::scan::scan_table(&store, Table::Envelopes).unwrap();
    let [last] = found.damaged.as_slice() else { panic!("{} damaged", found.damaged.len()) };
    assert!(!found.has_holes);
    let lost: Vec<Row> = same
        .range(Table::Envelopes, &[], &[0xff; 9], usize::MAX)
        .unwrap()
        .into_iter()
        .filter(|row| !read.contains(row))
        .collect();
    assert_eq!(lost.last().map(|(key, _)| key), Some(last));
    assert!(lost.iter().all(|(key, _)| key.starts_with(&2_u32.to_be_bytes()) && key <= last));
    assert!(lost.len() > 1 && lost.len() < 400);
    assert!(matches!(store.read(Table::Envelopes, last), Err(StoreError::DamagedRow { key, .. }) if key == *last));
    let mut again = Batch::default();
    lost.into_iter().for_each(|(key, value)| again.put(Table::Envelopes, key, value));
    store.commit(&again).unwrap();
    let of = |store: &dyn Store| store.range(Table::Envelopes, &[], &[0xff; 9], usize::MAX).unwrap();
    assert!(of(&store) == of(&same));
}

#[test]
fn a_pack_whose_beginning_is_damaged_is_told_of_and_goes_when_its_row_is_removed() {
    let (closed, _) = packed_store(100);
    let mut store = closed.open().unwrap();
    let damage = |database: &Database| {
        let transaction = begin_write(database)?;
        let mut packs = transaction.open_table(packed::PACKS).unwrap();
        let (key, mut value) =
            packs.first().unwrap().map(|(key, value)| (key.value().to_vec(), value.value().to_vec())).unwrap();
        // The place of its first row is behind that of its last then.
        value[1] ^= 0x80;
        packs.insert(key.as_slice(), value.as_slice()).unwrap();
        drop(packs);
        transaction.commit().map_err(from_redb)
    };
    store.with_database(Access::Write, damage).unwrap();
    let damaged = |store: &RedbStore| crate::store::scan::scan_table(store, Table::Envelopes).unwrap().1.damaged;
    let [last] = damaged(&store).try_into().unwrap();
    assert!(matches!(store.read(Table::Envelopes, &last), Err(StoreError::DamagedRow { .. })));
    let mut removal = Batch::default();
    removal.remove(Table::Envelopes, last);
    store.commit(&removal).unwrap();
    assert_eq!(damaged(&store), [] as [Vec<u8>; 0]);
}

#[test]
fn a_store_of_the_format_before_has_the_new_one_when_it_has_packs() {
    let closed = Closed::new(0);
    let mut batch = envelopes(100);
    batch.put(Table::Meta, schema::FORMAT_KEY, schema::format_value(2));
    closed.open().unwrap().commit(&batch).unwrap();
    let format = || closed.open().unwrap().read(Table::Meta, schema::FORMAT_KEY).unwrap();
    assert_eq!(format(), Some(schema::format_value(2)));
    compact(&closed.path(), OPTIONS).unwrap();
    assert_eq!(alone(&closed.open().unwrap()), 0);
    assert_eq!(format(), Some(schema::format_value(schema::FORMAT)));
}

#[test]
fn a_backup_and_what_is_saved_of_a_damaged_file_are_packed_too() {
    let (closed, same) = packed_store(300);
    let backup = closed.folder.path().join("backup.redb");
    back_up(&closed.open().unwrap(), &backup, OPTIONS, |_, _| true).unwrap();
    let salvaged = salvage(&closed.path(), OPTIONS, &Batch::default(), |table, _| table != Table::Meta).unwrap();
    assert_eq!(salvaged.lost, []);
    for path in [backup, closed.path()] {
        let store = RedbStore::open(&path, OPTIONS).unwrap();
        assert_eq!(alone(&store), 0);
        let of = |store: &dyn Store| store.range(Table::Envelopes, &[], &[0xff; 9], usize::MAX).unwrap();
        assert!(of(&store) == of(&same));
    }
}
