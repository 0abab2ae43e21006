//! The bytes of an envelope. Format: `docs/envelope.md`.
//!
//! What all changes have in common is written once; the rest lies in columns, each as the difference to what was to be
//! expected, so that a keystroke costs about a byte. Writer and reader expect the same because they remember the same.

mod before;
mod budget;
mod cursor;
mod deflate;
mod elements;
mod first;
mod header;
mod heads;
mod keys;
mod layout;
#[cfg(any(feature = "redb", test))]
pub(crate) mod loose;
mod names;
mod numbers;
mod paths;
mod read_change;
mod read_operation;
mod stretch;
mod tag;
mod turns;
mod value;
mod write_change;
mod write_operation;

#[cfg(test)]
mod tests;

use self::first::First;
use self::header::RunHeader;
use self::layout::ColumnsReader;
use self::read_change::ChangeReader;
use self::stretch::Stretch;
use self::write_change::ChangeWriter;
use super::{Entry, Run};
use crate::codec::{Malformed, Reader, Writer};
use crate::id::{ChangeId, DocumentId, Link};
use crate::limits;

pub(super) type Decoded = (Vec<Run>, Vec<Entry>);

/// The version of these bytes.
const VERSION: u8 = 1;

/// Writes an envelope. Its changes are canonical, and each run's consecutive.
pub(super) fn encode(runs: &[Run], changes: &[Entry]) -> Vec<u8> {
    let befores = before::befores(runs, changes);
    let mut first = First::new(&befores);
    changes.iter().for_each(|Entry { run, change, id, .. }| first.add(*run, change, *id));
    let guesses = befores.iter().copied().zip(first.numbers());
    let header = |(run, (before, first_operation)): (&Run, (Option<ChangeId>, u32))| {
        let run = run.clone();
        RunHeader { run, before, first_operation }
    };
    let headers: Vec<RunHeader> = runs.iter().zip(guesses).map(header).collect();
    let mut columns = ChangeWriter::new(stretches(&headers), &befores);
    for Entry { run, change, id, .. } in changes {
        columns.write(*run, change, *id);
    }
    let (ids, times, columns) = columns.finish();
    let mut writer = Writer::new();
    writer.byte(VERSION);
    header::write_runs(&headers, &mut writer);
    writer.length(changes.len());
    header::write_ids(ids.iter(), &mut writer);
    writer.bytes(&times);
    deflate::write(&columns, &mut writer);
    writer.into_bytes()
}

/// Reads an envelope of a document.
pub(super) fn decode(document: &DocumentId, bytes: &[u8]) -> Result<Decoded, Malformed> {
    if bytes.len() > limits::ENVELOPE_BYTES_MAX {
        return Err(Malformed::Limit);
    }
    let mut reader = Reader::new(bytes);
    match reader.byte()? {
        VERSION => {}
        later if later > VERSION => return Err(Malformed::Version),
        _ => return Err(Malformed::Tag),
    }
    let headers = header::read_runs(document, &mut reader)?;
    read_changes(headers, &mut reader)
}

/// Where the keys of authors lie in the bytes of an envelope, ascending; none if they are no envelope of this version.
pub(super) fn author_places(bytes: &[u8]) -> Vec<usize> {
    let mut reader = Reader::new(bytes);
    let is_known = reader.byte() == Ok(VERSION);
    let left = if is_known { header::pass_runs(&mut reader).unwrap_or_default() } else { Vec::new() };
    left.into_iter().map(|left| bytes.len() - left).collect()
}

/// The runs, as writer and reader begin with them. The change before a run has the run's number for its index.
fn stretches(headers: &[RunHeader]) -> Vec<Stretch> {
    let stretch = |(run, header): (usize, &RunHeader)| Stretch::new(header.before.map(|_| run), header.first_operation);
    headers.iter().enumerate().map(stretch).collect()
}

/// Reads all that follows the runs.
fn read_changes(headers: Vec<RunHeader>, reader: &mut Reader<'_>) -> Result<Decoded, Malformed> {
    let count = reader.number_to(limits::ENVELOPE_CHANGES_MAX as u64)?;
    let ids = header::read_ids(reader, usize::MAX)?;
    let times = reader.bytes(usize::MAX)?;
    let columns = deflate::read(reader)?;
    let (stretches, befores) = (stretches(&headers), headers.iter().map(|header| header.before).collect());
    let mut runs: Vec<Run> = headers.into_iter().map(|header| header.run).collect();
    let mut columns = ChangeReader::new(stretches, befores, ids, times, ColumnsReader::new(&columns)?);
    let mut changes: Vec<Entry> = Vec::new();
    let mut links: Vec<Link> = runs.iter().map(|run| run.base).collect();
    for _ in 0..count {
        let entry = columns.read(&runs)?;
        if let Some(link) = links.get_mut(entry.run) {
            *link = link.then(&entry.id);
        }
        changes.push(entry);
    }
    for ((run, link), count) in runs.iter_mut().zip(links).zip(columns.finish()?) {
        let last = run.first_seq.checked_sub(1).and_then(|before| before.checked_add(count));
        let tip = last.and_then(|last| last.checked_add(run.withheld.len() as u64));
        run.tip.seq = tip.ok_or(Malformed::Number)?;
        run.tip.link = run.withheld.iter().fold(link, |link, id| link.then(id));
    }
    Ok((runs, changes))
}
