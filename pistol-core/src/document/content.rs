//! Reading a document.

use std::fmt;

use automerge::{Automerge, ObjId, ObjType, Prop, ROOT, ReadDoc, ScalarValue};

use super::{Document, convert};
use crate::change::{Kind, Scalar};

/// A value as applications see it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// A floating-point number.
    Float(f64),
    /// A text that is replaced as a whole.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Milliseconds since 1970.
    Timestamp(i64),
    /// A counter and what it stands at.
    Counter(i64),
    /// A container.
    Object(Kind),
}

macro_rules! value_from {
    ($($type:ty => $variant:ident),*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Value::$variant(value.into())
            }
        }
    )*};
}

value_from!(bool => Bool, i64 => Int, i32 => Int, u64 => Uint, u32 => Uint, f64 => Float, &str => Text, String => Text, Vec<u8> => Bytes);

/// As a person reads it: a text as it is, bytes in hexadecimal, of a container what it is.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => value.fmt(f),
            Value::Int(value) | Value::Timestamp(value) | Value::Counter(value) => value.fmt(f),
            Value::Uint(value) => value.fmt(f),
            Value::Float(value) => value.fmt(f),
            Value::Text(text) => f.write_str(text),
            Value::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Value::Object(Kind::Map) => f.write_str("a map"),
            Value::Object(Kind::List) => f.write_str("a list"),
            Value::Object(Kind::Text) => f.write_str("a text"),
        }
    }
}

pub(super) fn scalar(value: Value) -> ScalarValue {
    convert::scalar_to_automerge(&match value {
        Value::Null | Value::Object(_) => Scalar::Null,
        Value::Bool(value) => Scalar::Bool(value),
        Value::Int(value) => Scalar::Int(value),
        Value::Uint(value) => Scalar::Uint(value),
        Value::Float(value) => Scalar::Float(value.to_bits()),
        Value::Text(value) => Scalar::Text(value),
        Value::Bytes(value) => Scalar::Bytes(value),
        Value::Timestamp(value) => Scalar::Timestamp(value),
        Value::Counter(value) => Scalar::Counter(value),
    })
}

pub(super) fn is_counter(value: &automerge::Value<'_>) -> bool {
    matches!(value, automerge::Value::Scalar(scalar) if matches!(scalar.as_ref(), ScalarValue::Counter(_)))
}

pub(super) fn value(value: &automerge::Value<'_>) -> Option<Value> {
    match value {
        automerge::Value::Object(kind) => convert::kind_from_automerge(*kind).map(Value::Object),
        automerge::Value::Scalar(scalar) => scalar_value(scalar),
    }
}

pub(super) fn scalar_value(scalar: &ScalarValue) -> Option<Value> {
    Some(match convert::scalar_from_automerge(scalar)? {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => Value::Bool(value),
        Scalar::Int(value) => Value::Int(value),
        Scalar::Uint(value) => Value::Uint(value),
        Scalar::Float(bits) => Value::Float(f64::from_bits(bits)),
        Scalar::Text(value) => Value::Text(value),
        Scalar::Bytes(value) => Value::Bytes(value),
        Scalar::Timestamp(value) => Value::Timestamp(value),
        Scalar::Counter(value) => Value::Counter(value),
    })
}

pub(super) fn value_at<R: ReadDoc>(document: &R, object: &ObjId, at: impl Into<Prop>) -> Option<Value> {
    document.get(object, at).ok().flatten().and_then(|(found, _)| value(&found))
}

/// What a document says: its root map.
#[derive(Clone)]
pub struct Content<'a> {
    root: MapContent<'a>,
}

impl<'a> Content<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Content { root: MapContent(Place { document, object: Some(ROOT) }) }
    }
}

impl<'a> std::ops::Deref for Content<'a> {
    type Target = MapContent<'a>;

    fn deref(&self) -> &MapContent<'a> {
        &self.root
    }
}

/// An object to read; where there is none it reads as empty.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) document: &'a Document,
    pub(super) object: Option<ObjId>,
}

