//! Reading a value field by field, without trusting its length.

use super::{VERSION, damaged};
use crate::store::StoreError;

/// The unread bytes of a value.
pub(super) struct Fields<'a> {
    what: &'static str,
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Reads a whole value: its version byte, what `read` takes, and nothing after it.
    pub(super) fn parse<T>(
        what: &'static str,
        value: &'a [u8],
        read: impl FnOnce(&mut Fields<'a>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut fields = Fields { what, bytes: value };
        if fields.byte()? != VERSION {
            return Err(fields.damaged());
        }
        let parsed = read(&mut fields)?;
        if fields.bytes.is_empty() { Ok(parsed) } else { Err(fields.damaged()) }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (array, rest) = self.bytes.split_first_chunk().ok_or_else(|| self.damaged())?;
        self.bytes = rest;
        Ok(*array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, StoreError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, StoreError> {
        self.array().map(u32::from_be_bytes)
    }

    /// A number that is left out where it is 0: written out, the 0 would be a second form of the same value.
    pub(super) fn nonzero_u32(&mut self) -> Result<u32, StoreError> {
        let number = self.u32()?;
        if number == 0 { Err(self.damaged()) } else { Ok(number) }
    }

    pub(super) fn u64(&mut self) -> Result<u64, StoreError> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn bool(&mut self) -> Result<bool, StoreError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.damaged()),
        }
    }

    /// An array that may be absent: a bool, then the array if it is true.
    pub(super) fn optional<const N: usize>(&mut self) -> Result<Option<[u8; N]>, StoreError> {
        self.bool()?.then(|| self.array()).transpose()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All bytes that are left.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes).to_vec()
    }

    fn damaged(&self) -> StoreError {
        damaged(format!("a record of kind '{}' is malformed", self.what))
    }
}

/// Writes what [`Fields::optional`] reads.
pub(super) fn put_optional(bytes: &mut Vec<u8>, array: Option<&[u8]>) {
    bytes.push(u8::from(array.is_some()));
    bytes.extend_from_slice(array.unwrap_or_default());
}
