//! What hostile columns can do: nothing.

use miniz_oxide::deflate::compress_to_vec;

use super::header::RunHeader;
use super::layout::{Columns, ColumnsReader};
use super::loose::{loosened, tightened};
use super::read_change::ChangeReader;
use super::stretch::Stretch;
use super::*;
use crate::change::{Action, Change, Mark, Op, Place, Scalar};

const FIXTURES: [&str; 6] = [
    include_str!("../../../tests/fixtures/envelope-v1-typing.hex"),
    include_str!("../../../tests/fixtures/envelope-v1-turns.hex"),
    include_str!("../../../tests/fixtures/envelope-v1-middle.hex"),
    include_str!("../../../tests/fixtures/envelope-v1-scalars.hex"),
    include_str!("../../../tests/fixtures/envelope-v1-marks.hex"),
    include_str!("../../../tests/fixtures/envelope-v1-odd.hex"),
];

/// The document of the fixtures.
const DOCUMENT: DocumentId = DocumentId([0xd0; 32]);

fn fixture(hex: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(hex.replace('\n', "").as_bytes()).unwrap()
}

/// The runs of an envelope, and what follows them, inflated.
fn inflated(envelope: &[u8]) -> (Vec<RunHeader>, Vec<u8>) {
    let mut reader = Reader::new(&envelope[1..]);
    let headers = header::read_runs(&DOCUMENT, &mut reader).unwrap();
    let rest = &envelope[envelope.len() - reader.remaining()..];
    reader.number().unwrap();
    header::read_ids(&mut reader, usize::MAX).unwrap();
    reader.bytes(usize::MAX).unwrap();
    let plain = rest.len() - reader.remaining();
    let columns = deflate::read(&mut reader).unwrap();
    (headers, [&rest[..plain], &[0], &columns].concat())
}

/// What changes take in memory, less what allocators add.
fn weight(changes: &[Entry]) -> usize {
    let text = |op: &Op| match (&op.place, &op.action) {
        (Place::Key(key), Action::Put(Scalar::Text(text))) => key.capacity() + text.capacity(),
        (Place::Key(text), _) | (_, Action::Put(Scalar::Text(text))) => text.capacity(),
        (_, Action::Put(Scalar::Bytes(bytes))) => bytes.capacity(),
        (_, Action::MarkBegin(mark)) => size_of::<Mark>() + mark.name.capacity() + marked(&mark.value),
        _ => 0,
    };
    let op = |op: &Op| size_of::<Op>() + op.pred.capacity() * 12 + text(op);
    let ids = |change: &Change| change.deps.capacity() + change.table.capacity() + change.authority.capacity();
    let message = |change: &Change| change.message.as_ref().map_or(0, String::capacity);
    let one = |change: &Change| message(change) + ids(change) * 32 + change.ops.iter().map(op).sum::<usize>();
    changes.iter().map(|entry| size_of::<Change>() + one(&entry.change)).sum()
}

/// What was paid for before it was allocated.
const WEIGHT_MAX: usize = budget::BYTES_MAX;

fn marked(value: &Scalar) -> usize {
    match value {
        Scalar::Text(text) => text.capacity(),
        Scalar::Bytes(bytes) => bytes.capacity(),
        _ => 0,
    }
}

fn next(seed: &mut usize) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Changes one to three places: bits, whole bytes, bytes left out or put in, and the end.
fn mutate(bytes: &mut Vec<u8>, seed: &mut usize) {
    for _ in 0..=next(seed) % 3 {
        let at = next(seed) % bytes.len();
        let byte = next(seed).to_le_bytes()[0];
        match next(seed) % 6 {
            0 => bytes[at] ^= 1 << (byte % 8),
            1 => bytes[at] = byte,
            2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][usize::from(byte) % 5],
            3 => bytes.insert(at, byte),
            4 if bytes.len() > 1 => drop(bytes.remove(at)),
            _ => bytes.truncate(at.max(1)),
        }
    }
}

