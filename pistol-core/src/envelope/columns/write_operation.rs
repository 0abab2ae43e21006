//! Writes operations into columns.

use std::collections::BTreeMap;

use super::cursor::{Cursor, number};
use super::elements::Elements;
use super::keys::Followers;
use super::layout::Columns;
use super::numbers::Numbers;
use super::stretch::element;
use super::tag::{tag, value};
use super::value::Before;
use crate::change::{Action, Op, Place, Reference, Scalar};

/// What operations of all runs share.
#[derive(Default)]
pub(super) struct Operations {
    keys: BTreeMap<String, usize>,
    followers: Followers,
    before: Before,
    elements: Elements,
}

impl Operations {
    pub(super) fn new(elements: Elements) -> Self {
        Operations { elements, ..Operations::default() }
    }

    /// Writes an operation of a run.
    pub(super) fn write(&mut self, op: &Op, run: u32, cursor: &mut Cursor, columns: &mut Columns) {
        columns.tag.push(tag(op));
        write_object(op, cursor, columns);
        match &op.place {
            Place::Key(key) => self.write_key(key, columns),
            Place::After(element) => {
                self.write_element(*element, true, run, cursor, columns);
                self.elements.note(run, cursor.own());
            }
            Place::At(element) => self.write_element(Some(*element), false, run, cursor, columns),
        }
        self.write_action(&op.action, columns);
        write_pred(op, cursor, columns);
        cursor.advance(op);
    }

    fn write_element(
        &mut self,
        element: Option<Reference>,
        is_insert: bool,
        run: u32,
        cursor: &mut Cursor,
        columns: &mut Columns,
    ) {
        let [likely, other] = cursor.guesses(is_insert);
        if element == likely {
            columns.element.push(element::LIKELY);
        } else if element == other {
            cursor.turn(is_insert);
            columns.element.push(element::OTHER);
        } else {
            columns.element.push(element::EXPLICIT + code(element));
            let mut last = element.map_or(0, |element| self.elements.last(run, element));
            write_number(element, &mut last, &mut columns.element_number);
        }
        if let Some(element) = element {
            self.elements.note(run, element);
        }
    }

    fn write_key(&mut self, key: &str, columns: &mut Columns) {
        if let Some(key) = self.keys.get(key) {
            return columns.key.push(self.followers.choice(*key));
        }
        let new = self.keys.len();
        self.keys.insert(key.to_owned(), new);
        columns.key.push(self.followers.choice(new));
        columns.key_length.push(key.chars().count() as u64);
        columns.names.extend_from_slice(key.as_bytes());
    }

    fn write_action(&mut self, action: &Action, columns: &mut Columns) {
        match action {
            Action::Put(value) => self.write_value(value, columns),
            Action::Increment(by) => columns.increment.push_signed(*by),
            Action::MarkBegin(mark) => {
                self.write_key(&mark.name, columns);
                columns.tag.push(value(&mark.value));
                self.write_value(&mark.value, columns);
            }
            Action::Make(_) | Action::Delete | Action::MarkEnd { .. } => {}
        }
    }

    fn write_value(&mut self, value: &Scalar, columns: &mut Columns) {
        let before = &mut self.before;
        let delta = match value {
            Scalar::Int(number) => before.int.delta(*number),
            Scalar::Uint(number) => before.uint.delta(number.cast_signed()),
            Scalar::Timestamp(number) => before.timestamp.delta(*number),
            Scalar::Counter(number) => before.counter.delta(*number),
            Scalar::Float(bits) => return columns.floats.extend_from_slice(&bits.to_le_bytes()),
            Scalar::Text(text) => {
                columns.text_length.push(text.chars().count() as u64 ^ 1);
                return columns.texts.extend_from_slice(text.as_bytes());
            }
            Scalar::Bytes(bytes) => {
                columns.bytes_length.push(bytes.len() as u64);
                return columns.bytes.extend_from_slice(bytes);
            }
            Scalar::Null | Scalar::Bool(_) => return,
        };
        columns.number.push_signed(delta);
    }
}

fn write_object(op: &Op, cursor: &mut Cursor, columns: &mut Columns) {
    let choices = cursor.objects();
    if let Some(choice) = choices.iter().position(|choice| *choice == op.object) {
        return columns.object.push(choice as u64);
    }
    columns.object.push(choices.len() as u64 + code(op.object));
    write_number(op.object, &mut cursor.object_number, &mut columns.object_number);
}

fn write_pred(op: &Op, cursor: &mut Cursor, columns: &mut Columns) {
    let is_expected = match op.place {
        Place::At(element) => op.pred == [element],
        Place::After(_) | Place::Key(_) => op.pred.is_empty(),
    };
    if is_expected {
        return columns.pred.push(0);
    }
    columns.pred.push(1 + op.pred.len() as u64);
    for pred in &op.pred {
        columns.pred_code.push(code(Some(*pred)) - 1);
        write_number(Some(*pred), &mut cursor.pred_number, &mut columns.pred_number);
    }
}

fn write_number(reference: Option<Reference>, base: &mut u32, column: &mut Numbers) {
    if let Some(reference) = reference {
        let number = number(reference);
        column.push_signed(i64::from(number) - i64::from(*base));
        *base = number;
    }
}

fn code(reference: Option<Reference>) -> u64 {
    match reference {
        None => 0,
        Some(Reference::Own(_)) => 1,
        Some(Reference::Skeleton(_)) => 2,
        Some(Reference::Entry(entry, _)) => 3 + u64::from(entry),
    }
}
