//! What a document is opened from fast: the picture's row and the stretches of the history, under right stamps. Nobody
//! without the author's secret can make those, so this is the second wall: what a bug here wrote, or a disk that lies.

use std::sync::{Arc, LazyLock};

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use pistol_core::codec::{Malformed, Reader, Writer};
use pistol_core::document::{Document, Opened};
use pistol_core::stamp::Stamp;
use pistol_core::store::schema::{SealedRow, Snapshot};
use pistol_core::validate::{History, Ordinal, Restoring, STRETCH_CHANGES_MAX};

use super::envelope::mutate_end;
use crate::chance::Chance;
use crate::finding::{Divergence, Outcome, promise};
use crate::history::replica::Replica;
use crate::history::stage::Stage;
use crate::sealing;

/// The kinds of bytes, told by the first one.
const PICTURE: u8 = 0;
const STRETCH: u8 = 1;
/// Bytes of a stretch's columns here.
const COLUMNS_BYTES_MAX: usize = 1 << 20;

/// An honest document, as it is written.
struct Honest {
    stage: &'static Stage,
    save: Vec<u8>,
    /// The picture's row, without version and stamp.
    picture: Vec<u8>,
    /// The stretch of all changes, its columns not deflated.
    stretch: Vec<u8>,
}

static HONEST: LazyLock<Option<Vec<Honest>>> = LazyLock::new(|| Stage::all().iter().take(8).map(Honest::new).collect());

impl Honest {
    fn new(stage: &'static Stage) -> Option<Honest> {
        let mut replica = Replica::new(&stage.genesis).ok()?;
        replica.receive(&stage.honest).ok()?;
        replica.project().ok()?;
        let picture = replica.document.picture()?;
        let history = replica.document.history();
        let (rows, save) = (vec![SealedRow { count: picture.end() - 1, digest: [1; 32] }], picture.save()?);
        let (end, heads) = (picture.end(), picture.heads().to_vec());
        let snapshot = Snapshot { end, heads, stretch: Stamp::default(), rows, save: save.clone() };
        let value = snapshot.to_value(&stage.genesis.id(), &sealing::author(1).stamp_key());
        let picture = value.get(1 + size_of::<Stamp>()..)?.to_vec();
        Some(Honest { stage, save, picture, stretch: inflated(&whole(history)).ok()? })
    }
}

/// Makes what inputs begin with.
pub fn prepare() {
    let _ = HONEST.is_some();
}

fn honest() -> Result<&'static [Honest], Divergence> {
    HONEST.as_deref().ok_or_else(|| Divergence::new("there is no honest history"))
}

/// Gives bytes as a picture's row, or as a stretch, by their first byte.
///
/// # Errors
/// [`Divergence`] if what was read is written and read as something else.
pub fn accepts(bytes: &[u8]) -> Outcome {
    let Some(((kind, content), honest)) = bytes.split_first().zip(honest()?.first()) else {
        return Ok(false);
    };
    if kind % 2 == PICTURE { accepts_picture(content, honest) } else { accepts_stretch(content, honest) }
}

fn accepts_picture(content: &[u8], honest: &Honest) -> Outcome {
    let (document, key) = (honest.stage.genesis.id(), sealing::author(1).stamp_key());
    let stamp = key.stamp(&[&[1], &[2], document.as_bytes(), content]);
    let value = [&[1], stamp.as_slice(), content].concat();
    let Some(snapshot) = Snapshot::from_value(&value, &document, &key) else {
        return Ok(false);
    };
    promise(snapshot.to_value(&document, &key) == value, "a picture's row is written as something else")?;
    Ok(true)
}

fn accepts_stretch(plain: &[u8], honest: &Honest) -> Outcome {
    let Some(history) = deflated(plain).ok().and_then(|bytes| restored(&bytes, honest)) else {
        return Ok(false);
    };
    let (next, written) = (history.next(), whole(&history));
    // What nobody wrote may say what nobody can write, such as a key that no operation uses.
    if let Some(again) = restored(&written, honest) {
        promise(whole(&again) == written, "a history that was read is written as something else")?;
    }
    // It may be another document's by all that it says; to go on with it must be safe.
    for change in &honest.stage.honest {
        let _ = history.check(change);
    }
    let opened = Opened::load(&honest.save).ok_or_else(|| Divergence::new("an honest picture is not loaded"))?;
    if let Some(document) = Document::open_picture(history, opened) {
        promise(document.history().next() == next, "a document has another history than it was given")?;
    }
    Ok(true)
}

