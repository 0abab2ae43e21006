//! A store's file, damaged: opened it is refused, or holds what one of its commits held.

use std::path::PathBuf;
use std::sync::LazyLock;

use pistol_core::store::redb::{RedbOptions, RedbStore};
use pistol_core::store::{Batch, Row, Store, StoreError, Table};

use crate::chance::Chance;
use crate::finding::{Divergence, Outcome, promise};
use crate::mutate::mutate;

const OPTIONS: RedbOptions = RedbOptions { cache_bytes: 1 << 20, checked_bytes_max: 64 << 20 };

/// The bytes of a file, and the rows that each of its commits left.
struct Saved {
    bytes: Vec<u8>,
    states: Vec<Vec<Row>>,
    folder: tempfile::TempDir,
}

static SAVED: LazyLock<Option<Saved>> = LazyLock::new(|| save().ok());

/// Makes what inputs begin with.
pub(super) fn prepare() {
    let _ = SAVED.is_some();
}

fn save() -> Result<Saved, StoreError> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("honest");
    let mut store = RedbStore::create(&path, OPTIONS, &Batch::default())?;
    let mut states = vec![rows(&store)?];
    for number in 0..6_u8 {
        let mut batch = Batch::default();
        for row in 0..20_u8 {
            let table = Table::ALL.get(usize::from(row) % Table::ALL.len()).copied().unwrap_or(Table::Logs);
            batch.put(table, vec![b'k', row], vec![number; usize::from(row) * 40]);
        }
        store.commit(&batch)?;
        states.push(rows(&store)?);
    }
    drop(store);
    Ok(Saved { bytes: std::fs::read(path)?, states, folder })
}

fn rows(store: &RedbStore) -> Result<Vec<Row>, StoreError> {
    let of = |table| store.range(table, &[], &[0xff; 8], usize::MAX);
    Ok(Table::ALL.into_iter().map(of).collect::<Result<Vec<_>, _>>()?.concat())
}

/// Opens a file of these bytes and reads all of it.
///
/// # Errors
/// [`Divergence`] if it holds what no commit left there, or cannot be written although it can be read.
fn accepts(path: &PathBuf, bytes: &[u8], states: &[Vec<Row>]) -> Outcome {
    let io = |error: std::io::Error| Divergence::new(format!("a folder for tests is not usable: {error}"));
    std::fs::write(path, bytes).map_err(io)?;
    let Ok(mut store) = RedbStore::open(path, OPTIONS) else {
        return Ok(false);
    };
    let Ok(found) = rows(&store) else {
        return Ok(false);
    };
    promise(states.contains(&found), "a damaged store holds what was never written to it")?;
    let mut batch = Batch::default();
    batch.put(Table::Names, *b"new", *b"row");
    if store.commit(&batch).is_ok() {
        let again = store.read(Table::Names, b"new");
        promise(again.is_err() || again.is_ok_and(|row| row.as_deref() == Some(b"row")), "a commit is lost")?;
    }
    Ok(true)
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let saved = SAVED.as_ref().ok_or_else(|| Divergence::new("no store could be made"))?;
    let mut bytes = saved.bytes.clone();
    match chance.below(4) {
        // The head of the file says where everything is.
        0 => {
            let mut rest = bytes.split_off(bytes.len().min(512));
            mutate(&mut bytes, &saved.bytes, chance);
            bytes.resize(512, 0);
            bytes.append(&mut rest);
        }
        1 => {
            let page = 4096;
            let (one, other) = (chance.index(bytes.len() / page) * page, chance.index(bytes.len() / page) * page);
            let lent = saved.bytes.get(other..other + page).unwrap_or_default();
            if let Some(place) = bytes.get_mut(one..one + page).filter(|place| place.len() == lent.len()) {
                place.copy_from_slice(lent);
            }
        }
        _ => mutate(&mut bytes, &saved.bytes, chance),
    }
    accepts(&saved.folder.path().join("damaged"), &bytes, &saved.states)
}
