//! What an envelope says before its columns: the document, authors, runs with their tips, and ids of changes elsewhere.

use crate::chain::{ChainId, Tip};
use crate::codec::{Malformed, Reader, Writer};
use crate::envelope::Run;
use crate::id::{ChangeId, DocumentId, Link, Session};
use crate::key::{AuthorId, Signature};
use crate::limits;

/// An author's index, a session, a first place, a base or none, withheld ids, a signature, a first operation.
const RUN_BYTES_MIN: usize = 1 + 8 + 1 + 1 + 64 + 1;

/// A run whose tip is not placed yet: its place and link follow from the changes.
#[derive(Clone)]
pub(super) struct RunHeader {
    pub(super) run: Run,
    /// The number of its first operation here, as far as the writer could tell. A wrong one costs bytes, nothing else.
    pub(super) first_operation: u32,
}

pub(super) fn write_runs(document: &DocumentId, runs: &[RunHeader], writer: &mut Writer) {
    let mut authors: Vec<AuthorId> = runs.iter().map(|header| header.run.chain.author).collect();
    authors.sort_unstable();
    authors.dedup();
    writer.raw(document.as_bytes());
    writer.length(authors.len());
    for author in &authors {
        writer.raw(author.as_bytes());
    }
    writer.length(runs.len());
    for RunHeader { run, first_operation } in runs {
        writer.length(authors.binary_search(&run.chain.author).unwrap_or(0));
        writer.raw(&run.chain.session.0.to_le_bytes());
        writer.number(run.first_seq);
        if run.first_seq != 1 {
            writer.raw(run.base.as_bytes());
        }
        write_ids(run.withheld.iter().map(ChangeId::as_bytes), writer);
        writer.raw(&run.tip.signature.0);
        writer.number(u64::from(*first_operation));
    }
}

pub(super) fn read_runs(reader: &mut Reader<'_>) -> Result<(DocumentId, Vec<RunHeader>), Malformed> {
    let document = DocumentId(reader.array()?);
    let count = reader.count(limits::ENVELOPE_CHAINS_MAX, 32)?;
    let authors = (0..count)
        .map(|_| AuthorId::from_bytes(&reader.array()?).map_err(|_| Malformed::Key))
        .collect::<Result<Vec<_>, _>>()?;
    if !authors.is_sorted_by(|one, next| one < next) {
        return Err(Malformed::Order);
    }
    let count = reader.count(limits::ENVELOPE_CHAINS_MAX, RUN_BYTES_MIN)?;
    let runs = (0..count).map(|_| read_run(reader, &document, &authors)).collect::<Result<_, _>>()?;
    Ok((document, runs))
}

fn read_run(reader: &mut Reader<'_>, document: &DocumentId, authors: &[AuthorId]) -> Result<RunHeader, Malformed> {
    let author = usize::try_from(reader.number()?).map_err(|_| Malformed::Limit)?;
    let chain = ChainId {
        author: *authors.get(author).ok_or(Malformed::Limit)?,
        session: Session(u64::from_le_bytes(reader.array()?)),
    };
    let first_seq = reader.number()?;
    let base = if first_seq == 1 { chain.root(document) } else { Link(reader.array()?) };
    let withheld = read_ids(reader, limits::WITHHELD_MAX)?;
    let tip = Tip { seq: 0, link: Link([0; 32]), signature: Signature(reader.array()?) };
    Ok(RunHeader {
        run: Run { chain, first_seq, base, withheld: withheld.into_iter().map(ChangeId).collect(), tip },
        first_operation: reader.number32()?,
    })
}

pub(super) fn write_ids<'a>(ids: impl ExactSizeIterator<Item = &'a [u8; 32]>, writer: &mut Writer) {
    writer.length(ids.len());
    for id in ids {
        writer.raw(id);
    }
}

pub(super) fn read_ids(reader: &mut Reader<'_>, max: usize) -> Result<Vec<[u8; 32]>, Malformed> {
    let count = reader.count(max, 32)?;
    (0..count).map(|_| reader.array()).collect()
}
