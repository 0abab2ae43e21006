//! What editors count in.

use std::iter::once;
use std::str::Chars;

use super::span::Insertion;

/// What positions and lengths count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Units {
    /// Unicode code points, as everywhere in Pistol.
    #[default]
    CodePoints,
    /// UTF-16 units, as in browsers and in the language server protocol: two for a code point above U+FFFF.
    Utf16,
}

/// The position in code points of a position in UTF-16 units.
///
/// None if the position is past the end of the text or inside a surrogate pair.
///
/// ```
/// use pistol_core::delta::code_points;
///
/// assert_eq!(code_points("🎉!", 2), Some(1));
/// assert_eq!(code_points("🎉!", 1), None);
/// ```
pub fn code_points(text: &str, utf16: usize) -> Option<usize> {
    let mut left = utf16;
    let mut passed = 0;
    let mut chars = text.chars();
    while left > 0 {
        left = left.checked_sub(chars.next()?.len_utf16())?;
        passed += 1;
    }
    Some(passed)
}

/// The position in UTF-16 units of a position in code points, or none if it is past the end of the text.
///
/// ```
/// use pistol_core::delta::utf16;
///
/// assert_eq!(utf16("🎉!", 1), Some(2));
/// assert_eq!(utf16("🎉!", 3), None);
/// ```
pub fn utf16(text: &str, code_points: usize) -> Option<usize> {
    let ends = text.chars().scan(0, |end, char| {
        *end += char.len_utf16();
        Some(*end)
    });
    once(0).chain(ends).nth(code_points)
}

/// Measures stretches of a text, from its start to its end.
#[derive(Clone, Debug)]
pub(super) enum Ruler<'a> {
    CodePoints,
    Utf16(Chars<'a>),
}

impl<'a> Ruler<'a> {
    pub(super) fn new(units: Units, text: &'a str) -> Self {
        match units {
            Units::CodePoints => Ruler::CodePoints,
            Units::Utf16 => Ruler::Utf16(text.chars()),
        }
    }

    /// Goes on by `length` code points and says how many units they have. One each past the end of the text.
    pub(super) fn pass(&mut self, length: usize) -> usize {
        let Ruler::Utf16(chars) = self else { return length };
        let surrogate_pairs = chars.by_ref().take(length).filter(|char| char.len_utf16() == 2);
        length.saturating_add(surrogate_pairs.count())
    }

    /// How many units a text has that is not in the measured one.
    pub(super) fn length(&self, insertion: &Insertion) -> usize {
        match self {
            Ruler::CodePoints => insertion.length(),
            Ruler::Utf16(_) => insertion.text().encode_utf16().count(),
        }
    }
}
