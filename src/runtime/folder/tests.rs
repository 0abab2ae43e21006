//! What opening a folder makes, keeps, and refuses.

use std::fs;

use super::*;

/// Errors of opening; the open folder itself has secrets and is not printed.
fn error(path: &Path) -> FolderError {
    StoreFolder::open(path, None).err().unwrap()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("new/store");
    (parent, path)
}

#[test]
fn a_folder_is_made_and_opened_again_as_the_same_node() {
    let (_parent, path) = folder();
    let first = StoreFolder::open(&path, None).unwrap();
    assert_eq!(first.sessions, Sessions::Fresh);
    let known = (first.author_seed.clone(), first.node_secret.clone(), first.epoch);
    drop(first);
    let second = StoreFolder::open(&path, None).unwrap();
    assert_eq!(second.sessions, Sessions::Continue);
    assert!(known == (second.author_seed.clone(), second.node_secret.clone(), second.epoch));
    assert!(known.0 != known.1);
}

#[test]
fn an_open_folder_is_in_use() {
    let (_parent, path) = folder();
    let open = StoreFolder::open(&path, None).unwrap();
    assert!(matches!(error(&path), FolderError::InUse { folder } if folder == path));
    drop(open);
    assert!(StoreFolder::open(&path, None).is_ok());
}

#[test]
fn the_lock_outlives_the_store_if_it_is_kept() {
    let (_parent, path) = folder();
    let StoreFolder { store, lock, .. } = StoreFolder::open(&path, None).unwrap();
    drop(store);
    assert!(matches!(error(&path), FolderError::InUse { .. }));
    drop(lock);
    assert!(StoreFolder::open(&path, None).is_ok());
}

#[test]
fn a_restored_backup_of_the_store_begins_a_new_epoch() {
    let (_parent, path) = folder();
    let epoch = StoreFolder::open(&path, None).unwrap().epoch;
    let backup = fs::read(path.join("store.redb")).unwrap();
    drop(StoreFolder::open(&path, None).unwrap());
    fs::write(path.join("store.redb"), backup).unwrap();
    let restored = StoreFolder::open(&path, None).unwrap();
    assert_eq!(restored.sessions, Sessions::Fresh);
    assert_ne!(restored.epoch, epoch);
}

#[test]
fn a_copied_folder_begins_a_new_epoch_and_the_original_continues() {
    let (parent, path) = folder();
    let epoch = StoreFolder::open(&path, None).unwrap().epoch;
    let copy = parent.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(&path).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    let copied = StoreFolder::open(&copy, None).unwrap();
    assert_eq!(copied.sessions, Sessions::Fresh);
    assert_ne!(copied.epoch, epoch);
    assert_eq!(StoreFolder::open(&path, None).unwrap().sessions, Sessions::Continue);
}

#[test]
fn a_key_that_is_missing_beside_a_store_is_not_made_again() {
    let (_parent, path) = folder();
    drop(StoreFolder::open(&path, None).unwrap());
    fs::remove_file(path.join("author.key")).unwrap();
    assert!(matches!(error(&path), FolderError::KeyMissing { .. }));
    assert!(!path.join("author.key").exists());
}

#[test]
fn a_key_cut_short_lengthened_or_altered_is_refused_and_left_alone() {
    let (_parent, path) = folder();
    drop(StoreFolder::open(&path, None).unwrap());
    let key_path = path.join("author.key");
    let whole = fs::read(&key_path).unwrap();
    let cut = (0..whole.len()).map(|length| whole[..length].to_vec());
    let altered = (0..whole.len()).map(|place| {
        let mut key = whole.clone();
        key[place] ^= 1;
        key
    });
    for key in cut.chain(altered).chain([[whole.as_slice(), b"x"].concat()]) {
        fs::write(&key_path, &key).unwrap();
        assert!(matches!(error(&path), FolderError::KeyDamaged { .. }));
        assert_eq!(fs::read(&key_path).unwrap(), key);
    }
    fs::write(&key_path, whole).unwrap();
    assert!(StoreFolder::open(&path, None).is_ok());
}

#[test]
fn a_key_without_a_store_is_used_for_the_new_store() {
    let (_parent, path) = folder();
    let seed = StoreFolder::open(&path, None).unwrap().author_seed;
    fs::remove_file(path.join("store.redb")).unwrap();
    let opened = StoreFolder::open(&path, None).unwrap();
    assert!(opened.author_seed == seed);
    assert_eq!(opened.sessions, Sessions::Fresh);
}

