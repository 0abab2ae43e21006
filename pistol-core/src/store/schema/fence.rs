//! The store's side of the fence: what its file must look like for writing sessions to continue.

use super::fields::{Fields, put_optional};
use super::{StoreError, VERSION};

/// What tells the fence file from a copy of it: a copy has another inode, a restored file another change time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    /// Number of the file on its disk.
    pub inode: u64,
    /// When the file was last changed, in nanoseconds since 1970, as the file system says. Only compared.
    pub changed_nanoseconds: i128,
}

/// Row of [`crate::store::Table::Meta`]: the fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The nonce that the fence file held when it was last turned to the end.
    pub current: [u8; 16],
    /// The nonce that the file is about to hold, or holds if turning was cut short.
    pub next: Option<[u8; 16]>,
    /// The file when it was last turned to the end.
    pub file: FileIdentity,
}

impl Fence {
    /// Writes the row.
    pub fn to_value(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.current);
        put_optional(&mut bytes, self.next.as_ref().map(<[u8; 16]>::as_slice));
        bytes.extend_from_slice(&self.file.inode.to_be_bytes());
        bytes.extend_from_slice(&self.file.changed_nanoseconds.to_be_bytes());
        bytes
    }

    /// Reads the row.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn from_value(value: &[u8]) -> Result<Fence, StoreError> {
        Fields::parse("fence", value, |fields| {
            Ok(Fence {
                current: fields.array()?,
                next: fields.optional()?,
                file: FileIdentity {
                    inode: fields.u64()?,
                    changed_nanoseconds: fields.array().map(i128::from_be_bytes)?,
                },
            })
        })
    }
}
