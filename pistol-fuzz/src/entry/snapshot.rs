//! What a document is opened from fast: the picture's row, under a right stamp. Nobody without the author's secret can make
//! that, so this is the second wall: what a bug here wrote, or a disk that lies.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use pistol_core::document::Opened;
use pistol_core::id::ChangeId;
use pistol_core::stamp::Stamp;
use pistol_core::store::schema::Snapshot;

use super::envelope::mutate_end;
use crate::chance::Chance;
use crate::finding::{Divergence, Outcome, promise};
use crate::history::replica::Replica;
use crate::history::stage::Stage;
use crate::sealing;

/// An honest document, as its picture is written.
struct Honest {
    stage: &'static Stage,
    heads: BTreeSet<ChangeId>,
    save: Vec<u8>,
    /// The picture's row, without version and stamp.
    row: Vec<u8>,
}

static HONEST: LazyLock<Option<Vec<Honest>>> = LazyLock::new(|| Stage::all().iter().take(8).map(Honest::new).collect());

impl Honest {
    fn new(stage: &'static Stage) -> Option<Honest> {
        let mut replica = Replica::new(&stage.genesis).ok()?;
        replica.receive(&stage.honest).ok()?;
        replica.project().ok()?;
        let picture = replica.document.picture()?;
        let (end, heads, save) = (picture.end(), picture.heads().to_vec(), picture.save()?);
        let snapshot = Snapshot { end, heads: heads.clone(), save: save.clone() };
        let value = snapshot.to_value(&stage.genesis.id(), &sealing::author(1).stamp_key());
        let row = value.get(1 + size_of::<Stamp>()..)?.to_vec();
        Some(Honest { stage, heads: heads.into_iter().collect(), save, row })
    }

    /// Whether a document of the honest changes shows the honest picture, if it is said to have these heads.
    fn shows(&self, heads: &[ChangeId]) -> Result<bool, Divergence> {
        let broken = || Divergence::new("an honest picture is not loaded");
        let mut replica = Replica::new(&self.stage.genesis).map_err(|_| broken())?;
        replica.receive(&self.stage.honest)?;
        let opened = Opened::load(&self.save).ok_or_else(broken)?;
        Ok(replica.document.show_picture(heads, opened))
    }
}

/// Makes what inputs begin with.
pub fn prepare() {
    let _ = HONEST.is_some();
}

fn honest() -> Result<&'static [Honest], Divergence> {
    HONEST.as_deref().ok_or_else(|| Divergence::new("there is no honest history"))
}

/// Gives bytes as a picture's row.
///
/// # Errors
/// [`Divergence`] if what was read is written as something else, or shown by a document of other changes.
pub fn accepts(bytes: &[u8]) -> Outcome {
    match honest()?.first() {
        Some(honest) => accepts_of(bytes, honest),
        None => Ok(false),
    }
}

fn accepts_of(content: &[u8], honest: &Honest) -> Outcome {
    let (document, key) = (honest.stage.genesis.id(), sealing::author(1).stamp_key());
    let stamp = key.stamp(&[&[1], &[2], document.as_bytes(), content]);
    let value = [&[1], stamp.as_slice(), content].concat();
    let Some(snapshot) = Snapshot::from_value(&value, &document, &key) else {
        return Ok(false);
    };
    promise(snapshot.to_value(&document, &key) == value, "a picture's row is written as something else")?;
    // Automerge is given nothing that this node did not save.
    if snapshot.save == honest.save {
        let is_of = snapshot.heads.iter().copied().collect::<BTreeSet<_>>() == honest.heads;
        promise(honest.shows(&snapshot.heads)? == is_of, "a picture is shown by a document of other changes")?;
    }
    Ok(true)
}

/// Bytes for coverage-guided targets to begin with.
pub fn seeds() -> Vec<Vec<u8>> {
    honest().unwrap_or_default().iter().map(|honest| honest.row.clone()).collect()
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let all = honest()?;
    let (Some(honest), Some(other)) = (chance.pick(all), chance.pick(all)) else {
        return Ok(false);
    };
    let mut row = honest.row.clone();
    let save = row.split_off(row.len().saturating_sub(honest.save.len()));
    mutate_end(&mut row, &other.row, chance);
    accepts_of(&[row, save].concat(), honest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_rows_are_accepted_and_shown() {
        for honest in honest().unwrap() {
            assert_eq!(accepts_of(&honest.row, honest), Ok(true));
            let heads: Vec<ChangeId> = honest.heads.iter().copied().collect();
            assert_eq!(honest.shows(&heads), Ok(true));
            assert_eq!(honest.shows(&[]), Ok(false));
        }
    }

    #[test]
    fn a_mutated_row_gets_past_its_stamp() {
        let accepted = (0..500).filter(|number| run(&mut Chance::new(*number)).unwrap()).count();
        assert!(accepted > 20, "{accepted}");
    }
}
