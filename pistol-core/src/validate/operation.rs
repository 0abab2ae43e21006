//! V4 and V6: every operation fits what it refers to, and its values are within bounds.

use super::index::{Addition, Form, Index, NONE, Row};
use super::reference::Table;
use super::{History, Ordinal, Rule, is_strictly_sorted};
use crate::change::{Action, Change, Kind, Mark, Op, Place, Reference, Scalar};
use crate::limits;

impl History {
    pub(super) fn check_operations(
        &self,
        change: &Change,
        previous: Option<Ordinal>,
        table: &Table,
        first: u32,
    ) -> Result<Addition, Rule> {
        check_marks(&change.ops)?;
        let mut addition = self.index.begin()?;
        let mut is_named: Vec<bool> = table.tips.iter().map(|_| false).collect();
        for op in &change.ops {
            let mut find = |addition: &Addition, reference: Reference| -> Result<u32, Rule> {
                match self.resolve(reference, previous, table, first)? {
                    Some(spot) => {
                        note_entry(reference, &mut is_named);
                        self.row_at(spot).ok_or(Rule::Reference)
                    }
                    None => own_row(addition, reference, first),
                }
            };
            self.index.check(&mut addition, op, &mut find)?;
        }
        check_is_ended(&addition)?;
        // An entry that nothing needs would be another form of the same change.
        if is_named.iter().all(|is_named| *is_named) { Ok(addition) } else { Err(Rule::Reference) }
    }
}

fn note_entry(reference: Reference, is_named: &mut [bool]) {
    if let Reference::Entry(entry, _) = reference
        && let Some(is_named) = usize::try_from(entry).ok().and_then(|entry| is_named.get_mut(entry))
    {
        *is_named = true;
    }
}

fn own_row(addition: &Addition, reference: Reference, first: u32) -> Result<u32, Rule> {
    let Reference::Own(number) = reference else {
        return Err(Rule::Reference);
    };
    number.checked_sub(first).and_then(|number| Index::own_row(addition, number)).ok_or(Rule::Reference)
}

type Find<'a> = dyn FnMut(&Addition, Reference) -> Result<u32, Rule> + 'a;

impl Index {
    /// Checks the operations of a skeleton, which may refer to each other only.
    pub(super) fn check_skeleton(&self, skeleton: &[Op]) -> Result<Addition, Rule> {
        let mut addition = self.begin()?;
        let mut find = |addition: &Addition, reference: Reference| match reference {
            Reference::Skeleton(number) => Index::own_row(addition, number).ok_or(Rule::Reference),
            Reference::Own(_) | Reference::Entry(..) => Err(Rule::Reference),
        };
        for op in skeleton {
            self.check(&mut addition, op, &mut find)?;
        }
        check_is_ended(&addition)?;
        Ok(addition)
    }

    /// Checks one operation and notes what later ones need to know of it.
    fn check(&self, addition: &mut Addition, op: &Op, find: &mut Find<'_>) -> Result<(), Rule> {
        let (object, inside, depth) = self.object(addition, op, find)?;
        let (place, is_insert) = self.place(addition, op, object, inside, find)?;
        let form = form(&op.action, depth)?;
        check_fits(op, inside, form)?;
        self.check_pred(addition, op, (object, place), find)?;
        let row = Row { object, place, form, is_insert, depth: depth + 1 };
        check_is_paired(addition.rows.last(), &row)?;
        addition.rows.push(row);
        Ok(())
    }

    /// The object's row, what it is, and how deep.
    fn object(&self, addition: &Addition, op: &Op, find: &mut Find<'_>) -> Result<(u32, Kind, u8), Rule> {
        let Some(reference) = op.object else {
            return Ok((NONE, Kind::Map, 0));
        };
        let number = find(addition, reference)?;
        let row = self.row(addition, number).ok_or(Rule::Reference)?;
        let kind = match row.form {
            Form::Map => Kind::Map,
            Form::List => Kind::List,
            Form::Text => Kind::Text,
            Form::Value | Form::Counter | Form::Delete | Form::Increment | Form::MarkBegin | Form::MarkEnd => {
                return Err(Rule::Operation);
            }
        };
        Ok((number, kind, row.depth))
    }

    fn place(
        &self,
        addition: &mut Addition,
        op: &Op,
        object: u32,
        inside: Kind,
        find: &mut Find<'_>,
    ) -> Result<(u32, bool), Rule> {
        let is_map = inside == Kind::Map;
        match &op.place {
            Place::Key(key) if is_map => {
                if key.len() > limits::KEY_BYTES_MAX {
                    return Err(Rule::Value);
                }
                Ok((self.key(addition, key), false))
            }
            Place::After(None) if !is_map => Ok((NONE, true)),
            Place::After(Some(element)) if !is_map => Ok((self.element(addition, *element, object, find)?, true)),
            Place::At(element) if !is_map => Ok((self.element(addition, *element, object, find)?, false)),
            Place::Key(_) | Place::After(_) | Place::At(_) => Err(Rule::Operation),
        }
    }

