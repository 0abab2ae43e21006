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
}

/// All actions; their places here are their codes.
const ACTIONS: [What; 15] = [
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
];
const PLACES: [Where; 3] = [Where::After, Where::At, Where::Key];

pub(super) fn tag(op: &Op) -> u64 {
    let what = what(&op.action);
    let place = match op.place {
        Place::After(_) => 0,
        Place::At(_) => 1,
        Place::Key(_) => 2,
    };
    let code = ACTIONS.iter().position(|action| *action == what).unwrap_or(0);
    code as u64 * 3 + place
}

pub(super) fn from_tag(tag: u64) -> Result<(What, Where), Malformed> {
    let code = usize::try_from(tag / 3).map_err(|_| Malformed::Tag)?;
    let place = usize::try_from(tag % 3).map_err(|_| Malformed::Tag)?;
    let what = ACTIONS.get(code).ok_or(Malformed::Tag)?;
    let place = PLACES.get(place).ok_or(Malformed::Tag)?;
    Ok((*what, *place))
}

fn what(action: &Action) -> What {
    match action {
        Action::Make(kind) => What::Make(*kind),
        Action::Delete => What::Delete,
        Action::Increment(_) => What::Increment,
        Action::Put(Scalar::Null) => What::Null,
        Action::Put(Scalar::Bool(value)) => What::Bool(*value),
        Action::Put(Scalar::Int(_)) => What::Int,
        Action::Put(Scalar::Uint(_)) => What::Uint,
        Action::Put(Scalar::Float(_)) => What::Float,
        Action::Put(Scalar::Text(_)) => What::Text,
        Action::Put(Scalar::Bytes(_)) => What::Bytes,
        Action::Put(Scalar::Timestamp(_)) => What::Timestamp,
        Action::Put(Scalar::Counter(_)) => What::Counter,
    }
}