#[test]
fn mutated_columns_neither_panic_nor_allocate_without_a_bound() {
    for hex in FIXTURES {
        let (headers, columns) = inflated(&fixture(hex));
        assert!(read_changes(headers.clone(), &mut Reader::new(&columns)).is_ok());
        let mut seed = 1;
        for _ in 0..15_000 {
            let mut mutated = columns.clone();
            mutate(&mut mutated, &mut seed);
            if let Ok((_, changes)) = read_changes(headers.clone(), &mut Reader::new(&mutated)) {
                assert!(weight(&changes) <= WEIGHT_MAX);
            }
        }
    }
}

#[test]
fn mutated_and_random_envelopes_do_not_panic() {
    for hex in FIXTURES {
        let envelope = fixture(hex);
        let mut seed = 2;
        for _ in 0..500 {
            let mut mutated = envelope.clone();
            mutate(&mut mutated, &mut seed);
            let _ = decode(&DOCUMENT, &mutated);
            let random: Vec<u8> = mutated.iter().map(|_| next(&mut seed).to_le_bytes()[0]).collect();
            let _ = decode(&DOCUMENT, &random);
        }
    }
}

#[test]
fn an_envelope_that_ends_early_is_refused_wherever_it_ends() {
    for hex in FIXTURES {
        let (headers, columns) = inflated(&fixture(hex));
        for end in 0..columns.len() {
            let cut = read_changes(headers.clone(), &mut Reader::new(&columns[..end]));
            assert!(cut.is_err(), "ends at {end}");
        }
    }
}

/// Reads changes that hostile columns claim to hold.
fn read(changes: usize, fill: impl FnOnce(&mut Columns)) -> Result<usize, Malformed> {
    let (mut headers, _) = inflated(&fixture(FIXTURES[0]));
    headers.truncate(1);
    let runs: Vec<Run> = headers.iter().map(|header| header.run.clone()).collect();
    let mut columns = Columns::default();
    fill(&mut columns);
    let bytes = columns.to_bytes();
    let mut reader =
        ChangeReader::new(vec![Stretch::new(None, 0)], vec![None], Vec::new(), &[], ColumnsReader::new(&bytes)?);
    let changes = (0..changes).map(|_| reader.read(&runs)).collect::<Result<Vec<_>, _>>()?;
    reader.finish()?;
    Ok(weight(&changes))
}

#[test]
fn a_few_bytes_that_claim_a_million_million_operations_are_refused() {
    let claim = |columns: &mut Columns| columns.operations.push_signed(1_000_000_000_000);
    assert_eq!(read(1, claim), Err(Malformed::Limit));
}

#[test]
fn operations_are_counted_over_all_changes() {
    let half = limits::ENVELOPE_OPERATIONS_MAX as u64 / 2;
    let claim = |columns: &mut Columns| {
        for _ in 0..3 {
            columns.operations.push_signed(half.cast_signed() - 1);
        }
        (0..2 * half).for_each(|_| columns.text_length.push(1));
    };
    assert!(
        read(2, |columns| {
            columns.operations.push_signed(half.cast_signed() - 1);
            (0..=half).for_each(|_| columns.text_length.push(1));
        })
        .is_ok()
    );
    assert_eq!(read(3, claim), Err(Malformed::Limit));
}

#[test]
fn a_long_key_that_is_repeated_is_refused_past_the_budget() {
    let claim = |columns: &mut Columns| {
        columns.operations.push_signed(100_000);
        columns.key.push(1);
        columns.key.push(2);
        columns.key_length.push(1000);
        columns.names = vec![b'k'; 1000];
        (0..100_000).for_each(|_| columns.tag.push(5));
    };
    assert_eq!(read(1, claim), Err(Malformed::Limit));
}

