//! The columns as they travel: deflated if that is shorter, with the length that they inflate to stated up front.

use std::borrow::Cow;

use crate::codec::{Malformed, Reader, Writer};
use crate::deflate::{deflate, inflate};
use crate::limits;

/// Bytes of all columns at most, inflated: half as much again as the canonical bytes of the largest change, as no number
/// takes more than a byte more here than there.
const INFLATED_BYTES_MAX: u64 = limits::ENVELOPE_TEXT_MAX as u64 * 3 / 2;

/// Stands where the length of deflated columns would: the columns follow as they are.
const PLAIN: u64 = 0;

pub(super) fn write(columns: &[u8], writer: &mut Writer) {
    let deflated = deflate(columns);
    let mut length = Writer::new();
    length.length(columns.len());
    if length.as_bytes().len() + deflated.len() < columns.len() {
        writer.raw(length.as_bytes());
        writer.raw(&deflated);
    } else {
        writer.number(PLAIN);
        writer.raw(columns);
    }
}

pub(super) fn read<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, [u8]>, Malformed> {
    let length = reader.number_to(INFLATED_BYTES_MAX)?;
    let rest = reader.raw(reader.remaining())?;
    if length == PLAIN {
        return Ok(Cow::Borrowed(rest));
    }
    inflate(rest, usize::try_from(length).map_err(|_| Malformed::Limit)?).map(Cow::Owned)
}
