//! Keys and values survive, keep their order, and refuse what was not written.

use super::*;
use crate::id::{ChangeId, DocumentId};
use crate::key::AuthorKey;

fn log_record(read_key: Option<[u8; 32]>) -> LogRecord {
    LogRecord { document: [1; 32], genesis: b"genesis".to_vec(), read_key, flags: 5 }
}

fn fence(next: Option<[u8; 16]>) -> Fence {
    Fence { current: [1; 16], next, file: FileIdentity { inode: u64::MAX, changed_nanoseconds: -7 } }
}

#[test]
fn every_record_is_read_back_as_written() {
    for record in [log_record(None), log_record(Some([2; 32]))] {
        assert_eq!(LogRecord::from_value(&record.to_value()).unwrap(), record);
    }
    for record in [fence(None), fence(Some([2; 16]))] {
        assert_eq!(Fence::from_value(&record.to_value()).unwrap(), record);
    }
    for is_started in [false, true] {
        let record = SessionRecord { session: u64::MAX - 1, is_started };
        assert_eq!(SessionRecord::from_value(&record.to_value()).unwrap(), record);
    }
    for damage in [None, Some(Damage { expected: 9, is_accepted: true })] {
        for operations in [0, 3] {
            let record = EndRecord { end: 8, damage, operations };
            assert_eq!(EndRecord::from_value(&record.to_value()).unwrap(), record);
        }
        let record = EndRecord { end: 8, damage, operations: 3 };
        let none = EndRecord { operations: 0, ..record }.to_value();
        let without = none.len();
        assert!(EndRecord::from_value(&[none, vec![0; 4]].concat()).is_err(), "a second form of no operations");
        check_malformed(&record.to_value(), |value| value.len() == without || EndRecord::from_value(value).is_err());
    }
    let invite = Invite { role: 2, not_after_ms: 7 };
    let row = (invite_key(LogNumber(9), [4; 32]), invite.to_value());
    assert_eq!(Invite::from_row(&row).unwrap(), (LogNumber(9), [4; 32], invite));
    check_malformed(&row.1, |value| Invite::from_row(&(row.0.clone(), value.to_vec())).is_err());
    assert!(Invite::from_row(&(row.0[1..].to_vec(), row.1.clone())).is_err());
    assert_eq!(next_log(&next_log_value(7)).unwrap(), 7);
    assert_eq!(epoch(&epoch_value([3; 16])).unwrap(), [3; 16]);
    assert_eq!(node_secret(&node_secret_value(&[4; 32])).unwrap(), [4; 32]);
    assert_eq!(named_document(&name_value([5; 32])).unwrap(), [5; 32]);
    assert_eq!(peer_addresses(&peer_value(b"there")).unwrap(), b"there");
    assert_eq!(name(&name_key("Käse")).unwrap(), "Käse");
    assert_eq!(LogNumber::from_key(&LogNumber(7).key()).unwrap(), LogNumber(7));
    assert_eq!(envelope_position(&envelope_key(LogNumber(7), 8)).unwrap(), (LogNumber(7), 8));
}

#[test]
fn a_record_cut_short_lengthened_or_of_another_version_is_damaged() {
    check_malformed(&fence(Some([2; 16])).to_value(), |value| Fence::from_value(value).is_err());
    check_malformed(&epoch_value([3; 16]), |value| epoch(value).is_err());
    check_malformed(&node_secret_value(&[4; 32]), |value| node_secret(value).is_err());
    check_malformed(&name_value([5; 32]), |value| named_document(value).is_err());
    let session = SessionRecord { session: 1, is_started: true }.to_value();
    check_malformed(&session, |value| SessionRecord::from_value(value).is_err());
    assert!(LogRecord::from_value(&log_record(Some([2; 32])).to_value()[..69]).is_err());
    assert!(envelope_position(b"1234567").is_err() && envelope_position(b"123456789").is_err());
    assert!(name(&[0xff]).is_err() && LogNumber::from_key(b"123").is_err());
}