    /// An element: an insert into the same sequence.
    fn element(&self, addition: &Addition, element: Reference, object: u32, find: &mut Find<'_>) -> Result<u32, Rule> {
        let number = find(addition, element)?;
        let row = self.row(addition, number).ok_or(Rule::Reference)?;
        if row.is_insert && row.object == object { Ok(number) } else { Err(Rule::Operation) }
    }

    /// What is replaced: values at the same place of the same object.
    fn check_pred(
        &self,
        addition: &Addition,
        op: &Op,
        (object, place): (u32, u32),
        find: &mut Find<'_>,
    ) -> Result<(), Rule> {
        let needs_pred = matches!(op.action, Action::Delete | Action::Increment(_));
        let is_count_right = if op.is_insert() { op.pred.is_empty() } else { !needs_pred || !op.pred.is_empty() };
        if !is_count_right || op.pred.len() > limits::PREDECESSORS_MAX || !is_strictly_sorted(&op.pred) {
            return Err(Rule::Operation);
        }
        for pred in &op.pred {
            let number = find(addition, *pred)?;
            let row = self.row(addition, number).ok_or(Rule::Reference)?;
            let is_here = row.object == object && if row.is_insert { number == place } else { row.place == place };
            let is_value = !matches!(row.form, Form::Delete | Form::Increment | Form::MarkBegin | Form::MarkEnd);
            let is_counted = !matches!(op.action, Action::Increment(_)) || row.form == Form::Counter;
            if !(is_here && is_value && is_counted) {
                return Err(Rule::Operation);
            }
        }
        Ok(())
    }
}

fn form(action: &Action, depth: u8) -> Result<Form, Rule> {
    Ok(match action {
        Action::Make(_) if depth >= limits::OBJECT_DEPTH_MAX => return Err(Rule::Depth),
        Action::Make(Kind::Map) => Form::Map,
        Action::Make(Kind::List) => Form::List,
        Action::Make(Kind::Text) => Form::Text,
        Action::Put(Scalar::Counter(start)) if start.unsigned_abs() > limits::EXACT_MAX => return Err(Rule::Value),
        Action::Put(Scalar::Counter(_)) => Form::Counter,
        Action::Put(_) => Form::Value,
        Action::Delete => Form::Delete,
        Action::Increment(by) if by.unsigned_abs() > limits::INCREMENT_MAX.unsigned_abs() => return Err(Rule::Value),
        Action::Increment(_) => Form::Increment,
        Action::MarkBegin(mark) if !is_within_bounds(mark) => return Err(Rule::Value),
        Action::MarkBegin(_) => Form::MarkBegin,
        Action::MarkEnd { .. } => Form::MarkEnd,
    })
}

/// Nobody could increment a counter of a mark, and Automerge compares the values of marks, which NaN does not bear.
pub(crate) fn is_within_bounds(mark: &Mark) -> bool {
    let is_value = match mark.value {
        Scalar::Float(bits) => !f64::from_bits(bits).is_nan(),
        Scalar::Counter(_) => false,
        _ => true,
    };
    is_value && mark.name.len() <= limits::KEY_BYTES_MAX
}

fn check_marks(ops: &[Op]) -> Result<(), Rule> {
    let marks = ops.iter().filter(|op| matches!(op.action, Action::MarkBegin(_))).count();
    if marks > limits::MARKS_PER_CHANGE_MAX { Err(Rule::ChangeTooLarge) } else { Ok(()) }
}

/// A mark's end comes right after its begin, in the same text, and nowhere else.
fn check_is_paired(before: Option<&Row>, row: &Row) -> Result<(), Rule> {
    let begun = before.filter(|before| before.form == Form::MarkBegin).map(|before| before.object);
    let ended = (row.form == Form::MarkEnd).then_some(row.object);
    if begun == ended { Ok(()) } else { Err(Rule::Operation) }
}

fn check_is_ended(addition: &Addition) -> Result<(), Rule> {
    let is_open = addition.rows.last().is_some_and(|row| row.form == Form::MarkBegin);
    if is_open { Err(Rule::Operation) } else { Ok(()) }
}

/// In a text nothing but new strings, blocks and marks, and deletions: a put on an element of a text makes Automerge panic.
fn check_fits(op: &Op, inside: Kind, form: Form) -> Result<(), Rule> {
    let is_text = matches!(op.action, Action::Put(Scalar::Text(_))) || form == Form::Map;
    let is_mark = matches!(form, Form::MarkBegin | Form::MarkEnd);
    let fits = match (&op.place, inside) {
        (Place::After(_), Kind::Text) => is_text || is_mark,
        (Place::At(_), Kind::Text) => form == Form::Delete,
        (Place::After(_), _) => !matches!(form, Form::Delete | Form::Increment) && !is_mark,
        (Place::Key(_) | Place::At(_), _) => !is_mark,
    };
    if fits { Ok(()) } else { Err(Rule::Operation) }
}
