//! Whose a value is: the author of the change that wrote it. Nobody can say otherwise.

use automerge::Prop;

use super::content::{ListContent, MapContent, Place, TextContent};
use crate::key::AuthorId;

impl Place<'_> {
    fn author(&self, at: impl Into<Prop>) -> Option<AuthorId> {
        let spot = self.document.spot(&self.id_at(at)?)?;
        self.document.history.author_at(spot)
    }
}

impl MapContent<'_> {
    /// Who wrote the value at a key. What is in the document from its creation is its creator's.
    pub fn author(&self, key: &str) -> Option<AuthorId> {
        self.0.author(key)
    }
}

impl ListContent<'_> {
    /// Who wrote the element at a position.
    pub fn author(&self, at: usize) -> Option<AuthorId> {
        self.0.author(at)
    }
}

impl TextContent<'_> {
    /// Who wrote the character at a position.
    pub fn author(&self, at: usize) -> Option<AuthorId> {
        self.0.author(at)
    }
}
