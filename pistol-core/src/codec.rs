//! Canonical bytes: fixed field order, minimal-length LEB128, no maps. The reader refuses what the writer would not
//! write, and never allocates more than the bytes it was given could hold.

/// Writes canonical bytes.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Forgets what was written and keeps the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Writes one byte.
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Writes bytes whose length the reader knows.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes an unsigned number, 7 bits a byte, least significant first.
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            #[expect(clippy::cast_possible_truncation, reason = "the low seven bits are what is meant")]
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 0x80")]
        self.bytes.push(number as u8);
    }

    /// Writes a length or a count.
    pub fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    /// Writes a signed number, folded so that small magnitudes are short.
    pub fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    /// Writes a length and as many bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.raw(bytes);
    }
}

/// Why bytes are not canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// They end too early.
    #[error("the bytes end too early")]
    Short,
    /// They go on after the end.
    #[error("the bytes go on after the end")]
    Long,
    /// A number is not in its shortest form, or too large.
    #[error("a number is too large or not in its shortest form")]
    Number,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// A tag has no meaning here.
    #[error("a tag is unknown")]
    Tag,
    /// Something is past its limit.
    #[error("a length is past its limit")]
    Limit,
    /// Something that must be in order is not.
    #[error("a list is not in its order")]
    Order,
    /// It was written by a later version, which alone can say what it means.
    #[error("it is of a later version; install a newer Pistol to read it")]
    Version,
    /// A public key is weak or not canonical.
    #[error("a public key is weak or not canonical")]
    Key,
}

/// Reads canonical bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// [`Malformed::Short`].
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.rest.split_first().ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(*first)
    }

    /// Reads `length` bytes.
    ///
    /// # Errors
    /// [`Malformed::Short`].
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Reads an array.
    ///
    /// # Errors
    /// [`Malformed::Short`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.raw(N)?.try_into().map_err(|_| Malformed::Short)
    }

    /// Reads an unsigned number.
    ///
    /// # Errors
    /// [`Malformed::Number`] if it has more than 64 bits or a needless byte.
    pub fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed::Number);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                let is_needless = byte == 0 && shift > 0;
                return if is_needless { Err(Malformed::Number) } else { Ok(number) };
            }
        }
        Err(Malformed::Number)
    }

    /// Reads a number of at most `max`.
    ///
    /// # Errors
    /// [`Malformed::Limit`] past it.
    pub fn number_to(&mut self, max: u64) -> Result<u64, Malformed> {
        let number = self.number()?;
        if number > max { Err(Malformed::Limit) } else { Ok(number) }
    }

    /// Reads a number of 32 bits.
    ///
    /// # Errors
    /// [`Malformed::Limit`] if it has more.
    pub fn number32(&mut self) -> Result<u32, Malformed> {
        u32::try_from(self.number()?).map_err(|_| Malformed::Limit)
    }

    /// Reads a count of things that take at least `bytes_each`, so that no count exceeds the bytes there are.
    ///
    /// # Errors
    /// [`Malformed::Limit`] past `max`, [`Malformed::Short`] if the bytes cannot hold so many.
    pub fn count(&mut self, max: usize, bytes_each: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.number()?).map_err(|_| Malformed::Limit)?;
        if count > max {
            return Err(Malformed::Limit);
        }
        if count.saturating_mul(bytes_each) > self.rest.len() {
            return Err(Malformed::Short);
        }
        Ok(count)
    }

    /// Reads a signed number.
    ///
    /// # Errors
    /// As [`Reader::number`].
    pub fn signed(&mut self) -> Result<i64, Malformed> {
        let folded = self.number()?;
        Ok((folded >> 1).cast_signed() ^ -((folded & 1).cast_signed()))
    }

    /// Reads a length of at most `max` and as many bytes.
    ///
    /// # Errors
    /// [`Malformed::Limit`] or [`Malformed::Short`].
    pub fn bytes(&mut self, max: usize) -> Result<&'a [u8], Malformed> {
        let length = self.count(max, 1)?;
        self.raw(length)
    }

    /// Reads a text of at most `max` bytes.
    ///
    /// # Errors
    /// [`Malformed::Text`] if it is not UTF-8, or as [`Reader::bytes`].
    pub fn text(&mut self, max: usize) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes(max)?).map_err(|_| Malformed::Text)
    }

    /// Checks that everything was read.
    ///
    /// # Errors
    /// [`Malformed::Long`] if not.
    pub fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed::Long) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_survive_and_have_one_form(number: u64, signed: i64) {
            let mut writer = Writer::new();
            writer.number(number);
            writer.signed(signed);
            let mut reader = Reader::new(writer.as_bytes());
            prop_assert_eq!(reader.number(), Ok(number));
            prop_assert_eq!(reader.signed(), Ok(signed));
            prop_assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn what_is_read_as_a_number_is_what_would_be_written(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            let mut reader = Reader::new(&bytes);
            if let Ok(number) = reader.number() {
                let mut writer = Writer::new();
                writer.number(number);
                prop_assert_eq!(writer.as_bytes(), &bytes[..bytes.len() - reader.remaining()]);
            }
        }
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused_before_anything_is_allocated() {
        let mut writer = Writer::new();
        writer.number(1 << 40);
        assert_eq!(Reader::new(writer.as_bytes()).count(usize::MAX, 1), Err(Malformed::Short));
        assert_eq!(Reader::new(writer.as_bytes()).count(1000, 1), Err(Malformed::Limit));
    }
}
