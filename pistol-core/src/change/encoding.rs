//! The canonical bytes of a change and of an operation. Format: `docs/protocol.md`, "Change".

use super::{Action, Change, Kind, Mark, Op, Place, Reference, Scalar};
use crate::codec::{Malformed, Reader, Writer};
use crate::id::{AuthorityId, ChangeId, Session};
use crate::key::AuthorId;
use crate::limits;

/// The least that an operation takes: a tag, an object, a place of two bytes, no predecessors.
const OPERATION_BYTES_MIN: usize = 5;

pub(super) fn write_change(change: &Change, writer: &mut Writer) {
    write_head(change, writer);
    for op in &change.ops {
        write_operation(op, writer);
    }
}

/// Bytes after which a part ends.
const PART_BYTES: usize = 16 << 10;

/// Writes a change part by part, each where the last one was, so that a large one takes little room.
pub(super) fn write_in_parts(change: &Change, writer: &mut Writer, mut take: impl FnMut(&[u8])) {
    writer.clear();
    write_head(change, writer);
    for op in &change.ops {
        write_operation(op, writer);
        if writer.as_bytes().len() >= PART_BYTES {
            take(writer.as_bytes());
            writer.clear();
        }
    }
    take(writer.as_bytes());
}

fn write_head(change: &Change, writer: &mut Writer) {
    writer.byte(Change::VERSION);
    writer.raw(change.author.as_bytes());
    writer.raw(&change.session.0.to_le_bytes());
    writer.number(change.seq);
    write_ids(writer, change.deps.iter().map(ChangeId::as_bytes));
    write_ids(writer, change.authority.iter().map(AuthorityId::as_bytes));
    writer.number(change.time_ms);
    match &change.message {
        None => writer.byte(0),
        Some(message) => {
            writer.byte(1);
            writer.bytes(message.as_bytes());
        }
    }
    write_ids(writer, change.table.iter().map(ChangeId::as_bytes));
    writer.length(change.ops.len());
}

fn write_ids<'a>(writer: &mut Writer, ids: impl ExactSizeIterator<Item = &'a [u8; 32]>) {
    writer.length(ids.len());
    ids.for_each(|id| writer.raw(id));
}

pub(super) fn read_change(reader: &mut Reader<'_>) -> Result<Change, Malformed> {
    if reader.byte()? != Change::VERSION {
        return Err(Malformed::Tag);
    }
    let author = AuthorId::from_bytes(&reader.array()?).map_err(|_| Malformed::Key)?;
    let session = Session(u64::from_le_bytes(reader.array()?));
    let seq = reader.number()?;
    let deps = sorted(read_ids(reader, limits::DEPENDENCIES_MAX)?)?.into_iter().map(ChangeId).collect();
    let authority = read_ids(reader, limits::AUTHORITY_MAX)?.into_iter().map(AuthorityId).collect();
    let time_ms = reader.number()?;
    let message = match reader.byte()? {
        0 => None,
        1 => Some(reader.text(limits::MESSAGE_BYTES_MAX)?.to_owned()),
        _ => return Err(Malformed::Tag),
    };
    let table = sorted(read_ids(reader, limits::REFERENCES_MAX)?)?.into_iter().map(ChangeId).collect();
    let count = reader.count(limits::OPERATIONS_PER_CHANGE_MAX, OPERATION_BYTES_MIN)?;
    let ops = (0..count).map(|_| read_operation(reader)).collect::<Result<_, _>>()?;
    Ok(Change { author, session, seq, deps, authority, time_ms, message, table, ops })
}

fn read_ids(reader: &mut Reader<'_>, max: usize) -> Result<Vec<[u8; 32]>, Malformed> {
    let count = reader.count(max, 32)?;
    (0..count).map(|_| reader.array()).collect()
}

fn sorted<T: Ord>(list: Vec<T>) -> Result<Vec<T>, Malformed> {
    let is_sorted = list.iter().zip(list.iter().skip(1)).all(|(one, next)| one < next);
    if is_sorted { Ok(list) } else { Err(Malformed::Order) }
}

/// Bit of the tag byte that says "a new element".
const INSERT: u8 = 0x10;
/// Bit of the tag byte that says "a key of a map".
const KEYED: u8 = 0x20;

/// Writes one operation.
pub fn write_operation(op: &Op, writer: &mut Writer) {
    let place = match op.place {
        Place::Key(_) => KEYED,
        Place::After(_) => INSERT,
        Place::At(_) => 0,
    };
    writer.byte(action_code(&op.action) | place);
    write_target(op.object, writer);
    match &op.place {
        Place::Key(key) => writer.bytes(key.as_bytes()),
        Place::After(element) => write_target(*element, writer),
        Place::At(element) => write_target(Some(*element), writer),
    }
    match &op.action {
        Action::Put(value) => write_scalar(value, writer),
        Action::Increment(by) => writer.signed(*by),
        Action::MarkBegin(mark) => {
            writer.bytes(mark.name.as_bytes());
            write_scalar(&mark.value, writer);
            writer.byte(u8::from(mark.expand));
        }
        Action::MarkEnd { expand } => writer.byte(u8::from(*expand)),
        Action::Make(_) | Action::Delete => {}
    }
    writer.length(op.pred.len());
    op.pred.iter().for_each(|pred| write_target(Some(*pred), writer));
}

