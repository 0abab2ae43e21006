//! Rich text, as it is read: marks, blocks, and the runs between them.

use std::collections::BTreeMap;
use std::ops::Range;

use automerge::{ObjType, ReadDoc, ScalarValue, iter};

use super::content::{self, MapContent, TextContent, Value};

/// Which text that is inserted right at the edges of a mark later on belongs to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expand {
    /// None, as with a link.
    None,
    /// What is inserted right before it.
    Before,
    /// What is inserted right after it, as with bold letters.
    #[default]
    After,
    /// Both.
    Both,
}

/// A stretch of a text that is marked.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Mark {
    /// Where, in code points.
    pub range: Range<usize>,
    /// What is marked.
    pub name: String,
    /// How.
    pub value: Value,
}

/// A part of a rich text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TextSpan<'a> {
    /// Characters with the same marks.
    Text {
        /// The characters.
        text: String,
        /// The values of their marks, by name.
        marks: BTreeMap<String, Value>,
    },
    /// A block: what begins here is, say, a heading. In the plain text it is the character U+FFFC.
    Block(MapContent<'a>),
}

impl<'a> TextContent<'a> {
    /// The marks, by name and place. Of marks of one name each character has one at most.
    pub fn marks(&self) -> Vec<Mark> {
        let marks = self.0.object.as_ref().and_then(|object| self.0.automerge().marks(object).ok());
        let marks = marks.into_iter().flatten().filter(|mark| mark.start < mark.end);
        let read = |mark: automerge::marks::Mark| {
            let value = marked(&mark.value)?;
            Some(Mark { range: mark.start..mark.end, name: mark.name.to_string(), value })
        };
        marks.filter_map(read).collect()
    }

    /// The values of the marks of the character at a position, by name.
    pub fn marks_at(&self, at: usize) -> BTreeMap<String, Value> {
        let here = self.marks().into_iter().filter(|mark| mark.range.contains(&at));
        here.map(|mark| (mark.name, mark.value)).collect()
    }

    /// The block at a position; an empty one if there is none.
    pub fn block(&self, at: usize) -> MapContent<'a> {
        MapContent(self.0.child(at, ObjType::Map))
    }

    /// The text in parts: stretches that are marked alike, and blocks.
    pub fn spans(&self) -> Vec<TextSpan<'a>> {
        let spans = self.0.object.as_ref().and_then(|object| self.0.automerge().spans(object).ok());
        let mut at = 0;
        let mut parts = Vec::new();
        for span in spans.into_iter().flatten() {
            let length = span.as_str().chars().count();
            parts.push(match span {
                iter::Span::Block(_) => TextSpan::Block(self.block(at)),
                iter::Span::Text { text, marks } => {
                    let marks = marks.iter().flat_map(|marks| marks.iter());
                    let marks = marks.filter_map(|(name, value)| Some((name.to_owned(), marked(value)?)));
                    TextSpan::Text { text, marks: marks.collect() }
                }
            });
            at += length;
        }
        parts
    }
}

/// The value of a mark; `None` if it takes marks away.
fn marked(value: &ScalarValue) -> Option<Value> {
    content::scalar_value(value).filter(|value| *value != Value::Null)
}
