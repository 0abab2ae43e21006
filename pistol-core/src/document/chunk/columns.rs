//! Columns, and the frame around a chunk. Hexane is Automerge's own codec, so each column has the one form that Automerge
//! would give it; a column without content is left out.

use std::ops::Range;

use hexane::{Codec, DeltaEncoder, Encoder, EncoderApi, Leb128};
use sha2::{Digest, Sha256};

/// Encoded columns, in ascending order of their specifications (id << 4 | type).
#[derive(Default)]
pub(super) struct Columns {
    lengths: Vec<(u64, usize)>,
    bytes: Vec<u8>,
}

impl Columns {
    pub(super) fn clear(&mut self) {
        self.lengths.clear();
        self.bytes.clear();
    }

    fn column(&mut self, specification: u64, encode: impl FnOnce(&mut Vec<u8>) -> Range<usize>) {
        let length = encode(&mut self.bytes).len();
        if length > 0 {
            self.lengths.push((specification, length));
        }
    }

    /// A column of bytes as they are.
    pub(super) fn raw(&mut self, specification: u64, write: impl FnOnce(&mut Vec<u8>)) {
        self.column(specification, |out| {
            let before = out.len();
            write(out);
            before..out.len()
        });
    }

    pub(super) fn numbers(&mut self, specification: u64, values: impl Iterator<Item = u64> + Clone) {
        self.column(specification, |out| match only(&values) {
            Some(value) => literal(out, |out| number(out, value)),
            None => Encoder::<u64>::encode_to(out, values),
        });
    }

    /// Left out if there are no numbers in it.
    pub(super) fn some_numbers(&mut self, specification: u64, values: impl Iterator<Item = Option<u64>> + Clone) {
        self.column(specification, |out| match only(&values) {
            Some(None) => 0..0,
            Some(Some(value)) => literal(out, |out| number(out, value)),
            None => Encoder::<Option<u64>>::encode_to_unless(out, values, None),
        });
    }

    pub(super) fn differences(&mut self, specification: u64, values: impl Iterator<Item = i64> + Clone) {
        self.column(specification, |out| match only(&values) {
            Some(value) => literal(out, |out| signed(out, value)),
            None => DeltaEncoder::<i64>::encode_to(out, values),
        });
    }

    /// Left out if there are no numbers in it.
    pub(super) fn some_differences(&mut self, specification: u64, values: impl Iterator<Item = Option<i64>> + Clone) {
        self.column(specification, |out| match only(&values) {
            Some(None) => 0..0,
            Some(Some(value)) => literal(out, |out| signed(out, value)),
            None => DeltaEncoder::<Option<i64>>::encode_to_unless(out, values, None),
        });
    }

    /// Left out if there are no texts in it.
    pub(super) fn some_texts<'a>(&mut self, specification: u64, values: impl Iterator<Item = Option<&'a str>> + Clone) {
        self.column(specification, |out| match only(&values) {
            Some(None) => 0..0,
            Some(Some(value)) => literal(out, |out| prefixed(out, value.as_bytes())),
            None => Encoder::<Option<String>>::encode_to_unless(out, values, None),
        });
    }

    pub(super) fn flags(&mut self, specification: u64, values: impl Iterator<Item = bool>) {
        self.column(specification, |out| Encoder::<bool>::encode_to(out, values));
    }

    /// Left out if no flag is set.
    pub(super) fn some_flags(&mut self, specification: u64, mut values: impl Iterator<Item = bool> + Clone) {
        if values.clone().any(|flag| flag) {
            self.flags(specification, &mut values);
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Which columns there are, and how long.
    pub(super) fn write_lengths(&self, out: &mut Vec<u8>) {
        number(out, self.lengths.len() as u64);
        for (specification, length) in &self.lengths {
            number(out, *specification);
            number(out, *length as u64);
        }
    }
}

/// The value of a column that has but one: most changes are one operation, and encoders take longer to set up.
fn only<T>(values: &(impl Iterator<Item = T> + Clone)) -> Option<T> {
    let mut values = values.clone();
    values.next().filter(|_| values.next().is_none())
}

/// One value as a run of one.
fn literal(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
    let before = out.len();
    signed(out, -1);
    write(out);
    before..out.len()
}

/// Kinds of chunks.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Document = 0,
    Change = 1,
}

/// Automerge's hash of a chunk: of its kind, its length and its content.
pub(super) fn hash(kind: Kind, content: &[u8]) -> [u8; 32] {
    let length = Leb128::encode_unsigned(content.len() as u64);
    Sha256::new().chain_update([kind as u8]).chain_update(&*length).chain_update(content).finalize().into()
}

/// A chunk as it is stored.
pub(super) fn framed(kind: Kind, content: &[u8]) -> Vec<u8> {
    const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
    let mut out = Vec::with_capacity(content.len() + 16);
    out.extend(MAGIC);
    out.extend(hash(kind, content).iter().take(4));
    out.push(kind as u8);
    number(&mut out, content.len() as u64);
    out.extend(content);
    out
}

pub(super) fn number(out: &mut Vec<u8>, number: u64) {
    match u8::try_from(number) {
        Ok(byte) if byte < 0x80 => out.push(byte),
        Ok(_) | Err(_) => out.extend_from_slice(&Leb128::encode_unsigned(number)),
    }
}

pub(super) fn signed(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(&Leb128::encode_signed(number));
}

/// Bytes after their length.
pub(super) fn prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