/// Reads one operation.
///
/// # Errors
/// [`Malformed`] for any bytes that [`write_operation`] would not give.
pub fn read_operation(reader: &mut Reader<'_>) -> Result<Op, Malformed> {
    let tag = reader.byte()?;
    let object = read_target(reader)?;
    let place = match tag & (INSERT | KEYED) {
        KEYED => Place::Key(reader.text(limits::KEY_BYTES_MAX)?.to_owned()),
        INSERT => Place::After(read_target(reader)?),
        0 => Place::At(read_target(reader)?.ok_or(Malformed::Tag)?),
        _ => return Err(Malformed::Tag),
    };
    let action = match tag & !(INSERT | KEYED) {
        0 => Action::Make(Kind::Map),
        1 => Action::Make(Kind::List),
        2 => Action::Make(Kind::Text),
        3 => Action::Put(read_scalar(reader)?),
        4 => Action::Delete,
        5 => Action::Increment(reader.signed()?),
        6 => {
            let name = reader.text(limits::KEY_BYTES_MAX)?.to_owned();
            let (value, expand) = (read_scalar(reader)?, read_flag(reader)?);
            Action::MarkBegin(Box::new(Mark { name, value, expand }))
        }
        7 => Action::MarkEnd { expand: read_flag(reader)? },
        _ => return Err(Malformed::Tag),
    };
    let count = reader.count(limits::PREDECESSORS_MAX, 2)?;
    let pred = (0..count).map(|_| read_target(reader)?.ok_or(Malformed::Tag)).collect::<Result<Vec<_>, _>>()?;
    Ok(Op { object, place, action, pred: sorted(pred)? })
}

fn read_flag(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    match reader.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed::Tag),
    }
}

pub(super) fn action_code(action: &Action) -> u8 {
    match action {
        Action::Make(Kind::Map) => 0,
        Action::Make(Kind::List) => 1,
        Action::Make(Kind::Text) => 2,
        Action::Put(_) => 3,
        Action::Delete => 4,
        Action::Increment(_) => 5,
        Action::MarkBegin(_) => 6,
        Action::MarkEnd { .. } => 7,
    }
}

fn write_target(target: Option<Reference>, writer: &mut Writer) {
    let (code, number) = match target {
        None => return writer.byte(0),
        Some(Reference::Own(number)) => (1, number),
        Some(Reference::Skeleton(number)) => (2, number),
        Some(Reference::Entry(entry, number)) => (3 + u64::from(entry), number),
    };
    writer.number(code);
    writer.number(u64::from(number));
}

fn read_target(reader: &mut Reader<'_>) -> Result<Option<Reference>, Malformed> {
    Ok(match reader.number_to(2 + limits::REFERENCES_MAX as u64)? {
        0 => None,
        1 => Some(Reference::Own(reader.number32()?)),
        2 => Some(Reference::Skeleton(reader.number32()?)),
        code => {
            let entry = u32::try_from(code - 3).map_err(|_| Malformed::Limit)?;
            Some(Reference::Entry(entry, reader.number32()?))
        }
    })
}

fn write_scalar(value: &Scalar, writer: &mut Writer) {
    writer.byte(scalar_code(value));
    match value {
        Scalar::Null | Scalar::Bool(_) => {}
        Scalar::Int(number) | Scalar::Timestamp(number) | Scalar::Counter(number) => writer.signed(*number),
        Scalar::Uint(number) => writer.number(*number),
        Scalar::Float(bits) => writer.raw(&bits.to_le_bytes()),
        Scalar::Text(text) => writer.bytes(text.as_bytes()),
        Scalar::Bytes(bytes) => writer.bytes(bytes),
    }
}

fn read_scalar(reader: &mut Reader<'_>) -> Result<Scalar, Malformed> {
    Ok(match reader.byte()? {
        0 => Scalar::Null,
        1 => Scalar::Bool(false),
        2 => Scalar::Bool(true),
        3 => Scalar::Int(reader.signed()?),
        4 => Scalar::Uint(reader.number()?),
        5 => Scalar::Float(u64::from_le_bytes(reader.array()?)),
        6 => Scalar::Text(reader.text(limits::CHANGE_BYTES_MAX)?.to_owned()),
        7 => Scalar::Bytes(reader.bytes(limits::CHANGE_BYTES_MAX)?.to_vec()),
        8 => Scalar::Timestamp(reader.signed()?),
        9 => Scalar::Counter(reader.signed()?),
        _ => return Err(Malformed::Tag),
    })
}

pub(super) fn scalar_code(value: &Scalar) -> u8 {
    match value {
        Scalar::Null => 0,
        Scalar::Bool(false) => 1,
        Scalar::Bool(true) => 2,
        Scalar::Int(_) => 3,
        Scalar::Uint(_) => 4,
        Scalar::Float(_) => 5,
        Scalar::Text(_) => 6,
        Scalar::Bytes(_) => 7,
        Scalar::Timestamp(_) => 8,
        Scalar::Counter(_) => 9,
    }
}
