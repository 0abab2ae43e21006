//! Values on their way between Pistol and Automerge.

use automerge::legacy::{self, OpType};
use automerge::{ObjType, ScalarValue};

use crate::change::{Action, Kind, Mark, Scalar};

pub(super) fn action_to_automerge(action: &Action) -> OpType {
    match action {
        Action::Make(kind) => OpType::Make(kind_to_automerge(*kind)),
        Action::Put(value) => OpType::Put(scalar_to_automerge(value)),
        Action::Delete => OpType::Delete,
        Action::Increment(by) => OpType::Increment(*by),
        Action::MarkBegin(mark) => {
            let (name, value) = (mark.name.as_str().into(), scalar_to_automerge(&mark.value));
            OpType::MarkBegin(legacy::MarkData { name, value, expand: mark.expand })
        }
        Action::MarkEnd { expand } => OpType::MarkEnd(*expand),
    }
}

/// `None` for what Pistol has no use for.
pub(super) fn action_from_automerge(action: &OpType) -> Option<Action> {
    Some(match action {
        OpType::Make(kind) => Action::Make(kind_from_automerge(*kind)?),
        OpType::Put(value) => Action::Put(scalar_from_automerge(value)?),
        OpType::Delete => Action::Delete,
        OpType::Increment(by) => Action::Increment(*by),
        OpType::MarkBegin(mark) => {
            let (name, value) = (mark.name.to_string(), scalar_from_automerge(&mark.value)?);
            Action::MarkBegin(Box::new(Mark { name, value, expand: mark.expand }))
        }
        OpType::MarkEnd(expand) => Action::MarkEnd { expand: *expand },
    })
}

pub(super) fn scalar_to_automerge(value: &Scalar) -> ScalarValue {
    match value {
        Scalar::Null => ScalarValue::Null,
        Scalar::Bool(value) => ScalarValue::Boolean(*value),
        Scalar::Int(value) => ScalarValue::Int(*value),
        Scalar::Uint(value) => ScalarValue::Uint(*value),
        Scalar::Float(bits) => ScalarValue::F64(f64::from_bits(*bits)),
        Scalar::Text(value) => ScalarValue::Str(value.as_str().into()),
        Scalar::Bytes(value) => ScalarValue::Bytes(value.clone()),
        Scalar::Timestamp(value) => ScalarValue::Timestamp(*value),
        Scalar::Counter(value) => ScalarValue::counter(*value),
    }
}

/// `None` for kinds of values that Pistol has no use for.
pub(super) fn scalar_from_automerge(value: &ScalarValue) -> Option<Scalar> {
    Some(match value {
        ScalarValue::Null => Scalar::Null,
        ScalarValue::Boolean(value) => Scalar::Bool(*value),
        ScalarValue::Int(value) => Scalar::Int(*value),
        ScalarValue::Uint(value) => Scalar::Uint(*value),
        ScalarValue::F64(value) => Scalar::Float(value.to_bits()),
        ScalarValue::Str(value) => Scalar::Text(value.to_string()),
        ScalarValue::Bytes(value) => Scalar::Bytes(value.clone()),
        ScalarValue::Timestamp(value) => Scalar::Timestamp(*value),
        ScalarValue::Counter(value) => Scalar::Counter(i64::from(value)),
        ScalarValue::Unknown { .. } => return None,
    })
}

pub(super) fn kind_to_automerge(kind: Kind) -> ObjType {
    match kind {
        Kind::Map => ObjType::Map,
        Kind::List => ObjType::List,
        Kind::Text => ObjType::Text,
    }
}

pub(super) fn kind_from_automerge(kind: ObjType) -> Option<Kind> {
    match kind {
        ObjType::Map => Some(Kind::Map),
        ObjType::List => Some(Kind::List),
        ObjType::Text => Some(Kind::Text),
        ObjType::Table => None,
    }
}
