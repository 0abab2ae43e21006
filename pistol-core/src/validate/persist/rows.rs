//! Rows of the operation index: in a typed text each one follows from the one before.

use super::columns::Columns;
use crate::codec::{Malformed, Reader, Writer};
use crate::limits;
use crate::validate::index::{Form, Index, NONE, Row};

const INSERT: u8 = 0x40;
const AT_HEAD: u8 = 0x80;

/// The row before the one that is written or read, by which it is predicted.
#[derive(Default)]
pub(super) struct Before {
    object: Option<u32>,
    /// A new element follows the last one; what is no insert, such as a deletion, is where the last was.
    place: u32,
}

impl Before {
    fn next(number: u32, row: &Row) -> Before {
        let place = if row.is_insert { number } else { row.place };
        Before { object: Some(row.object), place: if place == NONE { number } else { place } }
    }

    pub(super) fn write(&mut self, columns: &mut Columns<Writer>, number: u32, row: &Row) {
        let is_head = row.place == NONE;
        let flags = if row.is_insert { INSERT } else { 0 } | if is_head { AT_HEAD } else { 0 };
        columns.forms.byte(code(row.form) | flags);
        columns.objects.number(match row.object {
            object if Some(object) == self.object => 0,
            NONE => 1,
            object => u64::from(number.saturating_sub(object)) + 1,
        });
        if !is_head {
            columns.places.signed(i64::from(row.place) - i64::from(self.place));
        }
        *self = Before::next(number, row);
    }

    /// Reads a row and checks that it fits those before.
    pub(super) fn read(
        &mut self,
        columns: &mut Columns<Reader<'_>>,
        (index, number): (&Index, u32),
    ) -> Result<Row, Malformed> {
        let byte = columns.forms.byte()?;
        let form = form(byte & !(INSERT | AT_HEAD)).ok_or(Malformed::Tag)?;
        let (is_insert, is_head) = (byte & INSERT != 0, byte & AT_HEAD != 0);
        let object = match columns.objects.number()? {
            0 => self.object.ok_or(Malformed::Tag)?,
            1 => NONE,
            back => {
                let back = u32::try_from(back - 1).map_err(|_| Malformed::Number)?;
                number.checked_sub(back).ok_or(Malformed::Number)?
            }
        };
        let place = if is_head { None } else { Some(self.place(columns)?) };
        let (is_map, depth) = match index.at(object) {
            None if object == NONE => (true, 0),
            Some(made) => (is_map(made.form).ok_or(Malformed::Tag)?, made.depth),
            None => return Err(Malformed::Number),
        };
        let end = if is_map { index.keys_end() } else { number };
        let is_in_bounds = place.map_or(!is_map, |place| place < end);
        if !is_in_bounds || depth > limits::OBJECT_DEPTH_MAX {
            return Err(Malformed::Limit);
        }
        let row = Row { object, place: place.unwrap_or(NONE), form, is_insert, depth: depth + 1 };
        *self = Before::next(number, &row);
        Ok(row)
    }

    fn place(&self, columns: &mut Columns<Reader<'_>>) -> Result<u32, Malformed> {
        let place = i64::from(self.place).checked_add(columns.places.signed()?);
        place.and_then(|place| u32::try_from(place).ok()).ok_or(Malformed::Number)
    }
}

const FORMS: [Form; 9] = [
    Form::Map,
    Form::List,
    Form::Text,
    Form::Value,
    Form::Counter,
    Form::Delete,
    Form::Increment,
    Form::MarkBegin,
    Form::MarkEnd,
];

fn code(form: Form) -> u8 {
    match form {
        Form::Map => 0,
        Form::List => 1,
        Form::Text => 2,
        Form::Value => 3,
        Form::Counter => 4,
        Form::Delete => 5,
        Form::Increment => 6,
        Form::MarkBegin => 7,
        Form::MarkEnd => 8,
    }
}

fn form(code: u8) -> Option<Form> {
    FORMS.get(usize::from(code)).copied()
}

/// Whether an object is a map; `None` if it is no object.
fn is_map(form: Form) -> Option<bool> {
    match form {
        Form::Map => Some(true),
        Form::List | Form::Text => Some(false),
        Form::Value | Form::Counter | Form::Delete | Form::Increment | Form::MarkBegin | Form::MarkEnd => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read_as_it_was_written() {
        for known in FORMS {
            assert_eq!(form(code(known)), Some(known));
        }
    }
}
