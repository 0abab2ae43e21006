//! Cursors: places in a text that stay where they are while others edit.

use std::fmt;
use std::str::FromStr;

use automerge::{ObjId, ReadDoc};
use serde::{Deserialize, Serialize};

use super::content::TextContent;
use super::{Document, apply, convert};
use crate::change::Scalar;
use crate::id::ChangeId;
use crate::validate::{Ordinal, Spot};

/// A place in a text, beside a character. It means the same on every replica, and for ever: it names the character by
/// the change that wrote it. As text it is the change, the number of the operation there, and `<` or `>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Cursor {
    change: ChangeId,
    /// Number of the operation within the change.
    operation: u32,
    side: Side,
}

/// Which side of a character; at the beginning and the end of a text it is the text itself that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Side {
    Before,
    After,
}

impl TextContent<'_> {
    /// A cursor that stays right before the character at a position, or at the end if there is none. What is inserted
    /// there comes before the cursor. `None` if there is no text.
    pub fn cursor(&self, at: usize) -> Option<Cursor> {
        let character = self.0.id_at(at);
        let side = if character.is_some() { Side::Before } else { Side::After };
        self.0.document.cursor(&character.or(self.object_id())?, side)
    }

    /// A cursor that stays right after the character before a position, or at the beginning. What is inserted there
    /// comes after the cursor. `None` if there is no text.
    pub fn cursor_after(&self, at: usize) -> Option<Cursor> {
        let character = at.min(self.len()).checked_sub(1).and_then(|before| self.0.id_at(before));
        let side = if character.is_some() { Side::After } else { Side::Before };
        self.0.document.cursor(&character.or(self.object_id())?, side)
    }

    /// Where a cursor is now. If its character is gone, the place where that was. `None` if the cursor is of another
    /// text, or of a change that did not come here yet.
    pub fn position(&self, cursor: &Cursor) -> Option<usize> {
        let (document, text) = (self.0.document, self.object_id()?);
        let (spot, text_spot) = (document.spot_of(cursor)?, document.spot(&text)?);
        if spot == text_spot {
            return Some(if cursor.side == Side::Before { 0 } else { self.len() });
        }
        let element = document.history.element(document.history.row_at(spot)?)?;
        if element.is_mark || Some(element.object) != document.history.row_at(text_spot) {
            return None;
        }
        let at = document.position(&text, spot)?;
        let is_there = self.0.id_at(at).and_then(|found| document.spot(&found)) == Some(spot);
        Some(if is_there && cursor.side == Side::After { at + self.width(at) } else { at })
    }

    /// How many code points the character at a position has: it may have been inserted as several.
    fn width(&self, at: usize) -> usize {
        let found = self.object_id().and_then(|text| self.0.automerge().get(text, at).ok().flatten());
        match found.map(|(value, _)| value) {
            Some(automerge::Value::Scalar(value)) => match convert::scalar_from_automerge(&value) {
                Some(Scalar::Text(text)) => text.chars().count(),
                _ => 1,
            },
            _ => 1,
        }
    }
}

impl Document {
    fn cursor(&self, id: &ObjId, side: Side) -> Option<Cursor> {
        let spot = self.spot(id)?;
        let ordinal = self.history.change_at(spot)?;
        let operation = spot.number.checked_sub(self.history.numbers(ordinal)?.0)?;
        Some(Cursor { change: self.history.id(ordinal)?, operation, side })
    }

    fn spot_of(&self, cursor: &Cursor) -> Option<Spot> {
        let skeleton = || (self.history.id(0) == Some(cursor.change)).then_some(0);
        let ordinal: Ordinal = self.history.ordinal(&cursor.change).or_else(skeleton)?;
        let (first, ops) = self.history.numbers(ordinal)?;
        let is_shown = usize::try_from(ordinal).is_ok_and(|ordinal| ordinal < self.hashes.len());
        let number = first.checked_add(cursor.operation).filter(|_| cursor.operation < ops && is_shown)?;
        Some(Spot { branch: self.history.branch_index(ordinal)?, number })
    }

    pub(super) fn spot(&self, id: &ObjId) -> Option<Spot> {
        let ObjId::Id(counter, actor, _) = id else { return None };
        self.names.spot(&self.history, *counter, actor)
    }

    /// Where an element is, or would be.
    fn position(&self, text: &ObjId, spot: Spot) -> Option<usize> {
        let counter = self.history.branch(spot.branch)?.counter(spot.number)?;
        let named = format!("{counter}@{}", self.names.actor(spot)?);
        let named = automerge::Cursor::try_from(named.as_str()).ok()?;
        // With assertions Automerge compares its fast search to a slow one, which does not find what was deleted at the
        // end, and panics: then only the slow one is asked.
        let heads = cfg!(debug_assertions).then(|| self.automerge.get_heads());
        let found = apply::contained(|| self.automerge.get_cursor_position(text, &named, heads.as_deref()));
        Some(found.unwrap_or_else(|_| self.automerge.length(text)))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.side == Side::Before { '<' } else { '>' };
        write!(f, "{}:{}{side}", self.change, self.operation)
    }
}

/// A text is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a cursor: take the text that a cursor was written as, whole")]
pub struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let (change, place) = text.split_once(':').ok_or(NotACursor)?;
        let (number, side) = match (place.strip_suffix('<'), place.strip_suffix('>')) {
            (Some(number), _) => (number, Side::Before),
            (_, Some(number)) => (number, Side::After),
            (None, None) => return Err(NotACursor),
        };
        let change = change.parse().map_err(|_| NotACursor)?;
        let cursor = Cursor { change, operation: number.parse().map_err(|_| NotACursor)?, side };
        // One cursor has one form.
        if cursor.to_string() == text { Ok(cursor) } else { Err(NotACursor) }
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> String {
        cursor.to_string()
    }
}

impl TryFrom<String> for Cursor {
    type Error = NotACursor;

    fn try_from(text: String) -> Result<Self, NotACursor> {
        text.parse()
    }
}
