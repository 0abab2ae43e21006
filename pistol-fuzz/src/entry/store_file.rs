//! A store's file, damaged: opened it is refused, or holds what one of its commits held.

use std::path::PathBuf;
use std::sync::LazyLock;

use pistol_core::store::redb::{RedbOptions, RedbStore, compact};
use pistol_core::store::{Batch, Row, Store, StoreError, Table};

use crate::chance::Chance;
use crate::finding::{Divergence, Outcome, promise};
use crate::mutate::mutate;

const OPTIONS: RedbOptions = RedbOptions { cache_bytes: 1 << 20, checked_bytes_max: 64 << 20 };

/// The bytes of a file and those of one with packs, and the rows that each commit left.
struct Saved {
    files: [Vec<u8>; 2],
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
            batch.put(Table::Envelopes, packed_key(row), [number, row].repeat(100));
        }
        store.commit(&batch)?;
        states.push(rows(&store)?);
    }
    drop(store);
    let bytes = std::fs::read(&path)?;
    compact(&path, OPTIONS)?;
    Ok(Saved { files: [bytes, std::fs::read(path)?], states, folder })
}

/// The key of a row that can lie in a pack.
fn packed_key(row: u8) -> [u8; 8] {
    [0, 0, 0, 1, 0, 0, 0, row]
}

fn rows(store: &RedbStore) -> Result<Vec<Row>, StoreError> {
    let of = |table| store.range(table, &[], &[0xff; 9], usize::MAX);
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
    batch.put(Table::Envelopes, packed_key(5), *b"row");
    if store.commit(&batch).is_ok() {
        for (table, key) in [(Table::Names, b"new".as_slice()), (Table::Envelopes, &packed_key(5))] {
            let again = store.read(table, key);
            promise(again.is_err() || again.is_ok_and(|row| row.as_deref() == Some(b"row")), "a commit is lost")?;
        }
    }
    Ok(true)
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let saved = SAVED.as_ref().ok_or_else(|| Divergence::new("no store could be made"))?;
    let honest = saved.files.get(chance.index(saved.files.len())).map_or(&[][..], Vec::as_slice);
    let mut bytes = honest.to_vec();
    match chance.below(4) {
        // The head of the file says where everything is.
        0 => {
            let mut rest = bytes.split_off(bytes.len().min(512));
            mutate(&mut bytes, honest, chance);
            bytes.resize(512, 0);
            bytes.append(&mut rest);
        }
        1 => {
            let page = 4096;
            let (one, other) = (chance.index(bytes.len() / page) * page, chance.index(bytes.len() / page) * page);
            let lent = honest.get(other..other + page).unwrap_or_default();
            if let Some(place) = bytes.get_mut(one..one + page).filter(|place| place.len() == lent.len()) {
                place.copy_from_slice(lent);
            }
        }
        _ => mutate(&mut bytes, honest, chance),
    }
    accepts(&saved.folder.path().join("damaged"), &bytes, &saved.states)
}
