//! A file that is read and never written: what redb writes while it opens, repairs and closes a database stays in memory.

use std::fmt;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use crate::store::files;

/// The file, and what was written over it.
pub(super) struct Unwritten(Mutex<Image>);

struct Image {
    file: File,
    /// How much of the file is still seen.
    seen: u64,
    length: u64,
    writes: Vec<(u64, Vec<u8>)>,
}

impl Unwritten {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// If there is none, or nothing in it: redb would make a database of it.
    pub(super) fn open(path: &Path) -> Result<Unwritten> {
        let file = files::open(path)?;
        let length = file.metadata()?.len();
        if length == 0 {
            return Err(Error::new(ErrorKind::InvalidData, "the file is empty"));
        }
        Ok(Unwritten(Mutex::new(Image { file, seen: length, length, writes: Vec::new() })))
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unwritten")
    }
}

impl StorageBackend for Unwritten {
    fn len(&self) -> Result<u64> {
        Ok(self.image().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let mut image = self.image();
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= image.length);
        let end = end.ok_or_else(|| Error::new(ErrorKind::UnexpectedEof, "a page beyond the end of the file"))?;
        out.fill(0);
        let in_file = usize::try_from(image.seen.min(end).saturating_sub(offset)).unwrap_or(usize::MAX);
        if let Some(out) = out.get_mut(..in_file).filter(|out| !out.is_empty()) {
            image.file.seek(SeekFrom::Start(offset))?;
            image.file.read_exact(out)?;
        }
        for (at, bytes) in &image.writes {
            overlay(out, offset, *at, bytes);
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<()> {
        let mut image = self.image();
        image.length = length;
        image.seen = image.seen.min(length);
        for (at, bytes) in &mut image.writes {
            bytes.truncate(usize::try_from(length.saturating_sub(*at)).unwrap_or(usize::MAX));
        }
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let mut image = self.image();
        image.length = image.length.max(offset.saturating_add(data.len() as u64));
        image.writes.push((offset, data.to_vec()));
        Ok(())
    }

    fn close(&self) -> Result<()> {
        Ok(())
    }
}

/// Puts that part of `bytes`, which lie at `at`, into `out` which lies there.
fn overlay(out: &mut [u8], offset: u64, at: u64, bytes: &[u8]) {
    let skip = |more: u64| usize::try_from(more).unwrap_or(usize::MAX);
    let Some(out) = out.get_mut(skip(at.saturating_sub(offset))..) else { return };
    let Some(bytes) = bytes.get(skip(offset.saturating_sub(at))..) else { return };
    out.iter_mut().zip(bytes).for_each(|(out, byte)| *out = *byte);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_the_file_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [1, 2, 3, 4, 5, 6]).unwrap();
        let file = Unwritten::open(&path).unwrap();
        let read = |offset, length| {
            let mut out = vec![9; length];
            file.read(offset, &mut out).map(|()| out)
        };
        file.write(4, &[7, 7, 7, 7]).unwrap();
        assert_eq!(read(0, 8).unwrap(), [1, 2, 3, 4, 7, 7, 7, 7]);
        assert_eq!(read(5, 2).unwrap(), [7, 7]);
        assert!(read(5, 4).is_err());
        file.write(1, &[8]).unwrap();
        file.set_len(2).unwrap();
        file.set_len(6).unwrap();
        assert_eq!(read(0, 6).unwrap(), [1, 8, 0, 0, 0, 0]);
        assert_eq!(std::fs::read(&path).unwrap(), [1, 2, 3, 4, 5, 6]);
        std::fs::write(&path, []).unwrap();
        assert!(Unwritten::open(&path).is_err());
    }
}
