//! When the reserve is made, given up, and made again.

use std::fs;

use pistol_core::store::memory::MemoryStore;

use super::*;

/// A store that has so much room, and more where there is no reserve.
struct Tight {
    store: MemoryStore,
    reserve: PathBuf,
    is_full: bool,
}

impl Store for Tight {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if self.is_full && self.reserve.exists() { Err(StoreError::Full) } else { self.store.commit(batch) }
    }

    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.read(table, key)
    }

    fn frozen(&self) -> Result<Frozen, StoreError> {
        self.store.frozen()
    }

    fn range(&self, table: Table, from: &[u8], to: &[u8], bytes_max: usize) -> Result<Vec<Row>, StoreError> {
        self.store.range(table, from, to, bytes_max)
    }
}

fn store(folder: &Path) -> ReservedStore<Tight> {
    let reserve = folder.join("reserve");
    let store = Tight { store: MemoryStore::new(), reserve: reserve.clone(), is_full: false };
    ReservedStore::new(store, reserve)
}

fn batch() -> Batch {
    let mut batch = Batch::default();
    batch.put(Table::Names, b"name", b"value");
    batch
}

#[test]
fn a_reserve_is_made_and_only_its_owner_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path());
    store.make_reserve();
    let reserve = fs::metadata(folder.path().join("reserve")).unwrap();
    assert_eq!(reserve.len(), RESERVE_BYTES);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        assert_eq!(reserve.permissions().mode() & 0o777, 0o600);
        assert!(reserve.blocks() * 512 >= RESERVE_BYTES, "it takes room on the disk");
    }
}

#[test]
fn a_full_disk_takes_a_commit_at_the_reserves_cost_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path());
    store.make_reserve();
    store.store.is_full = true;
    let on_reserve = store.on_reserve();
    assert!(!on_reserve.get());
    store.commit(&batch()).unwrap();
    assert!(on_reserve.get() && !folder.path().join("reserve").exists());
    assert_eq!(store.read(Table::Names, b"name").unwrap().unwrap(), b"value");
    // Not at once: the room that it would take was needed a moment ago.
    store.make_reserve();
    assert!(!folder.path().join("reserve").exists());
    store.tried = None;
    store.make_reserve();
    assert!(!on_reserve.get() && folder.path().join("reserve").exists());
}

#[test]
fn a_full_disk_without_a_reserve_refuses_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path());
    store.store.is_full = true;
    // Empty, it gives no room up; it stands for whatever else is in the way.
    fs::write(folder.path().join("reserve"), b"").unwrap();
    assert!(matches!(store.commit(&batch()), Err(StoreError::Full)));
    assert!(!store.on_reserve().get());
}

#[test]
fn a_reserve_that_a_crash_left_cut_short_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("reserve"), b"short").unwrap();
    fs::write(folder.path().join("reserve.new"), b"shorter").unwrap();
    let mut store = store(folder.path());
    store.make_reserve();
    assert!(is_whole(&folder.path().join("reserve")));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn where_no_reserve_can_be_made_the_store_goes_on_without() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("reserve")).unwrap();
    let mut store = store(folder.path());
    store.make_reserve();
    assert!(!folder.path().join("reserve.new").exists());
    store.commit(&batch()).unwrap();
}
