//! A column of numbers as groups: a number repeated, or numbers one by one. Zeros at the end are left out.

use crate::codec::{Malformed, Reader, Writer};

/// A shorter group of equal numbers stays among the numbers written one by one.
const REPEATED_MIN: usize = 3;

/// A column that is being written.
#[derive(Default)]
pub(super) struct Numbers(Vec<u64>);

impl Numbers {
    pub(super) fn push(&mut self, number: u64) {
        self.0.push(number);
    }

    pub(super) fn push_signed(&mut self, number: i64) {
        self.0.push(fold(number));
    }

    /// The column, each number as long as it must be.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.write(Writer::number)
    }

    /// The column, each number in the one byte that it fits.
    pub(super) fn to_octets(&self) -> Vec<u8> {
        self.write(|writer, number| writer.byte(number.to_le_bytes()[0]))
    }

    fn write(&self, write: impl Fn(&mut Writer, u64)) -> Vec<u8> {
        let end = self.0.iter().rposition(|number| *number != 0).map_or(0, |last| last + 1);
        let mut writer = Writer::new();
        let mut singles = Vec::new();
        for group in self.0.get(..end).unwrap_or_default().chunk_by(u64::eq) {
            match group.first() {
                Some(number) if group.len() >= REPEATED_MIN => {
                    write_singles(&mut singles, &mut writer, &write);
                    writer.length(group.len() << 1);
                    write(&mut writer, *number);
                }
                _ => singles.extend_from_slice(group),
            }
        }
        write_singles(&mut singles, &mut writer, &write);
        writer.into_bytes()
    }
}

fn write_singles(singles: &mut Vec<u64>, writer: &mut Writer, write: impl Fn(&mut Writer, u64)) {
    if !singles.is_empty() {
        writer.length(singles.len() << 1 | 1);
        singles.drain(..).for_each(|number| write(writer, number));
    }
}

/// A column that is being read: one number at a time, so that no claimed count allocates anything.
pub(super) struct NumbersReader<'a> {
    rest: Reader<'a>,
    /// Numbers left in the group.
    left: u64,
    is_repeated: bool,
    number: u64,
    is_octets: bool,
}

impl<'a> NumbersReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        NumbersReader { rest: Reader::new(bytes), left: 0, is_repeated: false, number: 0, is_octets: false }
    }

    pub(super) fn of_octets(bytes: &'a [u8]) -> Self {
        NumbersReader { is_octets: true, ..Self::new(bytes) }
    }

    pub(super) fn next(&mut self) -> Result<u64, Malformed> {
        if self.left == 0 {
            if self.rest.remaining() == 0 {
                return Ok(0);
            }
            let group = self.rest.number()?;
            self.left = group >> 1;
            self.is_repeated = group & 1 == 0;
            if self.left == 0 {
                return Err(Malformed::Number);
            }
            if self.is_repeated {
                self.number = self.read()?;
            }
        }
        self.left -= 1;
        if self.is_repeated { Ok(self.number) } else { self.read() }
    }

    fn read(&mut self) -> Result<u64, Malformed> {
        if self.is_octets { self.rest.byte().map(u64::from) } else { self.rest.number() }
    }

    pub(super) fn next_signed(&mut self) -> Result<i64, Malformed> {
        self.next().map(unfold)
    }

    /// Reads a count or an index.
    pub(super) fn next_to(&mut self, max: usize) -> Result<usize, Malformed> {
        let number = usize::try_from(self.next()?).map_err(|_| Malformed::Limit)?;
        if number > max { Err(Malformed::Limit) } else { Ok(number) }
    }

    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.left > 0 { Err(Malformed::Long) } else { self.rest.end() }
    }
}

/// Folds a signed number so that small magnitudes are small.
pub(super) fn fold(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// Undoes [`fold`].
pub(super) fn unfold(folded: u64) -> i64 {
    (folded >> 1).cast_signed() ^ -((folded & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn column(numbers: &[u64]) -> Vec<u8> {
        let mut column = Numbers::default();
        for number in numbers {
            column.push(*number);
        }
        column.to_bytes()
    }

    proptest! {
        #[test]
        fn a_column_gives_back_its_numbers(
            groups in proptest::collection::vec((prop_oneof![0..3u64, any::<u64>()], 1..6usize), 0..20)
        ) {
            let numbers: Vec<u64> = groups.iter().flat_map(|(number, count)| vec![*number; *count]).collect();
            let bytes = column(&numbers);
            let mut reader = NumbersReader::new(&bytes);
            for number in numbers {
                prop_assert_eq!(reader.next(), Ok(number));
            }
            prop_assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn folding_is_undone(number: i64) {
            prop_assert_eq!(unfold(fold(number)), number);
        }
    }

    #[test]
    fn what_is_always_the_same_costs_nearly_nothing() {
        assert!(column(&[0; 1000]).is_empty());
        assert_eq!(column(&[7; 1000]).len(), 3);
    }

    #[test]
    fn a_group_that_goes_on_after_the_last_number_is_refused() {
        let bytes = column(&[7; 10]);
        let mut reader = NumbersReader::new(&bytes);
        assert_eq!(reader.next(), Ok(7));
        assert_eq!(reader.end(), Err(Malformed::Long));
    }
}