/// The history that a stretch makes alone, ending in its last change.
fn restored(stretch: &[u8], honest: &Honest) -> Option<History> {
    let mut restoring = Restoring::new(Arc::clone(&honest.stage.genesis)).ok()?;
    restoring.read(stretch).ok()?;
    let next = restoring.next();
    let heads: Vec<Ordinal> = next.checked_sub(1).filter(|last| *last > 0).into_iter().collect();
    restoring.finish(&heads).ok()
}

fn whole(history: &History) -> Vec<u8> {
    history.stretch(1, STRETCH_CHANGES_MAX).bytes
}

/// A stretch, its columns not deflated, so that a mutation hits a column and not what packs it.
fn inflated(stretch: &[u8]) -> Result<Vec<u8>, Malformed> {
    let (before, packed) = split(stretch)?;
    let packed = Reader::new(packed).bytes(packed.len())?;
    let plain = decompress_to_vec_with_limit(packed, COLUMNS_BYTES_MAX).map_err(|_| Malformed::Limit)?;
    Ok([before, &plain].concat())
}

/// The way back.
fn deflated(plain: &[u8]) -> Result<Vec<u8>, Malformed> {
    let (before, columns) = split(plain)?;
    let mut out = Writer::new();
    out.raw(before);
    out.bytes(&compress_to_vec(columns, 1));
    Ok(out.into_bytes())
}

/// Splits before the columns.
fn split(stretch: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut reader = Reader::new(stretch);
    reader.byte()?;
    reader.number32()?;
    let count = reader.count(STRETCH_CHANGES_MAX, 32)?;
    reader.raw(count * 32)?;
    stretch.split_at_checked(stretch.len() - reader.remaining()).ok_or(Malformed::Short)
}

/// Bytes for coverage-guided targets to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    let rows = |honest: &Honest| {
        [[&[PICTURE], honest.picture.as_slice()].concat(), [&[STRETCH], honest.stretch.as_slice()].concat()]
    };
    honest().unwrap_or_default().iter().flat_map(rows).collect()
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let all = honest()?;
    let (Some(honest), Some(other)) = (chance.pick(all), chance.pick(all)) else {
        return Ok(false);
    };
    if chance.one_in(8) {
        let mut picture = honest.picture.clone();
        let start = picture.len().saturating_sub(honest.save.len());
        let save = picture.split_off(start);
        mutate_end(&mut picture, &other.picture, chance);
        return accepts_picture(&[picture, save].concat(), honest);
    }
    let mut stretch = honest.stretch.clone();
    mutate_end(&mut stretch, &other.stretch, chance);
    accepts_stretch(&stretch, honest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_rows_are_accepted() {
        for honest in honest().unwrap() {
            assert_eq!(accepts_picture(&honest.picture, honest), Ok(true));
            assert_eq!(accepts_stretch(&honest.stretch, honest), Ok(true));
        }
    }

    #[test]
    fn an_honest_history_is_written_as_it_was_read() {
        for honest in honest().unwrap() {
            let stretch = deflated(&honest.stretch).unwrap();
            assert_eq!(inflated(&whole(&restored(&stretch, honest).unwrap())).unwrap(), honest.stretch);
        }
    }

    #[test]
    fn a_mutated_stretch_gets_past_its_stamp_and_its_packing() {
        let honest = honest().unwrap().first().unwrap();
        let accepted = (0..500).filter(|number| {
            let mut stretch = honest.stretch.clone();
            mutate_end(&mut stretch, &[], &mut Chance::new(*number));
            stretch != honest.stretch && accepts_stretch(&stretch, honest).unwrap()
        });
        let accepted = accepted.count();
        assert!(accepted > 20, "{accepted}");
    }
}
