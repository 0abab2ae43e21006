//! Editors' pictures of texts: each holds what its editor has not been told yet, composed into one delta.

use std::collections::BTreeMap;

use pistol_core::delta::{Delta, Side, Span};
use pistol_core::document::{Content, EditError, Patch, TextContent};

use super::Replica;
use crate::documents::Screen;
use crate::input::Now;

#[derive(Debug, Default)]
pub(super) struct Screens {
    open: BTreeMap<Screen, Picture>,
    opened: u64,
}

#[derive(Debug)]
struct Picture {
    object: String,
    unseen: Delta,
}

impl Screens {
    /// Adds what readers see now to every picture of the texts concerned.
    pub(super) fn apply(&mut self, patches: &[Patch]) {
        for patch in patches {
            let (object, delta) = match patch {
                Patch::Insert { object, at, text } => (object, Delta::insert(*at, text)),
                Patch::Delete { object, at, length } => (object, Delta::delete(*at, *length)),
                Patch::Rename { object, new } => {
                    self.of(object).for_each(|picture| picture.object.clone_from(new));
                    continue;
                }
                _ => continue,
            };
            self.of(object).for_each(|picture| picture.unseen = picture.unseen.compose(&delta));
        }
    }

    fn of<'a>(&'a mut self, object: &'a str) -> impl Iterator<Item = &'a mut Picture> {
        self.open.values_mut().filter(move |picture| picture.object == object)
    }
}

impl Replica {
    pub(crate) fn open_screen(
        &mut self,
        text: impl for<'a> FnOnce(&'a Content<'a>) -> TextContent<'a>,
    ) -> Option<(Screen, String)> {
        let object = self.document.follow(text)?;
        let shown = self.document.followed_text(&object)?;
        let screen = Screen(self.screens.opened);
        self.screens.opened += 1;
        self.screens.open.insert(screen, Picture { object, unseen: Delta::default() });
        Some((screen, shown))
    }

    pub(crate) fn take_screen(&mut self, screen: Screen) -> Delta {
        self.screens.open.get_mut(&screen).map(|picture| std::mem::take(&mut picture.unseen)).unwrap_or_default()
    }

    /// What was typed on the picture is carried past what the picture does not show yet; what it does not show yet is
    /// carried past what was typed, and returned.
    pub(crate) fn edit_screen(&mut self, now: Now, screen: Screen, typed: &Delta) -> Result<Delta, EditError> {
        let picture = self.screens.open.get_mut(&screen).ok_or(EditError::Closed)?;
        let (object, unseen) = (picture.object.clone(), picture.unseen.clone());
        let there = self.document.followed_length(&object).unwrap_or(0);
        let shown = unseen.spans().iter().fold(there, |length, span| match span {
            Span::Keep(_) => length,
            Span::Insert(added) => length.saturating_sub(added.length()),
            Span::Delete(removed) => length + removed,
        });
        if typed.length_before() > shown {
            return Err(EditError::OutOfBounds { at: typed.length_before(), length: shown });
        }
        let carried = typed.transform(&unseen, Side::Own);
        self.edit_text(now, &object, &carried)?;
        if let Some(picture) = self.screens.open.get_mut(&screen) {
            picture.unseen = Delta::default();
        }
        Ok(unseen.transform(typed, Side::Others))
    }

    pub(crate) fn close_screen(&mut self, screen: Screen) {
        let Some(closed) = self.screens.open.remove(&screen) else { return };
        if !self.screens.open.values().any(|picture| picture.object == closed.object) {
            self.document.unfollow(&closed.object);
        }
    }
}
