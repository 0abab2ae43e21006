//! One editor's picture of a text.

use std::sync::Mutex;

use pistol_core::delta::{self, Delta, Splice, Units};
use pistol_core::document::EditError;
use pistol_engine::Screen;

use crate::doc::Doc;
use crate::runtime::lock;

/// An editor's picture of one text: what the editor shows, and what it has not been told yet.
///
/// Law: what was on the screen, then the own edit, then the splices that [`View::edit`] returns, is the document. An
/// insert stays behind its left neighbour; a deletion removes only what was on the screen.
///
/// ```no_run
/// # async fn example(doc: pistol::Doc) -> pistol::Result<()> {
/// let view = doc.view(|doc| doc.text("body"))?;
/// let mut screen = view.text();
/// for splice in view.edit(0, 0, "Dear all, ")? { /* apply to the screen, after the own edit */ }
/// for splice in view.take() { /* apply to the screen */ }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct View {
    doc: Doc,
    screen: Screen,
    units: Units,
    /// What the editor shows.
    shown: Mutex<String>,
}

impl View {
    pub(crate) fn new(doc: Doc, screen: Screen, text: String) -> Self {
        View { doc, screen, units: Units::CodePoints, shown: Mutex::new(text) }
    }

    /// Counts positions and lengths in other units, for editors that do.
    #[must_use]
    pub fn with_units(mut self, units: Units) -> Self {
        self.units = units;
        self
    }

    /// What the editor shows, if it applied every splice it was given.
    pub fn text(&self) -> String {
        lock(&self.shown).clone()
    }

    /// What happened since the last time, to be applied to the screen one after the other.
    pub fn take(&self) -> Vec<Splice> {
        let mut shown = lock(&self.shown);
        let unseen = self.doc.runtime().documents.take_screen(&self.doc.id(), self.screen).unwrap_or_default();
        self.show(&mut shown, &unseen)
    }

    /// Makes an edit that the user typed on this screen: `length` units from `at` on become `text`. Returns what is to
    /// be applied to the screen after it.
    ///
    /// # Errors
    /// [`EditError`]; the document is then as before, and the screen should take the edit back.
    pub fn edit(&self, at: usize, length: usize, text: &str) -> Result<Vec<Splice>, EditError> {
        let mut shown = lock(&self.shown);
        let typed = self.typed(&shown, at, length, text)?;
        let runtime = self.doc.runtime();
        let rest = runtime.documents.edit_screen(&self.doc.id(), runtime.now(), self.screen, &typed)?;
        self.doc.edited();
        if let Some(after) = typed.apply(&shown) {
            *shown = after;
        }
        Ok(self.show(&mut shown, &rest))
    }

    fn typed(&self, shown: &str, at: usize, length: usize, text: &str) -> Result<Delta, EditError> {
        let end = at.saturating_add(length);
        let outside = || EditError::OutOfBounds { at: end, length: shown.chars().count() };
        let (from, to) = match self.units {
            Units::Utf16 => (
                delta::code_points(shown, at).ok_or_else(outside)?,
                delta::code_points(shown, end).ok_or_else(outside)?,
            ),
            Units::CodePoints => (at, end),
        };
        Ok(Delta::splice(from, to - from, text))
    }

    fn show(&self, shown: &mut String, delta: &Delta) -> Vec<Splice> {
        let splices = delta.splices_in(self.units, shown);
        if let Some(after) = delta.apply(shown) {
            *shown = after;
        }
        splices
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.doc.runtime().documents.close_screen(&self.doc.id(), self.screen);
    }
}
