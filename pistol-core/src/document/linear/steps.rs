//! The operations of a change, done one after the other as a user's edit would do them.

use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType};
use automerge::transaction::{Transactable, Transaction};
use automerge::{Cursor, ExpandedChange, ObjId, ObjType, Prop, ROOT, ReadDoc, ScalarValue};

pub(super) struct Steps<'a, 'b> {
    transaction: &'a mut Transaction<'b>,
    change: &'a ExpandedChange,
    /// The object and position of the element inserted last, if the operation before inserted one.
    last: Option<(&'a ObjectId, usize)>,
}

impl<'a, 'b> Steps<'a, 'b> {
    pub(super) fn new(transaction: &'a mut Transaction<'b>, change: &'a ExpandedChange) -> Self {
        Steps { transaction, change, last: None }
    }

    /// Does all. `None` if that makes other operations; what was done must be taken back then.
    pub(super) fn all(&mut self) -> Option<()> {
        let mut done = 0;
        while let Some(op) = self.change.operations.get(done) {
            let count = match (&op.key, op.insert) {
                (Key::Seq(after), true) => self.insert(op, after, done)?,
                (Key::Seq(ElementId::Id(element)), false) => {
                    let at = self.position(&object(op), element)?;
                    self.change(op, Prop::Seq(at))?
                }
                (Key::Map(key), false) => self.change(op, Prop::Map(key.to_string()))?,
                (Key::Seq(ElementId::Head), false) | (Key::Map(_), true) => return None,
            };
            done += count;
            if self.transaction.pending_ops() != done {
                return None;
            }
        }
        Some(())
    }

    /// Inserts an element, in a text all that follow each other. Returns how many operations that were.
    fn insert(&mut self, op: &'a Op, after: &ElementId, index: usize) -> Option<usize> {
        let object = object(op);
        let is_text = self.transaction.object_type(&object).ok()? == ObjType::Text;
        let at = self.position_after(&object, op, after, index, is_text)?;
        let mut count = 1;
        match &op.action {
            OpType::Put(ScalarValue::Str(_)) if is_text => {
                let text = self.run(index);
                count = text.chars().count();
                self.transaction.splice_text(&object, at, 0, &text).ok()?;
            }
            OpType::Make(ObjType::Map) if is_text => drop(self.transaction.split_block(&object, at).ok()?),
            OpType::Put(value) if !is_text => self.transaction.insert(&object, at, value.clone()).ok()?,
            OpType::Make(kind) if !is_text => drop(self.transaction.insert_object(&object, at, *kind).ok()?),
            _ => return None,
        }
        self.last = Some((&op.obj, (at + count).checked_sub(1)?));
        Some(count)
    }

    /// The characters from an operation on that were typed one after the other.
    fn run(&self, index: usize) -> String {
        let ops = self.change.operations.get(index..).unwrap_or_default();
        let Some(object) = ops.first().map(|op| &op.obj) else { return String::new() };
        let follows = |(number, op): &(usize, &Op)| {
            let before = index + number;
            *number == 0 || (op.insert && op.obj == *object && self.is_after(&op.key, before))
        };
        let ops = (0..).zip(ops).take_while(follows);
        let texts = ops.map_while(|(_, op)| match &op.action {
            OpType::Put(ScalarValue::Str(text)) if text.chars().count() == 1 => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// Whether a place is right after the element that operation `index - 1` of this change inserted.
    fn is_after(&self, key: &Key, index: usize) -> bool {
        let before = (index as u64).checked_sub(1).map(|before| self.change.start_op.get() + before);
        matches!(key, Key::Seq(ElementId::Id(id)) if Some(id.0) == before && id.1 == self.change.actor_id)
    }

    fn position_after(&self, object: &ObjId, op: &Op, after: &ElementId, index: usize, is_text: bool) -> Option<usize> {
        let ElementId::Id(element) = after else { return Some(0) };
        match self.last {
            Some((last, at)) if *last == op.obj && self.is_after(&op.key, index) => return Some(at + 1),
            _ => {}
        }
        let cursor = cursor(element)?;
        let at = self.transaction.get_cursor_position(object, &cursor, None).ok()?;
        // The place of a character that is gone is that of the next one: the new one goes before that.
        let is_there = !is_text || self.transaction.get_cursor(object, at, None).is_ok_and(|found| found == cursor);
        Some(if is_there { at + 1 } else { at })
    }

    fn position(&self, object: &ObjId, element: &OpId) -> Option<usize> {
        self.transaction.get_cursor_position(object, &cursor(element)?, None).ok()
    }

    /// Changes what is at a place, if the operation knows of everything there.
    fn change(&mut self, op: &Op, place: Prop) -> Option<usize> {
        self.last = None;
        let object = object(op);
        let there = self.transaction.get_all(&object, place.clone()).ok()?;
        let is_known = |id: &ObjId| match id {
            ObjId::Id(counter, actor, _) => op.pred.iter().any(|pred| pred.0 == *counter && pred.1 == *actor),
            ObjId::Root => false,
        };
        if there.len() != op.pred.len() || !there.iter().all(|(_, id)| is_known(id)) {
            return None;
        }
        match &op.action {
            OpType::Put(value) => self.transaction.put(&object, place, value.clone()).ok()?,
            OpType::Delete => self.transaction.delete(&object, place).ok()?,
            OpType::Increment(by) => self.transaction.increment(&object, place, *by).ok()?,
            OpType::Make(kind) => drop(self.transaction.put_object(&object, place, *kind).ok()?),
            OpType::MarkBegin(..) | OpType::MarkEnd(..) => return None,
        }
        Some(1)
    }
}

fn object(op: &Op) -> ObjId {
    match &op.obj {
        ObjectId::Root => ROOT,
        // The number is where Automerge looks first; it finds the actor anyway.
        ObjectId::Id(id) => ObjId::Id(id.0, id.1.clone(), 0),
    }
}

/// The place of an element, in the notation that Automerge reads.
fn cursor(element: &OpId) -> Option<Cursor> {
    Cursor::try_from(format!("{}@{}", element.0, element.1)).ok()
}
