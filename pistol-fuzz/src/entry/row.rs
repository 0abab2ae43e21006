//! Rows of a store: what a damaged or restored file may hold where keys and values are expected.

use pistol_core::store::schema::{
    self, Damage, EndRecord, Fence, FileIdentity, Invite, LogNumber, LogRecord, SessionRecord,
};

use crate::chance::Chance;
use crate::finding::{Outcome, promise};
use crate::mutate::mutate;

/// Gives bytes as a row; the first byte chooses what they are read as.
///
/// # Errors
/// [`crate::finding::Divergence`] if a row that was read is written as something else.
pub fn accepts(bytes: &[u8]) -> Outcome {
    let Some((kind, row)) = bytes.split_first() else {
        return Ok(false);
    };
    let written: Option<Vec<u8>> = match kind % 16 {
        0 => schema::check_format(Some(row)).ok().map(|()| row.to_vec()),
        1 => schema::epoch(row).ok().map(schema::epoch_value),
        2 => schema::node_secret(row).ok().map(|secret| schema::node_secret_value(&secret)),
        3 => schema::port(row).ok().map(schema::port_value),
        4 => schema::envelope_position(row).ok().map(|(log, ordinal)| schema::envelope_key(log, ordinal)),
        5 => schema::name(row).ok().map(schema::name_key),
        6 => schema::named_document(row).ok().map(schema::name_value),
        7 => schema::peer_addresses(row).ok().map(|addresses| schema::peer_value(&addresses)),
        8 => LogNumber::from_key(row).ok().map(LogNumber::key),
        9 => LogRecord::from_value(row).ok().map(|record| record.to_value()),
        10 => SessionRecord::from_value(row).ok().map(SessionRecord::to_value),
        11 => Fence::from_value(row).ok().map(|fence| fence.to_value()),
        12 => EndRecord::from_value(row).ok().map(EndRecord::to_value),
        13 => schema::next_log(row).ok().map(schema::next_log_value),
        14 => Invite::from_row(&(vec![0; 36], row.to_vec())).ok().map(|(.., invite)| invite.to_value()),
        _ => return Ok(schema::check_format(None).is_ok()),
    };
    promise(written.as_ref().is_none_or(|written| written == row), "a row is written as something else")?;
    Ok(written.is_some())
}

/// Honest rows, each after the byte that chooses its kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let file = FileIdentity { inode: 7, changed_nanoseconds: -1 };
    let log = LogRecord { document: [1; 32], genesis: vec![2; 70], read_key: Some([3; 32]), flags: 5 };
    let rows = [
        schema::format_value(schema::FORMAT),
        schema::epoch_value([1; 16]),
        schema::node_secret_value(&[2; 32]),
        schema::port_value(7),
        schema::envelope_key(LogNumber(3), 4),
        schema::name_key("notes"),
        schema::name_value([5; 32]),
        schema::peer_value(&[6; 19]),
        LogNumber(8).key(),
        log.to_value(),
        SessionRecord { session: 9, is_started: true }.to_value(),
        Fence { current: [1; 16], next: Some([2; 16]), file }.to_value(),
        EndRecord { end: 4, damage: Some(Damage { expected: 9, is_accepted: false }), operations: 7 }.to_value(),
        schema::next_log_value(5),
        Invite { role: 2, not_after_ms: 9 }.to_value(),
    ];
    (0..).zip(rows).map(|(kind, row)| [vec![kind], row].concat()).collect()
}

pub(super) fn run(chance: &mut Chance) -> Outcome {
    let seeds = seeds();
    let mut bytes = chance.pick(&seeds).cloned().unwrap_or_default();
    let other = chance.pick(&seeds).cloned().unwrap_or_default();
    let kind = bytes.first().copied();
    mutate(&mut bytes, &other, chance);
    if let (Some(first), Some(kind)) = (bytes.first_mut(), kind) {
        *first = kind;
    }
    accepts(&bytes)
}
