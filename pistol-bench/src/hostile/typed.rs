//! An editing history typed by some authors in turn: the signed changes, and the document.

use pistol_core::chain::ChainId;
use pistol_core::document::{Document, EditAs, UNJUDGED};
use pistol_core::envelope::{Linked, Verified, VerifiedChange};
use pistol_core::genesis::Policy;
use pistol_core::id::Session;
use pistol_core::key::AuthorKey;

use crate::Outcome;
use crate::genesis::genesis;
use crate::text::BODY;
use crate::trace::Trace;

/// A typed history.
pub(crate) struct Typed {
    pub(crate) document: Document,
    pub(crate) keys: Vec<AuthorKey>,
    pub(crate) changes: Vec<Linked>,
}

impl Typed {
    /// Types a history, one change for each keystroke, the authors in turn.
    pub(crate) fn by(authors: u8, trace: &Trace) -> Outcome<Typed> {
        let keys: Vec<AuthorKey> = (1..=authors).map(|number| AuthorKey::from_seed(&[number; 32])).collect();
        let creator = keys.first().ok_or("nobody types")?;
        let mut document = Document::new(genesis(creator, Policy::WorldWritable, |doc| doc.text(BODY))?)?;
        let mut changes = Vec::with_capacity(trace.keystrokes.len());
        for (key, time_ms) in trace.keystrokes.iter().zip(1_700_000_000_000..) {
            let writer = keys.get(changes.len() % keys.len()).ok_or("nobody types")?;
            let chain = ChainId { author: writer.id(), session: Session(1) };
            let by = EditAs { chain, time_ms, message: None, authority: &[], judge: UNJUDGED };
            let made = document.edit(&by, |doc| doc.text(BODY).splice(key.at, key.deleted, &key.text))?;
            changes.extend(made.changes.into_iter().map(|accepted| accepted.change));
        }
        Ok(Typed { document, keys, changes })
    }

    /// The changes in stretches of a length, each author's signed once a stretch.
    pub(crate) fn signed(&self, length: usize) -> Outcome<Vec<Vec<VerifiedChange>>> {
        self.changes.chunks(length).map(|stretch| self.sign(stretch)).collect()
    }

    fn sign(&self, stretch: &[Linked]) -> Outcome<Vec<VerifiedChange>> {
        let document = self.document.history().genesis().id();
        let mut of_authors = Vec::new();
        for key in &self.keys {
            let own: Vec<Linked> = stretch.iter().filter(|change| change.chain().author == key.id()).cloned().collect();
            let signed = if own.is_empty() { Vec::new() } else { Verified::sign(key, document, &own)?.into_changes() };
            of_authors.push((key.id(), signed.into_iter()));
        }
        let next = |change: &Linked| {
            let author = of_authors.iter_mut().find(|(author, _)| *author == change.chain().author);
            author.and_then(|(_, signed)| signed.next())
        };
        Ok(stretch.iter().filter_map(next).collect())
    }
}
