//! The fence, cut short at every step, restored, and copied.

use std::fs;
use std::path::PathBuf;

use pistol_core::store::memory::MemoryStore;
use pistol_core::store::schema::{LogNumber, SessionRecord};

use super::*;

/// A store and its fence, as a profile on disk.
struct Profile {
    folder: tempfile::TempDir,
    store: MemoryStore,
    count: u8,
}

const SESSION: SessionRecord = SessionRecord { session: 7, is_started: true };

impl Profile {
    /// One that was opened before and has a session.
    fn new() -> Profile {
        let mut profile = Profile { folder: tempfile::tempdir().unwrap(), store: MemoryStore::new(), count: 0 };
        assert_eq!(profile.open(), Sessions::Fresh);
        let mut batch = Batch::default();
        batch.put(Table::Sessions, LogNumber(1).key(), SESSION.to_value());
        profile.store.commit(&batch).unwrap();
        profile
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("fence")
    }

    fn open(&mut self) -> Sessions {
        let epoch = self.epoch();
        let sessions = self.turn_up_to(3);
        assert!(sessions == Sessions::Continue || self.session().is_none(), "old sessions are forgotten");
        assert_eq!(sessions == Sessions::Fresh, self.epoch() != epoch);
        sessions
    }

    fn session(&self) -> Option<Vec<u8>> {
        self.store.read(Table::Sessions, &LogNumber(1).key()).unwrap()
    }

    fn epoch(&self) -> Option<Vec<u8>> {
        self.store.read(Table::Meta, schema::EPOCH_KEY).unwrap()
    }

    /// Does this many steps of a turn, as a process that is killed then.
    fn turn_up_to(&mut self, steps: usize) -> Sessions {
        let path = self.path();
        let mut random = |bytes: &mut [u8]| {
            self.count += 1;
            bytes.fill(self.count);
            Ok(())
        };
        let mut turn = Turn::begin(&path, &self.store, &mut random).unwrap();
        if steps > 0 {
            turn.announce(&mut self.store).unwrap();
        }
        if steps > 1 {
            let file = turn.write().unwrap();
            if steps > 2 {
                turn.settle(&mut self.store, file).unwrap();
            }
        }
        turn.sessions()
    }
}

#[test]
fn sessions_continue_from_one_opening_to_the_next() {
    let mut profile = Profile::new();
    for _ in 0..3 {
        assert_eq!(profile.open(), Sessions::Continue);
        assert_eq!(profile.session(), Some(SESSION.to_value()));
    }
}

#[test]
fn sessions_continue_after_turns_cut_short_anywhere() {
    for first in 0..3 {
        for second in 0..3 {
            let mut profile = Profile::new();
            profile.turn_up_to(first);
            profile.turn_up_to(second);
            assert_eq!(profile.open(), Sessions::Continue, "after {first} steps, then {second}");
        }
    }
}

#[test]
fn an_older_store_is_fresh_also_after_turns_cut_short_anywhere() {
    for before in 0..3 {
        for after in 0..3 {
            let mut profile = Profile::new();
            profile.turn_up_to(before);
            let backup = profile.store.clone();
            assert_eq!(profile.open(), Sessions::Continue);
            assert_eq!(profile.open(), Sessions::Continue);
            profile.store = backup;
            profile.turn_up_to(after);
            assert_eq!(profile.open(), Sessions::Fresh, "backed up after {before} steps, opened with {after}");
        }
    }
}

#[test]
fn a_copied_profile_is_fresh_whenever_it_was_copied() {
    for steps in 0..3 {
        let mut profile = Profile::new();
        profile.turn_up_to(steps);
        // Renamed into place, so that copy and original exist at once and differ in their inodes.
        let copy = profile.folder.path().join("copy");
        fs::copy(profile.path(), &copy).unwrap();
        fs::rename(&copy, profile.path()).unwrap();
        assert_eq!(profile.open(), Sessions::Fresh, "copied after {steps} steps");
    }
}

#[test]
fn a_fence_that_is_missing_cut_short_or_foreign_is_fresh() {
    for content in [None, Some(vec![]), Some(vec![1; 16]), Some(vec![1; 18]), Some(vec![9; 17])] {
        let mut profile = Profile::new();
        match &content {
            Some(content) => fs::write(profile.path(), content).unwrap(),
            None => fs::remove_file(profile.path()).unwrap(),
        }
        assert_eq!(profile.open(), Sessions::Fresh, "{content:?}");
        assert_eq!(profile.open(), Sessions::Continue);
    }
}

#[test]
fn a_settled_fence_is_known_by_its_file_and_an_announced_one_by_its_inode() {
    let file = FileIdentity { inode: 1, changed_nanoseconds: 1 };
    let changed = FileIdentity { changed_nanoseconds: 2, ..file };
    let copied = FileIdentity { inode: 2, ..file };
    let fence = Fence { current: [1; 16], next: Some([2; 16]), file };
    assert!(is_own([1; 16], file, &fence) && is_own([2; 16], changed, &fence));
    assert!(!is_own([1; 16], changed, &fence) && !is_own([1; 16], copied, &fence));
    assert!(!is_own([2; 16], copied, &fence) && !is_own([3; 16], file, &fence));
}

#[test]
fn every_session_is_forgotten_however_many_there_are() {
    let mut profile = Profile::new();
    let mut batch = Batch::default();
    for log in 0..60_000 {
        batch.put(Table::Sessions, LogNumber(log).key(), SESSION.to_value());
    }
    batch.put(Table::Sessions, LogNumber(u32::MAX).key(), SESSION.to_value());
    profile.store.commit(&batch).unwrap();
    fs::remove_file(profile.path()).unwrap();
    assert_eq!(profile.open(), Sessions::Fresh);
    assert_eq!(profile.store.range(Table::Sessions, b"", &[0xff; 9], 1).unwrap(), []);
}
