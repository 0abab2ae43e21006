//! What a text must be, worked out without Pistol: strokes on a plain list of characters.

use super::trace::Stroke;

/// A text that was typed by strokes, and how many.
#[derive(Clone, Debug, Default)]
pub(super) struct Replay {
    characters: Vec<char>,
    strokes: usize,
    is_broken: bool,
}

impl Replay {
    /// The text after these strokes.
    pub(super) fn of(strokes: &[Stroke]) -> Self {
        let mut replay = Replay::default();
        replay.type_on(strokes);
        replay
    }

    /// Types the strokes from where it is up to a place.
    pub(super) fn go_on_to(&mut self, place: usize, strokes: &[Stroke]) {
        let (typed, place) = (self.strokes, place.min(strokes.len()));
        self.type_on(strokes.get(typed..place).unwrap_or_default());
    }

    fn type_on(&mut self, strokes: &[Stroke]) {
        for Stroke { at, removed, added } in strokes {
            match at.checked_add(*removed).filter(|end| *end <= self.characters.len()) {
                Some(end) => drop(self.characters.splice(*at..end, added.chars())),
                None => self.is_broken = true,
            }
            self.strokes += 1;
        }
    }

    /// Whether every stroke was inside the text.
    pub(super) fn is_sound(&self) -> bool {
        !self.is_broken
    }

    /// How many strokes were typed.
    pub(super) fn strokes(&self) -> usize {
        self.strokes
    }

    /// The text.
    pub(super) fn text(&self) -> String {
        self.characters.iter().collect()
    }
}
