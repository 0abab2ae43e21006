//! Values as the two value columns hold them: what kind and how long, and the bytes.

use hexane::{lebsize, ulebsize};

use super::columns::{number, signed};
use crate::change::{Action, Kind, Scalar};

/// Automerge's number of what an operation does.
pub(super) fn code(action: &Action) -> u64 {
    match action {
        Action::Make(Kind::Map) => 0,
        Action::Put(_) => 1,
        Action::Make(Kind::List) => 2,
        Action::Delete => 3,
        Action::Make(Kind::Text) => 4,
        Action::Increment(_) => 5,
        Action::MarkBegin(_) | Action::MarkEnd { .. } => 7,
    }
}

/// The kind of an operation's value in the lower four bits, its length in bytes above them.
pub(super) fn meta(action: &Action) -> u64 {
    match action {
        Action::Put(value) => (length(value) << 4) | kind(value),
        Action::MarkBegin(mark) => (length(&mark.value) << 4) | kind(&mark.value),
        Action::Increment(by) => (lebsize(*by) << 4) | kind(&Scalar::Int(*by)),
        Action::Make(_) | Action::Delete | Action::MarkEnd { .. } => kind(&Scalar::Null),
    }
}

/// Writes the bytes of an operation's value.
pub(super) fn write(action: &Action, out: &mut Vec<u8>) {
    match action {
        Action::Put(value) => write_scalar(value, out),
        Action::MarkBegin(mark) => write_scalar(&mark.value, out),
        Action::Increment(by) => signed(out, *by),
        Action::Make(_) | Action::Delete | Action::MarkEnd { .. } => {}
    }
}

pub(super) fn is_mark(action: &Action) -> bool {
    matches!(action, Action::MarkBegin(_) | Action::MarkEnd { .. })
}

/// Whether a mark begins or ends so that what is inserted there belongs to it.
pub(super) fn expand(action: &Action) -> bool {
    match action {
        Action::MarkBegin(mark) => mark.expand,
        Action::MarkEnd { expand } => *expand,
        _ => false,
    }
}

/// The name of a mark that begins.
pub(super) fn mark_name(action: &Action) -> Option<&str> {
    match action {
        Action::MarkBegin(mark) => Some(&mark.name),
        _ => None,
    }
}

fn kind(value: &Scalar) -> u64 {
    match value {
        Scalar::Null => 0,
        Scalar::Bool(false) => 1,
        Scalar::Bool(true) => 2,
        Scalar::Uint(_) => 3,
        Scalar::Int(_) => 4,
        Scalar::Float(_) => 5,
        Scalar::Text(_) => 6,
        Scalar::Bytes(_) => 7,
        Scalar::Counter(_) => 8,
        Scalar::Timestamp(_) => 9,
    }
}

fn length(value: &Scalar) -> u64 {
    match value {
        Scalar::Null | Scalar::Bool(_) => 0,
        Scalar::Uint(value) => ulebsize(*value),
        Scalar::Int(value) | Scalar::Counter(value) | Scalar::Timestamp(value) => lebsize(*value),
        Scalar::Float(_) => 8,
        Scalar::Text(value) => value.len() as u64,
        Scalar::Bytes(value) => value.len() as u64,
    }
}

fn write_scalar(value: &Scalar, out: &mut Vec<u8>) {
    match value {
        Scalar::Null | Scalar::Bool(_) => {}
        Scalar::Uint(value) => number(out, *value),
        Scalar::Int(value) | Scalar::Counter(value) | Scalar::Timestamp(value) => signed(out, *value),
        Scalar::Float(bits) => out.extend(bits.to_le_bytes()),
        Scalar::Text(value) => out.extend_from_slice(value.as_bytes()),
        Scalar::Bytes(value) => out.extend_from_slice(value),
    }
}
