//! The columns as they travel: deflated if that is shorter, with the length that they inflate to stated up front.

use std::borrow::Cow;

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use crate::codec::{Malformed, Reader, Writer};
use crate::limits;

/// Bytes of all columns at most, inflated: half as much again as the canonical bytes of the largest change, as no number
/// takes more than a byte more here than there.
const INFLATED_BYTES_MAX: u64 = limits::ENVELOPE_TEXT_MAX as u64 * 3 / 2;
/// Past this level columns do not get shorter.
const LEVEL: u8 = 8;

/// Stands where the length of deflated columns would: the columns follow as they are.
const PLAIN: u64 = 0;

pub(super) fn write(columns: &[u8], writer: &mut Writer) {
    let deflated = compress_to_vec(columns, LEVEL);
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

fn inflate(deflated: &[u8], length: usize) -> Result<Vec<u8>, Malformed> {
    let mut inflated = vec![0; length];
    let mut state = Box::<DecompressorOxide>::default();
    let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    match decompress(&mut state, deflated, &mut inflated, 0, flags) {
        (TINFLStatus::Done, read, written) if read == deflated.len() && written == length => Ok(inflated),
        (TINFLStatus::Done | TINFLStatus::HasMoreOutput, ..) => Err(Malformed::Long),
        _ => Err(Malformed::Short),
    }
}