#[test]
fn a_damaged_store_is_refused_and_left_alone() {
    let (_parent, path) = folder();
    drop(StoreFolder::open(&path, None).unwrap());
    fs::write(path.join("store.redb"), b"a letter").unwrap();
    assert!(matches!(error(&path), FolderError::Store(StoreError::Damaged { .. })));
    assert_eq!(fs::read(path.join("store.redb")).unwrap(), b"a letter");
}

#[test]
fn an_opening_without_random_bytes_fails_and_can_be_tried_again() {
    let (_parent, path) = folder();
    for allowed in 0..3 {
        let mut draws = 0;
        let opened = StoreFolder::open_with(&path, None, &mut |bytes| {
            draws += 1;
            bytes.fill(draws);
            if draws > allowed { Err(io::Error::other("none left")) } else { Ok(()) }
        });
        assert!(matches!(opened, Err(FolderError::Random { .. })), "{allowed}");
    }
    assert!(StoreFolder::open(&path, None).is_ok());
}

#[test]
fn a_sealed_key_opens_with_its_passphrase_alone() {
    let (_parent, path) = folder();
    let passphrase = |text: &str| Passphrase::new(text.to_owned());
    let right = passphrase("correct horse battery staple");
    let seed = StoreFolder::open(&path, Some(&right)).unwrap().author_seed;
    assert!(StoreFolder::open(&path, Some(&right)).unwrap().author_seed == seed);
    let refused = |passphrase: Option<&Passphrase>| StoreFolder::open(&path, passphrase).err().unwrap();
    assert!(matches!(refused(None), FolderError::KeySealed { .. }));
    assert!(matches!(refused(Some(&passphrase("wrong"))), FolderError::WrongPassphrase { .. }));
    let key_path = path.join("author.key");
    let whole = fs::read(&key_path).unwrap();
    assert!(!whole.windows(32).any(|window| window == seed.as_slice()));
    let last = whole.len() - 1;
    for (at, is_read) in [(0, false), (30, true), (last - 50, true), (last, true)] {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        fs::write(&key_path, altered).unwrap();
        match refused(Some(&right)) {
            FolderError::WrongPassphrase { .. } => assert!(is_read, "byte {at}"),
            FolderError::KeyDamaged { .. } => assert!(!is_read, "byte {at}"),
            error => panic!("byte {at}: {error}"),
        }
    }
    fs::write(&key_path, whole).unwrap();
    assert!(StoreFolder::open(&path, Some(&right)).is_ok());
}

#[test]
fn a_passphrase_for_a_key_that_is_not_sealed_is_refused() {
    let (_parent, path) = folder();
    drop(StoreFolder::open(&path, None).unwrap());
    let refused = StoreFolder::open(&path, Some(&Passphrase::new("safe".to_owned()))).err().unwrap();
    assert!(matches!(refused, FolderError::KeyNotSealed { .. }));
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_owner_may_read_a_folder_and_its_files() {
        let (_parent, path) = folder();
        let _open = StoreFolder::open(&path, None).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        for file in ["store.redb", "author.key", "fence", "lock"] {
            assert_eq!(mode(&path.join(file)), 0o600, "{file}");
        }
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let (_parent, path) = folder();
        drop(StoreFolder::open(&path, None).unwrap());
        for mode in [0o644, 0o640, 0o602] {
            fs::set_permissions(path.join("author.key"), fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(error(&path), FolderError::KeyExposed { mode: found, .. } if found == mode));
        }
    }
}

#[test]
fn a_store_that_ends_gives_room_back_and_goes_on_in_its_sessions() {
    let (_parent, path) = folder();
    let bytes = || fs::metadata(path.join("store.redb")).unwrap().len();
    let mut open = StoreFolder::open(&path, None).unwrap();
    let (mut large, mut gone) = (Batch::default(), Batch::default());
    large.put(Table::Tail, b"large", vec![7; 1 << 20]);
    large.put(Table::Tail, b"small", b"kept");
    gone.remove(Table::Tail, b"large");
    open.store.commit(&large).unwrap();
    open.store.commit(&gone).unwrap();
    let StoreFolder { store, lock, .. } = open;
    let before = bytes();
    store.end();
    drop(lock);
    assert!(bytes() < before / 2, "{before} {}", bytes());
    let again = StoreFolder::open(&path, None).unwrap();
    assert_eq!(again.sessions, Sessions::Continue);
    assert_eq!(again.store.read(Table::Tail, b"small").unwrap(), Some(b"kept".to_vec()));
}

#[test]
fn a_copy_that_was_not_finished_is_gone_when_the_folder_is_opened() {
    let (_parent, path) = folder();
    drop(StoreFolder::open(&path, None).unwrap());
    fs::write(path.join("store.redb.new"), b"half").unwrap();
    drop(StoreFolder::open(&path, None).unwrap());
    assert!(!path.join("store.redb.new").exists());
}
