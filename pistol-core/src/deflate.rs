//! Deflated bytes, whose length is known before they are inflated.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use crate::codec::Malformed;

/// Past this level columns of changes do not get shorter.
const LEVEL: u8 = 8;

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, LEVEL)
}

/// Inflates to just `length` bytes, which the caller bounds.
pub(crate) fn inflate(deflated: &[u8], length: usize) -> Result<Vec<u8>, Malformed> {
    let mut inflated = vec![0; length];
    let mut state = Box::<DecompressorOxide>::default();
    let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    match decompress(&mut state, deflated, &mut inflated, 0, flags) {
        (TINFLStatus::Done, read, written) if read == deflated.len() && written == length => Ok(inflated),
        (TINFLStatus::Done | TINFLStatus::HasMoreOutput, ..) => Err(Malformed::Long),
        _ => Err(Malformed::Short),
    }
}
