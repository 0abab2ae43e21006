//! Reads operations from columns.

use super::budget::Budget;
use super::cursor::Cursor;
use super::elements::Elements;
use super::keys::Followers;
use super::layout::ColumnsReader;
use super::numbers::NumbersReader;
use super::stretch::element;
use super::tag::{What, Where, from_tag, from_value};
use super::value::Before;
use crate::change::{Action, Mark, Op, Place, Reference, Scalar};
use crate::codec::Malformed;
use crate::limits;

/// What a predecessor takes.
const PREDECESSOR_BYTES: usize = size_of::<Reference>();

/// What operations of all runs share.
#[derive(Default)]
pub(super) struct Operations<'a> {
    keys: Vec<&'a str>,
    followers: Followers,
    before: Before,
    elements: Elements,
}

impl<'a> Operations<'a> {
    pub(super) fn new(elements: Elements) -> Self {
        Operations { elements, ..Operations::default() }
    }

    /// Reads an operation of a run.
    pub(super) fn read(
        &mut self,
        run: u32,
        cursor: &mut Cursor,
        columns: &mut ColumnsReader<'a>,
        budget: &mut Budget,
    ) -> Result<Op, Malformed> {
        let (what, place) = from_tag(columns.tag.next()?)?;
        let object = read_object(cursor, columns)?;
        let place = match place {
            Where::Key => Place::Key(self.read_key(columns, budget)?),
            Where::After => {
                let element = self.read_element(true, run, cursor, columns)?;
                self.elements.note(run, cursor.own());
                Place::After(element)
            }
            Where::At => {
                let element = self.read_element(false, run, cursor, columns)?;
                Place::At(element.ok_or(Malformed::Tag)?)
            }
        };
        let action = self.read_action(what, columns, budget)?;
        let pred = read_pred(&place, cursor, columns, budget)?;
        let op = Op { object, place, action, pred };
        cursor.advance(&op);
        Ok(op)
    }

    fn read_element(
        &mut self,
        is_insert: bool,
        run: u32,
        cursor: &mut Cursor,
        columns: &mut ColumnsReader<'_>,
    ) -> Result<Option<Reference>, Malformed> {
        let [likely, other] = cursor.guesses(is_insert);
        let element = match columns.element.next()? {
            element::LIKELY => likely,
            element::OTHER => {
                cursor.turn(is_insert);
                other
            }
            code => {
                let code = usize::try_from(code - element::EXPLICIT).ok().filter(|code| *code <= CODE_MAX);
                let code = code.ok_or(Malformed::Limit)?;
                let mut last = reference(code, 0).map_or(0, |path| self.elements.last(run, path));
                read_reference(code, &mut last, &mut columns.element_number)?
            }
        };
        if let Some(element) = element {
            self.elements.note(run, element);
        }
        Ok(element)
    }

    fn read_key(&mut self, columns: &mut ColumnsReader<'a>, budget: &mut Budget) -> Result<String, Malformed> {
        let key = self.followers.chosen(columns.key.next()?).ok_or(Malformed::Tag)?;
        if key == self.keys.len() {
            let characters = columns.key_length.next_to(limits::KEY_BYTES_MAX)?;
            self.keys.push(columns.names.take(characters)?);
        }
        let key = *self.keys.get(key).ok_or(Malformed::Tag)?;
        if key.len() > limits::KEY_BYTES_MAX {
            return Err(Malformed::Limit);
        }
        budget.spend(key.len())?;
        Ok(key.to_owned())
    }

    fn read_action(
        &mut self,
        what: What,
        columns: &mut ColumnsReader<'a>,
        budget: &mut Budget,
    ) -> Result<Action, Malformed> {
        Ok(match what {
            What::Make(kind) => Action::Make(kind),
            What::Delete => Action::Delete,
            What::Increment => Action::Increment(columns.increment.next_signed()?),
            What::MarkBegin(expand) => {
                budget.spend(size_of::<Mark>())?;
                let name = self.read_key(columns, budget)?;
                let what = from_value(columns.tag.next()?)?;
                Action::MarkBegin(Box::new(Mark { name, value: self.read_value(what, columns, budget)?, expand }))
            }
            What::MarkEnd(expand) => Action::MarkEnd { expand },
            what => Action::Put(self.read_value(what, columns, budget)?),
        })
    }

