//! Which columns there are, in the order of the bytes: what typing takes is first, so that one byte says which are present.

use super::numbers::{Numbers, NumbersReader};
use crate::codec::{Malformed, Reader, Writer};
use crate::limits;

macro_rules! layout {
    (numbers { $($number:ident,)* } areas { $($area:ident: $kind:ident,)* }) => {
        /// The columns that are being written.
        #[derive(Default)]
        pub(super) struct Columns {
            $(pub(super) $number: Numbers,)*
            $(pub(super) $area: Vec<u8>,)*
            pub(super) texts: Vec<u8>,
        }

        impl Columns {
            pub(super) fn to_bytes(&self) -> Vec<u8> {
                write(&[$(&self.$number.to_bytes(),)* $(&self.$area,)*], &self.texts)
            }
        }

        /// The columns that are being read.
        pub(super) struct ColumnsReader<'a> {
            $(pub(super) $number: NumbersReader<'a>,)*
            $(pub(super) $area: $kind<'a>,)*
            pub(super) texts: Texts<'a>,
        }

        impl<'a> ColumnsReader<'a> {
            pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
                let mut reader = Reader::new(bytes);
                let mut present = reader.number()?;
                $(let $number = NumbersReader::new(read(&mut reader, &mut present)?);)*
                $(let $area = $kind::new(read(&mut reader, &mut present)?)?;)*
                if present != 0 {
                    return Err(Malformed::Tag);
                }
                let texts = Texts::new(reader.raw(reader.remaining())?)?;
                if texts.remaining() $(+ $area.remaining())* > limits::ENVELOPE_TEXT_MAX {
                    return Err(Malformed::Limit);
                }
                Ok(ColumnsReader { $($number,)* $($area,)* texts })
            }

            /// Checks that every column was read to its end.
            pub(super) fn end(&self) -> Result<(), Malformed> {
                $(self.$number.end()?;)*
                $(self.$area.end()?;)*
                self.texts.end()
            }
        }
    };
}

layout! {
    numbers {
        tag, element, element_number, deps, time, run, operations,
        object, object_number, key, key_length, text_length, pred, number,
        dep, authority, authority_id, message, table, entry, pred_code, pred_number, increment, bytes_length,
    }
    areas { floats: Area, bytes: Area, names: Texts, }
}

/// One bit for each column that is not empty, lowest first; then these columns, each after its length. Texts come last, to
/// the end.
fn write(columns: &[&Vec<u8>], texts: &[u8]) -> Vec<u8> {
    let bits = columns.iter().rev().fold(0, |bits, column| bits << 1 | u64::from(!column.is_empty()));
    let mut writer = Writer::new();
    writer.number(bits);
    columns.iter().filter(|column| !column.is_empty()).for_each(|column| writer.bytes(column));
    writer.raw(texts);
    writer.into_bytes()
}

fn read<'a>(reader: &mut Reader<'a>, present: &mut u64) -> Result<&'a [u8], Malformed> {
    let is_present = *present & 1 == 1;
    *present >>= 1;
    if is_present { reader.bytes(usize::MAX) } else { Ok(&[]) }
}

/// Bytes that lie one after the other; other columns hold their lengths.
pub(super) struct Area<'a>(&'a [u8]);

impl<'a> Area<'a> {
    #[expect(clippy::unnecessary_wraps, reason = "as for texts, which must be UTF-8")]
    fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        Ok(Area(bytes))
    }

    fn remaining(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed::Long) }
    }
}

/// Texts that lie one after the other. Their lengths are in characters: what is typed is one, whatever its bytes.
pub(super) struct Texts<'a>(&'a str);

impl<'a> Texts<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        std::str::from_utf8(bytes).map(Texts).map_err(|_| Malformed::Text)
    }

    fn remaining(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take(&mut self, characters: usize) -> Result<&'a str, Malformed> {
        let mut rest = self.0.chars();
        if let Some(before_last) = characters.checked_sub(1) {
            rest.nth(before_last).ok_or(Malformed::Short)?;
        }
        let length = self.0.len() - rest.as_str().len();
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed::Long) }
    }
}