#[test]
fn counts_past_their_limits_are_refused_and_repeated_messages_stay_within_the_budget() {
    let messages = |columns: &mut Columns| {
        columns.operations.push_signed(-1);
        columns.message.push(4096 + 2);
        (0..999).for_each(|_| columns.message.push(1));
        columns.names = vec![b'm'; 4096];
        (1..1000).for_each(|_| columns.operations.push_signed(-1));
    };
    assert!(read(1000, messages).is_ok_and(|weight| weight < WEIGHT_MAX));
    assert_eq!(read(1, |columns| columns.table.push(1025 + 2)), Err(Malformed::Limit));
    assert_eq!(read(1, |columns| columns.deps.push(2 + 2 * 65)), Err(Malformed::Limit));
    assert_eq!(read(1, |columns| columns.authority.push(1 + 5)), Err(Malformed::Limit));
    let predecessors = |columns: &mut Columns| {
        columns.tag.push(6);
        columns.pred.push(1 + 4097);
    };
    assert_eq!(read(1, predecessors), Err(Malformed::Limit));
}

#[test]
fn heads_before_the_first_change_are_as_few_as_it_may_depend_on() {
    let (headers, _) = inflated(&fixture(FIXTURES[0]));
    let deps = |count: u8| {
        let runs: Vec<Run> = (0..count).map(|_| headers[0].run.clone()).collect();
        let stretches = (0..runs.len()).map(|run| Stretch::new(Some(run), 0)).collect();
        let befores = (0..count).map(|run| Some(ChangeId([run; 32]))).collect();
        let mut columns = Columns::default();
        columns.deps.push(1);
        columns.operations.push_signed(-1);
        let bytes = columns.to_bytes();
        let mut reader = ChangeReader::new(stretches, befores, Vec::new(), &[], ColumnsReader::new(&bytes)?);
        reader.read(&runs).map(|entry| entry.change.deps.len())
    };
    assert_eq!(deps(63), Ok(63));
    assert_eq!(deps(64), Err(Malformed::Limit));
}

#[test]
fn a_run_has_a_new_author_or_that_of_an_earlier_run() {
    let (mut headers, _) = inflated(&fixture(FIXTURES[0]));
    headers.push(headers[0].clone());
    let mut writer = Writer::new();
    header::write_runs(&headers, &mut writer);
    let second = writer.as_bytes().len() - (writer.as_bytes().len() - 1 - 32) / 2;
    let read = |author: u8| {
        let mut bytes = writer.as_bytes().to_vec();
        assert_eq!(std::mem::replace(&mut bytes[second], author), 1);
        header::read_runs(&DOCUMENT, &mut Reader::new(&bytes)).map(|headers| headers.len())
    };
    assert_eq!(read(1), Ok(2));
    assert_eq!(read(2), Err(Malformed::Limit));
}

#[test]
fn columns_that_inflate_past_what_they_state_or_past_the_limit_are_refused() {
    let zeros = miniz_oxide::deflate::compress_to_vec(&vec![0; 1 << 20], 9);
    let stated = |length: usize| {
        let mut writer = Writer::new();
        writer.length(length);
        writer.raw(&zeros);
        deflate::read(&mut Reader::new(writer.as_bytes())).map(|columns| columns.len())
    };
    assert_eq!(stated(1 << 20), Ok(1 << 20));
    assert_eq!(stated((1 << 20) - 1), Err(Malformed::Long));
    assert_eq!(stated((1 << 20) + 1), Err(Malformed::Long));
    assert_eq!(stated(1 << 40), Err(Malformed::Limit));
    assert_eq!(stated(0), Ok(zeros.len()), "not deflated");
}

#[test]
fn an_envelope_with_inflated_columns_comes_back_as_it_was() {
    for hex in FIXTURES {
        let envelope = fixture(hex);
        let (loose, columns) = loosened(&envelope).unwrap();
        assert_eq!(tightened(&loose, columns), Some(envelope));
        assert_eq!(tightened(&loose, loose.len() + 1), None);
    }
}

#[test]
fn an_envelope_that_somebody_else_deflated_is_not_inflated() {
    let envelope = fixture(FIXTURES[0]);
    let (loose, columns) = loosened(&envelope).unwrap();
    let mut stored = Writer::new();
    stored.raw(&loose[..columns]);
    stored.length(loose.len() - columns);
    stored.raw(&compress_to_vec(&loose[columns..], 0));
    assert!(decode(&DOCUMENT, stored.as_bytes()).is_ok());
    assert_eq!(loosened(stored.as_bytes()), None);
    assert_eq!(loosened(&envelope[..columns - 1]), None);
}
