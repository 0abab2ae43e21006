//! An envelope with its columns inflated: many that lie beside each other are compressed better together than each alone.

use super::{VERSION, deflate, header};
use crate::codec::{Malformed, Reader, Writer};
use crate::limits;

/// The bytes of an envelope with inflated columns, and where these begin. `None` if it would not come back just as it is: then
/// somebody else deflated it, or it is no envelope.
pub(crate) fn loosened(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut reader = Reader::new(bytes);
    pass(&mut reader).ok()?;
    let columns = bytes.len() - reader.remaining();
    let inflated = deflate::read(&mut reader).ok()?;
    let (before, _) = bytes.split_at_checked(columns)?;
    let loose = [before, &inflated].concat();
    (tightened(&loose, columns).as_deref() == Some(bytes)).then_some((loose, columns))
}

/// The bytes of an envelope whose columns, from a place on, were inflated. `None` if there is no such place.
pub(crate) fn tightened(loose: &[u8], columns: usize) -> Option<Vec<u8>> {
    let (before, inflated) = loose.split_at_checked(columns)?;
    let mut writer = Writer::new();
    writer.raw(before);
    deflate::write(inflated, &mut writer);
    Some(writer.into_bytes())
}

/// Passes what comes before the columns.
fn pass(reader: &mut Reader<'_>) -> Result<(), Malformed> {
    if reader.byte()? != VERSION {
        return Err(Malformed::Version);
    }
    header::pass_runs(reader)?;
    reader.number_to(limits::ENVELOPE_CHANGES_MAX as u64)?;
    header::pass_ids(reader, usize::MAX)?;
    reader.bytes(usize::MAX).map(|_| ())
}
