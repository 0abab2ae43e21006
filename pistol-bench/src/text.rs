//! The text that is edited: filling it, reading it, and where the next keystroke goes.

use pistol::{Doc, EditError};

/// The text's key in its document.
pub(crate) const BODY: &str = "body";
/// Characters written in one change.
const CHUNK: usize = 10_000;
/// Keystrokes at one place before the cursor goes elsewhere.
const KEYSTROKES_A_PLACE: usize = 40;

/// Makes the text this long.
pub(crate) fn fill(doc: &Doc, characters: usize) -> Result<(), EditError> {
    let mut rest = characters;
    while rest > 0 {
        let chunk = rest.min(CHUNK);
        let text: String = "abcdefgh. ".chars().cycle().take(chunk).collect();
        doc.edit(|doc| doc.text(BODY).push(&text))?;
        rest -= chunk;
    }
    Ok(())
}

/// What the text says.
pub(crate) fn of(doc: &Doc) -> String {
    doc.read(|doc| doc.text(BODY).to_string())
}

/// Where somebody types: some characters in a row, then elsewhere.
#[derive(Debug)]
pub(crate) struct Cursor {
    length: usize,
    at: usize,
    typed: usize,
}

impl Cursor {
    pub(crate) fn in_text_of(characters: usize) -> Cursor {
        Cursor { length: characters, at: 0, typed: 0 }
    }

    /// Where the next character is to be inserted.
    pub(crate) fn advance(&mut self) -> usize {
        if self.typed.is_multiple_of(KEYSTROKES_A_PLACE) {
            self.at = (self.typed + 1) * 7919 % (self.length + 1);
        }
        let at = self.at;
        (self.at, self.length, self.typed) = (at + 1, self.length + 1, self.typed + 1);
        at
    }
}
