//! What makes a document open fast: a picture of the projection. It can be made again from the envelopes. It is stamped,
//! since Automerge must never load a byte that this node did not write: what has no right stamp is as good as not there.

use super::VERSION;
use crate::codec::{Malformed, Reader, Writer};
use crate::id::{ChangeId, DocumentId};
use crate::stamp::StampKey;
use crate::validate::Ordinal;

/// What a stamp is for: the first byte under it. 1 was for stretches of the history, which are no longer written.
const PICTURE: &[u8] = &[2];

/// Row of [`crate::store::Table::Snapshots`]; the key is the log's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The number after the last change that it speaks of.
    pub end: Ordinal,
    /// The heads among those changes: by them it is seen whether the rows hold the same.
    pub heads: Vec<ChangeId>,
    /// The projection as Automerge saves it.
    pub save: Vec<u8>,
}

impl Snapshot {
    /// Writes the row.
    pub fn to_value(&self, document: &DocumentId, key: &StampKey) -> Vec<u8> {
        let mut content = Writer::new();
        content.number(u64::from(self.end));
        content.length(self.heads.len());
        self.heads.iter().for_each(|head| content.raw(&head.0));
        content.raw(&self.save);
        stamped(key, &[PICTURE, document.as_bytes()], content.as_bytes())
    }

    /// Reads the row; `None` if it is not one that this node wrote for this document.
    pub fn from_value(value: &[u8], document: &DocumentId, key: &StampKey) -> Option<Snapshot> {
        let content = unstamped(key, &[PICTURE, document.as_bytes()], value)?;
        read(content).ok()
    }
}

fn read(content: &[u8]) -> Result<Snapshot, Malformed> {
    let mut reader = Reader::new(content);
    let end = reader.number32()?;
    let count = reader.count(usize::MAX, size_of::<ChangeId>())?;
    let heads = (0..count).map(|_| Ok(ChangeId(reader.array()?))).collect::<Result<_, Malformed>>()?;
    let save = reader.raw(reader.remaining())?.to_vec();
    Ok(Snapshot { end, heads, save })
}

fn stamped(key: &StampKey, about: &[&[u8]], content: &[u8]) -> Vec<u8> {
    let version: &[u8] = &[VERSION];
    let stamp = key.stamp(&[&[version], about, &[content]].concat());
    [version, &stamp, content].concat()
}

fn unstamped<'a>(key: &StampKey, about: &[&[u8]], value: &'a [u8]) -> Option<&'a [u8]> {
    let (version, rest) = value.split_at_checked(1).filter(|(version, _)| *version == [VERSION])?;
    let (stamp, content) = rest.split_first_chunk()?;
    let is_right = key.is_right(stamp, &[&[version], about, &[content]].concat());
    is_right.then_some(content)
}