    fn read_value(
        &mut self,
        what: What,
        columns: &mut ColumnsReader<'a>,
        budget: &mut Budget,
    ) -> Result<Scalar, Malformed> {
        Ok(match what {
            What::Make(_) | What::Delete | What::Increment | What::MarkBegin(_) | What::MarkEnd(_) => {
                return Err(Malformed::Tag);
            }
            What::Null => Scalar::Null,
            What::Bool(value) => Scalar::Bool(value),
            What::Int => Scalar::Int(self.before.int.at(columns.number.next_signed()?)),
            What::Uint => Scalar::Uint(self.before.uint.at(columns.number.next_signed()?).cast_unsigned()),
            What::Timestamp => Scalar::Timestamp(self.before.timestamp.at(columns.number.next_signed()?)),
            What::Counter => Scalar::Counter(self.before.counter.at(columns.number.next_signed()?)),
            What::Float => {
                let bits = columns.floats.take(8)?.try_into().map_err(|_| Malformed::Short)?;
                Scalar::Float(u64::from_le_bytes(bits))
            }
            What::Text => {
                let characters = usize::try_from(columns.text_length.next()? ^ 1).map_err(|_| Malformed::Limit)?;
                let text = columns.texts.take(characters)?;
                budget.spend(text.len())?;
                Scalar::Text(text.to_owned())
            }
            What::Bytes => {
                let length = columns.bytes_length.next_to(limits::CHANGE_BYTES_MAX)?;
                let bytes = columns.bytes.take(length)?;
                budget.spend(bytes.len())?;
                Scalar::Bytes(bytes.to_owned())
            }
        })
    }
}

fn read_object(cursor: &mut Cursor, columns: &mut ColumnsReader<'_>) -> Result<Option<Reference>, Malformed> {
    let choices = cursor.objects();
    let choice = columns.object.next_to(choices.len() + CODE_MAX)?;
    match choices.get(choice) {
        Some(object) => Ok(*object),
        None => read_reference(choice - choices.len(), &mut cursor.object_number, &mut columns.object_number),
    }
}

fn read_pred(
    place: &Place,
    cursor: &mut Cursor,
    columns: &mut ColumnsReader<'_>,
    budget: &mut Budget,
) -> Result<Vec<Reference>, Malformed> {
    let Some(count) = columns.pred.next_to(1 + limits::PREDECESSORS_MAX)?.checked_sub(1) else {
        return Ok(match place {
            Place::At(element) => {
                budget.spend(PREDECESSOR_BYTES)?;
                vec![*element]
            }
            Place::After(_) | Place::Key(_) => Vec::new(),
        });
    };
    budget.spend(count * PREDECESSOR_BYTES)?;
    let mut read = || {
        let code = 1 + columns.pred_code.next_to(CODE_MAX - 1)?;
        read_reference(code, &mut cursor.pred_number, &mut columns.pred_number)?.ok_or(Malformed::Tag)
    };
    // With exactly the room that was paid for: a vector that grows would take four times as much for one.
    let mut pred = Vec::with_capacity(count);
    for _ in 0..count {
        pred.push(read()?);
    }
    Ok(pred)
}

/// The code of the last entry that a table may have.
const CODE_MAX: usize = 2 + limits::REFERENCES_MAX;

fn read_reference(code: usize, base: &mut u32, column: &mut NumbersReader<'_>) -> Result<Option<Reference>, Malformed> {
    if code == 0 {
        return Ok(None);
    }
    let number = i64::from(*base).checked_add(column.next_signed()?).ok_or(Malformed::Number)?;
    let number = u32::try_from(number).map_err(|_| Malformed::Number)?;
    *base = number;
    Ok(reference(code, number))
}

/// The reference of a code, which is at most [`CODE_MAX`].
fn reference(code: usize, number: u32) -> Option<Reference> {
    match code {
        0 => None,
        1 => Some(Reference::Own(number)),
        2 => Some(Reference::Skeleton(number)),
        code => u32::try_from(code - 3).ok().map(|path| Reference::Entry(path, number)),
    }
}