fn check_malformed(value: &[u8], is_refused: impl Fn(&[u8]) -> bool) {
    for length in 0..value.len() {
        assert!(is_refused(&value[..length]), "{length} bytes of {value:?}");
    }
    assert!(is_refused(&[value, &[0]].concat()));
    assert!(is_refused(&[&[VERSION + 1], &value[1..]].concat()));
}

#[test]
fn a_range_of_envelopes_never_leaves_its_log() {
    for log in [0, 7, u32::MAX] {
        let (from, to) = envelopes_from(LogNumber(log), 3);
        let is_in = |log, ordinal| (from.clone()..to.clone()).contains(&envelope_key(LogNumber(log), ordinal));
        assert!(is_in(log, 3) && is_in(log, u32::MAX) && !is_in(log, 2));
        assert!(!is_in(log.wrapping_add(1), 3) && !is_in(log.wrapping_sub(1), 3));
    }
}

#[test]
fn a_newer_format_is_told_from_a_damaged_one() {
    assert!(check_format(Some(&format_value(FORMAT))).is_ok());
    let newer = check_format(Some(&format_value(FORMAT + 1)));
    assert!(matches!(newer, Err(StoreError::Newer { found, known }) if found == FORMAT + 1 && known == FORMAT));
    let older = check_format(Some(&1_u32.to_be_bytes()));
    assert!(matches!(older, Err(StoreError::Older { found: 1, least: FORMAT_LEAST })));
    for bit in 0..64 {
        let mut flipped = format_value(FORMAT);
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(check_format(Some(&flipped)), Err(StoreError::Damaged { .. })), "bit {bit}");
    }
    for value in [None, Some([0; 4].as_slice()), Some(&[0, 0, 1])] {
        assert!(matches!(check_format(value), Err(StoreError::Damaged { .. })));
    }
}

#[test]
fn a_read_key_is_not_printed() {
    assert!(!format!("{:?}", log_record(Some([222; 32]))).contains("222"));
}

fn snapshot() -> Snapshot {
    Snapshot { end: 8, heads: vec![ChangeId([3; 32]), ChangeId([7; 32])], save: vec![5; 20] }
}

const DOCUMENT: DocumentId = DocumentId([6; 32]);

#[test]
fn a_snapshot_is_read_by_the_node_that_wrote_it_for_the_document_it_was_written_for() {
    let (key, other) = (AuthorKey::from_seed(&[7; 32]).stamp_key(), AuthorKey::from_seed(&[8; 32]).stamp_key());
    let value = snapshot().to_value(&DOCUMENT, &key);
    assert_eq!(Snapshot::from_value(&value, &DOCUMENT, &key), Some(snapshot()));
    assert_eq!(Snapshot::from_value(&value, &DocumentId([9; 32]), &key), None);
    assert_eq!(Snapshot::from_value(&value, &DOCUMENT, &other), None);
}

#[test]
fn each_flipped_bit_and_each_truncation_of_a_snapshot_is_noticed() {
    let key = AuthorKey::from_seed(&[7; 32]).stamp_key();
    let value = snapshot().to_value(&DOCUMENT, &key);
    let is_read = |value: &[u8]| Snapshot::from_value(value, &DOCUMENT, &key).is_some();
    assert!(is_read(&value));
    assert!((0..value.len()).all(|length| !is_read(&value[..length])));
    for bit in 0..value.len() * 8 {
        let mut flipped = value.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!is_read(&flipped), "bit {bit}");
    }
}

#[test]
fn what_is_owed_is_read_as_it_was_written_and_nothing_else_is() {
    let (log, node) = (LogNumber(7), [9; 32]);
    let row = owed_row(log, node);
    assert_eq!(owed(&row).unwrap(), (log, node));
    for (key, value) in [(row.0[1..].to_vec(), row.1.clone()), (row.0.clone(), vec![]), (row.0, vec![1, 0])] {
        assert!(owed(&(key, value)).is_err());
    }
}
