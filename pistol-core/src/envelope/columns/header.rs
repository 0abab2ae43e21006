//! What an envelope says before its columns: runs with their authors and tips, and ids of changes elsewhere.

use crate::chain::{ChainId, Tip};
use crate::codec::{Malformed, Reader, Writer};
use crate::envelope::Run;
use crate::id::{ChangeId, DocumentId, Link, Session};
use crate::key::{AuthorId, Signature};
use crate::limits;

/// An author who was named, a session, a first place of 1, withheld ids, a signature, a first operation.
const RUN_BYTES_MIN: usize = 1 + 8 + 1 + 1 + 64 + 1;
/// Stands where the number of an earlier run with the same author would, one more than its index: 32 bytes follow.
const NEW: u64 = 0;

/// A run whose tip is not placed yet: its place and link follow from the changes.
#[derive(Clone)]
pub(super) struct RunHeader {
    pub(super) run: Run,
    /// The change before its first one, as far as the writer could tell; none where the chain begins.
    pub(super) before: Option<ChangeId>,
    /// The number of its first operation here, as far as the writer could tell. Wrong ones cost bytes, nothing else.
    pub(super) first_operation: u32,
}

pub(super) fn write_runs(runs: &[RunHeader], writer: &mut Writer) {
    let mut authors: Vec<AuthorId> = Vec::new();
    writer.length(runs.len());
    for RunHeader { run, before, first_operation } in runs {
        let author = run.chain.author;
        if let Some(run) = authors.iter().position(|known| *known == author) {
            writer.length(run + 1);
        } else {
            writer.number(NEW);
            writer.raw(author.as_bytes());
        }
        authors.push(author);
        writer.raw(&run.chain.session.0.to_le_bytes());
        writer.number(run.first_seq);
        if run.first_seq != 1 {
            writer.raw(run.base.as_bytes());
        }
        if let Some(before) = before {
            writer.raw(before.as_bytes());
        }
        write_ids(run.withheld.iter().map(ChangeId::as_bytes), writer);
        writer.raw(&run.tip.signature.0);
        writer.number(u64::from(*first_operation));
    }
}

pub(super) fn read_runs(document: &DocumentId, reader: &mut Reader<'_>) -> Result<Vec<RunHeader>, Malformed> {
    let count = reader.count(limits::ENVELOPE_CHAINS_MAX, RUN_BYTES_MIN)?;
    let mut runs: Vec<RunHeader> = Vec::new();
    for _ in 0..count {
        let run = read_run(reader, document, &runs)?;
        runs.push(run);
    }
    Ok(runs)
}

fn read_run(reader: &mut Reader<'_>, document: &DocumentId, runs: &[RunHeader]) -> Result<RunHeader, Malformed> {
    let chain = ChainId { author: read_author(reader, runs)?, session: Session(u64::from_le_bytes(reader.array()?)) };
    let first_seq = reader.number()?;
    let (base, before) = if first_seq == 1 {
        (chain.root(document), None)
    } else {
        (Link(reader.array()?), Some(ChangeId(reader.array()?)))
    };
    let withheld = read_ids(reader, limits::WITHHELD_MAX)?;
    let tip = Tip { seq: 0, link: Link([0; 32]), signature: Signature(reader.array()?) };
    Ok(RunHeader {
        run: Run { chain, first_seq, base, withheld: withheld.into_iter().map(ChangeId).collect(), tip },
        before,
        first_operation: reader.number32()?,
    })
}

/// Passes the runs without a look at keys and signatures. Gives how many bytes were left at each key.
pub(super) fn pass_runs(reader: &mut Reader<'_>) -> Result<Vec<usize>, Malformed> {
    let mut keys = Vec::new();
    for _ in 0..reader.count(limits::ENVELOPE_CHAINS_MAX, RUN_BYTES_MIN)? {
        if reader.number()? == NEW {
            keys.push(reader.remaining());
            reader.raw(32)?;
        }
        reader.raw(8)?;
        if reader.number()? != 1 {
            reader.raw(32 + 32)?;
        }
        pass_ids(reader, limits::WITHHELD_MAX)?;
        reader.raw(64)?;
        reader.number32()?;
    }
    Ok(keys)
}

/// The author of the run that comes next: new, or that of an earlier run.
fn read_author(reader: &mut Reader<'_>, runs: &[RunHeader]) -> Result<AuthorId, Malformed> {
    match reader.number()? {
        NEW => AuthorId::from_bytes(&reader.array()?).map_err(|_| Malformed::Key),
        run => {
            let run = usize::try_from(run - 1).ok().and_then(|run| runs.get(run));
            run.map(|header| header.run.chain.author).ok_or(Malformed::Limit)
        }
    }
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

pub(super) fn pass_ids(reader: &mut Reader<'_>, max: usize) -> Result<(), Malformed> {
    let count = reader.count(max, 32)?;
    reader.raw(count * 32)?;
    Ok(())
}