impl<'a> Place<'a> {
    pub(super) fn automerge(&self) -> &'a Automerge {
        &self.document.automerge
    }

    pub(super) fn child(&self, at: impl Into<Prop>, kind: ObjType) -> Place<'a> {
        let object = self.get(at).and_then(|(value, id)| (value == automerge::Value::Object(kind)).then_some(id));
        Place { document: self.document, object }
    }

    /// The value that readers see at a place, and what Automerge calls it.
    pub(super) fn get(&self, at: impl Into<Prop>) -> Option<(automerge::Value<'a>, ObjId)> {
        let object = self.object.as_ref()?;
        match at.into() {
            Prop::Map(key) if self.document.has_shared_slots() => self.first_come(&key),
            at => self.automerge().get(object, at).ok().flatten(),
        }
    }

    /// What Automerge calls the value at a place.
    pub(super) fn id_at(&self, at: impl Into<Prop>) -> Option<ObjId> {
        self.get(at).map(|(_, id)| id)
    }

    fn value(&self, at: impl Into<Prop>) -> Option<Value> {
        self.get(at).and_then(|(found, _)| value(&found))
    }

    fn values(&self, at: impl Into<Prop>) -> Vec<Value> {
        let all = self.object.as_ref().and_then(|object| self.automerge().get_all(object, at).ok());
        all.unwrap_or_default().iter().filter_map(|(found, _)| value(found)).collect()
    }

    fn len(&self) -> usize {
        self.object.as_ref().map_or(0, |object| self.automerge().length(object))
    }
}

/// A map to read.
#[derive(Clone)]
pub struct MapContent<'a>(pub(super) Place<'a>);

impl fmt::Debug for MapContent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.keys().iter().map(|key| (key, self.value(key)))).finish()
    }
}

impl<'a> MapContent<'a> {
    /// The keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.0.object.as_ref().map(|object| self.0.automerge().keys(object).collect()).unwrap_or_default()
    }

    /// The value at a key. Where keys are shared slots and several claim this one, there is none: [`MapContent::slot`]
    /// tells.
    pub fn value(&self, key: &str) -> Option<Value> {
        self.0.value(key)
    }

    /// All values that were put at a key at the same time, the one that [`MapContent::value`] gives last.
    pub fn values(&self, key: &str) -> Vec<Value> {
        self.0.values(key)
    }

    /// The text at a key; an empty one if there is none.
    pub fn text(&self, key: &str) -> TextContent<'a> {
        TextContent(self.0.child(key, ObjType::Text))
    }

    /// The map at a key; an empty one if there is none.
    pub fn map(&self, key: &str) -> MapContent<'a> {
        MapContent(self.0.child(key, ObjType::Map))
    }

    /// The list at a key; an empty one if there is none.
    pub fn list(&self, key: &str) -> ListContent<'a> {
        ListContent(self.0.child(key, ObjType::List))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A list to read.
#[derive(Clone)]
pub struct ListContent<'a>(pub(super) Place<'a>);

impl<'a> ListContent<'a> {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at a position.
    pub fn value(&self, at: usize) -> Option<Value> {
        self.0.value(at)
    }

    /// The text at a position; an empty one if there is none.
    pub fn text(&self, at: usize) -> TextContent<'a> {
        TextContent(self.0.child(at, ObjType::Text))
    }

    /// The map at a position; an empty one if there is none.
    pub fn map(&self, at: usize) -> MapContent<'a> {
        MapContent(self.0.child(at, ObjType::Map))
    }

    /// The list at a position; an empty one if there is none.
    pub fn list(&self, at: usize) -> ListContent<'a> {
        ListContent(self.0.child(at, ObjType::List))
    }
}

/// A text to read. [`ToString`] gives what it says.
#[derive(Clone)]
pub struct TextContent<'a>(pub(super) Place<'a>);

impl TextContent<'_> {
    /// How many code points there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The object, as patches call it; none if there is no text.
    pub fn object(&self) -> Option<String> {
        self.0.object.as_ref().map(ToString::to_string)
    }

    pub(super) fn object_id(&self) -> Option<ObjId> {
        self.0.object.clone()
    }
}

impl fmt::Display for TextContent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.object.as_ref().and_then(|object| self.0.automerge().text(object).ok());
        f.write_str(&text.unwrap_or_default())
    }
}
