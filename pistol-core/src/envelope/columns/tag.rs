//! One number for what an operation does, the type of its value, and the kind of its place.

use crate::change::{Action, Kind, Op, Place, Scalar};
use crate::codec::Malformed;

/// The kind of a place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    After,
    At,
    Key,
}

/// An action without its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Text,
    Delete,
    Make(Kind),
    Null,
    Bool(bool),
    Int,
    Uint,
    Float,
    Bytes,
    Timestamp,
    Counter,
    Increment,
    MarkBegin(bool),
    MarkEnd(bool),
}

/// All actions; their places here are their codes.
const ACTIONS: [What; 19] = [
    What::Text,
    What::Delete,
    What::Make(Kind::Map),
    What::Make(Kind::List),
    What::Make(Kind::Text),
    What::Null,
    What::Bool(false),
    What::Bool(true),
    What::Int,
    What::Uint,
    What::Float,
    What::Bytes,
    What::Timestamp,
    What::Counter,
    What::Increment,
    What::MarkBegin(false),
    What::MarkBegin(true),
    What::MarkEnd(false),
    What::MarkEnd(true),
];
const PLACES: [Where; 3] = [Where::After, Where::At, Where::Key];

pub(super) fn tag(op: &Op) -> u64 {
    let what = what(&op.action);
    let place = match op.place {
        Place::After(_) => 0,
        Place::At(_) => 1,
        Place::Key(_) => 2,
    };
    code(what) * 3 + place
}

fn code(what: What) -> u64 {
    ACTIONS.iter().position(|action| *action == what).unwrap_or(0) as u64
}

/// The code of a value: that of the action that puts it.
pub(super) fn value(scalar: &Scalar) -> u64 {
    code(put(scalar))
}

/// The type of a value by its code; no value if it is the code of another action.
pub(super) fn from_value(code: u64) -> Result<What, Malformed> {
    usize::try_from(code).ok().and_then(|code| ACTIONS.get(code)).copied().ok_or(Malformed::Tag)
}

pub(super) fn from_tag(tag: u64) -> Result<(What, Where), Malformed> {
    let place = usize::try_from(tag % 3).map_err(|_| Malformed::Tag)?;
    let place = PLACES.get(place).ok_or(Malformed::Tag)?;
    Ok((from_value(tag / 3)?, *place))
}

fn what(action: &Action) -> What {
    match action {
        Action::Make(kind) => What::Make(*kind),
        Action::Delete => What::Delete,
        Action::Increment(_) => What::Increment,
        Action::MarkBegin(mark) => What::MarkBegin(mark.expand),
        Action::MarkEnd { expand } => What::MarkEnd(*expand),
        Action::Put(value) => put(value),
    }
}

fn put(value: &Scalar) -> What {
    match value {
        Scalar::Null => What::Null,
        Scalar::Bool(value) => What::Bool(*value),
        Scalar::Int(_) => What::Int,
        Scalar::Uint(_) => What::Uint,
        Scalar::Float(_) => What::Float,
        Scalar::Text(_) => What::Text,
        Scalar::Bytes(_) => What::Bytes,
        Scalar::Timestamp(_) => What::Timestamp,
        Scalar::Counter(_) => What::Counter,
    }
}
