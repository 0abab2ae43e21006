//! The columns of a stretch, deflated together.

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::COLUMNS_BYTES_MAX;
use crate::codec::{Malformed, Reader, Writer};

/// Past this level columns hardly get shorter, and take several times as long.
const LEVEL: u8 = 4;

/// One column for each thing that is kept of changes and operations.
#[derive(Debug, Default)]
pub(super) struct Columns<T> {
    /// How far back the change lies that each continues; 0 if it begins a chain.
    pub(super) previous: T,
    /// Author and session of each chain that begins.
    pub(super) chains: T,
    /// How many operations each has.
    pub(super) operations: T,
    /// Counters, against the end of the change before.
    pub(super) starts: T,
    /// Canonical bytes.
    pub(super) bytes: T,
    pub(super) pasts: T,
    /// What each operation does, and whether it is an insert or at a head.
    pub(super) forms: T,
    pub(super) objects: T,
    pub(super) places: T,
    /// Map keys used for the first time, in order.
    pub(super) keys: T,
}

impl<T> Columns<T> {
    fn all(&self) -> [&T; 10] {
        let Columns { previous, chains, operations, starts, bytes, pasts, forms, objects, places, keys } = self;
        [previous, chains, operations, starts, bytes, pasts, forms, objects, places, keys]
    }
}

impl Columns<Writer> {
    pub(super) fn deflate(&self, out: &mut Writer) {
        let mut plain = Writer::new();
        self.all().into_iter().for_each(|column| plain.bytes(column.as_bytes()));
        out.bytes(&compress_to_vec(plain.as_bytes(), LEVEL));
    }
}

/// Inflates the columns.
pub(super) fn inflate(deflated: &[u8]) -> Result<Vec<u8>, Malformed> {
    decompress_to_vec_with_limit(deflated, COLUMNS_BYTES_MAX).map_err(|_| Malformed::Limit)
}

impl<'a> Columns<Reader<'a>> {
    pub(super) fn read(plain: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(plain);
        let mut column = || reader.bytes(COLUMNS_BYTES_MAX).map(Reader::new);
        let columns = Columns {
            previous: column()?,
            chains: column()?,
            operations: column()?,
            starts: column()?,
            bytes: column()?,
            pasts: column()?,
            forms: column()?,
            objects: column()?,
            places: column()?,
            keys: column()?,
        };
        reader.end()?;
        Ok(columns)
    }

    /// Checks that every column was read to its end.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        self.all().into_iter().try_for_each(Reader::end)
    }
}
