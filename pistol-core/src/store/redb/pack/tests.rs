//! Packs against the rows that they were made of, and hostile bytes.

use proptest::prelude::*;

use super::*;
use crate::hash::{Context, hash};

/// Envelopes as somebody types: alike, but for what is random in each.
pub(in crate::store::redb) fn envelope(number: u32) -> Vec<u8> {
    let hex = include_str!("../../../../tests/fixtures/envelope-v1-typing.hex");
    let digits: String = hex.split_whitespace().collect();
    let mut bytes = data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap();
    // Behind version, count of runs, "a new author", the author, the session, place 1 and no withheld ids lies the signature.
    let signature = bytes.iter_mut().skip(3 + 32 + 8 + 2).take(64);
    let random = [number, !number].map(|half| hash(Context::Row, &[&half.to_be_bytes()]));
    signature.zip(random.as_flattened()).for_each(|(byte, random)| *byte = *random);
    bytes
}

fn key(log: u32, place: u32) -> Vec<u8> {
    [log.to_be_bytes(), place.to_be_bytes()].concat()
}

fn packed(rows: &[Row]) -> Vec<Resting> {
    let (mut packer, mut resting) = (Packer::default(), Vec::new());
    rows.iter().for_each(|row| packer.add(row.clone(), &mut resting));
    packer.finish(&mut resting);
    resting
}

fn unpacked(resting: &[Resting]) -> Vec<Row> {
    let rows = |resting: &Resting| match resting {
        Resting::Pack(key, pack) => {
            assert!(pack.len() <= PACK_BYTES);
            Pack::read(key, pack).unwrap().rows().collect()
        }
        Resting::Row(row) => vec![row.clone()],
    };
    resting.iter().flat_map(rows).collect()
}

fn bytes(resting: &[Resting]) -> usize {
    let bytes = |resting: &Resting| match resting {
        Resting::Pack(_, value) | Resting::Row((_, value)) => value.len(),
    };
    resting.iter().map(bytes).sum()
}

#[test]
fn envelopes_of_one_log_come_into_full_packs_and_out_again() {
    let rows: Vec<Row> = (0..400).map(|place| (key(7, place * 3 + 1), envelope(place))).collect();
    let resting = packed(&rows);
    assert_eq!(unpacked(&resting), rows);
    assert!(bytes(&resting) * 2 < rows.iter().map(|(_, value)| value.len()).sum());
    let full =
        resting.iter().filter(|pack| matches!(pack, Resting::Pack(_, value) if value.len() > PACK_BYTES * 9 / 10));
    assert!(full.count() + 1 >= resting.len(), "all but the last are nearly full");
}

#[test]
fn a_pack_is_of_one_log() {
    let rows: Vec<Row> = (0..40).map(|number| (key(number / 4, number), envelope(number))).collect();
    let resting = packed(&rows);
    assert_eq!(resting.len(), 10);
    assert_eq!(unpacked(&resting), rows);
}

#[test]
fn what_does_not_get_shorter_is_left_alone() {
    let (noise, long) = (envelope(1), vec![0; INFLATED_BYTES_MAX + 1]);
    for rows in
        [vec![(key(1, 1), noise)], vec![(key(1, 1), long.clone()), (key(1, 9), long)], vec![(b"key".to_vec(), vec![])]]
    {
        let resting = packed(&rows);
        assert!(resting.iter().all(|resting| matches!(resting, Resting::Row(_))));
        assert_eq!(unpacked(&resting), rows);
    }
}

proptest! {
    #[test]
    fn whatever_rows_there_are_they_come_out_as_they_went_in(
        shapes in proptest::collection::vec((0..3_u32, 0..6000_usize, 0..3_u8), 0..60),
    ) {
        let mut rows: Vec<Row> = Vec::new();
        for (place, (log, length, kind)) in (0..).zip(&shapes) {
            let value = match kind {
                0 => envelope(place),
                1 => vec![7; *length],
                _ => (0_u32..).flat_map(|at| at.wrapping_mul(place | 1).to_le_bytes()).take(*length).collect(),
            };
            rows.push((key(*log, place), value));
        }
        rows.sort();
        prop_assert_eq!(unpacked(&packed(&rows)), rows);
    }

    #[test]
    fn damaged_packs_are_refused_or_read_without_harm(place in 0..4000_usize, mask in 1..=255_u8, end in 0..4000_usize) {
        let rows: Vec<Row> = (0..60).map(|place| (key(7, place), envelope(place))).collect();
        let Some(Resting::Pack(key, pack)) = packed(&rows).into_iter().next() else { panic!("no pack") };
        let mut wrong = pack.clone();
        let place = place % pack.len();
        wrong[place] ^= mask;
        for bytes in [&wrong[..], &pack[..end % pack.len()]] {
            if let Ok(pack) = Pack::read(&key, bytes) {
                prop_assert!(pack.rows().count() > 0);
            }
        }
    }
}

#[test]
fn a_pack_that_claims_to_inflate_past_its_limit_is_refused() {
    let mut writer = Writer::new();
    writer.byte(VERSION);
    writer.raw(&[0, 0, 0, 1]);
    writer.length(INFLATED_BYTES_MAX + 1);
    writer.raw(&deflate(&vec![0; INFLATED_BYTES_MAX + 1]));
    assert_eq!(Pack::read(&key(1, 1), writer.as_bytes()).unwrap_err(), Malformed::Limit);
}
