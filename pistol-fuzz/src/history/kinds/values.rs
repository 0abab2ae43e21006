//! V6: values at their bounds and one past them.

use pistol_core::change::{Action, Scalar};
use pistol_core::limits::{EXACT_MAX, INCREMENT_MAX};

use super::{Kind, accepted, refused};
use crate::history::draft::{self, Draft};
use crate::history::stage::{MAP, TEXT, key, text};

const EXACT: i64 = EXACT_MAX.cast_signed();

pub(super) const KINDS: &[Kind] = &[
    accepted("counter-largest", |draft| draft.put(Scalar::Counter(EXACT))),
    accepted("counter-smallest", |draft| draft.put(Scalar::Counter(-EXACT))),
    refused("counter-past-the-largest", |draft| draft.put(Scalar::Counter(EXACT + 1))),
    refused("counter-past-the-smallest", |draft| draft.put(Scalar::Counter(-EXACT - 1))),
    refused("counter-of-64-bits", |draft| draft.put(Scalar::Counter(i64::MAX))),
    refused("counter-of-64-bits-negative", |draft| draft.put(Scalar::Counter(i64::MIN))),
    accepted("increment-largest", |draft| by(draft, INCREMENT_MAX)),
    accepted("increment-smallest", |draft| by(draft, -INCREMENT_MAX)),
    accepted("increment-of-0", |draft| by(draft, 0)),
    refused("increment-past-the-largest", |draft| by(draft, INCREMENT_MAX + 1)),
    refused("increment-past-the-smallest", |draft| by(draft, -INCREMENT_MAX - 1)),
    refused("increment-of-64-bits", |draft| by(draft, i64::MAX)),
    refused("increment-of-64-bits-negative", |draft| by(draft, i64::MIN)),
    accepted("increments-that-overflow-together", |draft| {
        draft.put(Scalar::Counter(EXACT));
        let own = draft.own(draft.change.ops.len() - 1);
        for _ in 0..40 {
            draft.push(MAP, key("free"), Action::Increment(INCREMENT_MAX), &[own]);
        }
    }),
    accepted("int-largest", |draft| draft.put(Scalar::Int(i64::MAX))),
    accepted("int-smallest", |draft| draft.put(Scalar::Int(i64::MIN))),
    accepted("ints-from-smallest-to-largest", |draft| {
        for number in [i64::MIN, i64::MAX, i64::MIN, 0, i64::MAX] {
            draft.put(Scalar::Int(number));
        }
    }),
    accepted("uint-largest", |draft| draft.put(Scalar::Uint(u64::MAX))),
    accepted("timestamp-largest", |draft| draft.put(Scalar::Timestamp(i64::MAX))),
    accepted("timestamp-smallest", |draft| draft.put(Scalar::Timestamp(i64::MIN))),
    accepted("float-not-a-number", |draft| draft.put(Scalar::Float(f64::NAN.to_bits()))),
    accepted("float-another-not-a-number", |draft| draft.put(Scalar::Float(u64::MAX))),
    accepted("float-signalling", |draft| draft.put(Scalar::Float(0x7ff0_0000_0000_0001))),
    accepted("float-infinite", |draft| draft.put(Scalar::Float(f64::NEG_INFINITY.to_bits()))),
    accepted("float-minus-0", |draft| draft.put(Scalar::Float((-0.0_f64).to_bits()))),
    accepted("bytes-none", |draft| draft.put(Scalar::Bytes(vec![]))),
    accepted("bytes-many", |draft| draft.put(Scalar::Bytes(vec![0xff; 6000]))),
    accepted("text-empty", |draft| draft.put(Scalar::Text(String::new()))),
    accepted("text-with-zeros", |draft| draft.put(Scalar::Text("\0\0".to_owned()))),
    accepted("text-of-many-bytes", |draft| draft.put(Scalar::Text("\u{1f980}".repeat(1500)))),
    accepted("letter-of-nothing", |draft| draft.at(draft::LETTER, |op| op.action = text(""))),
    accepted("letter-of-many", |draft| draft.at(draft::LETTER, |op| op.action = text(&"w".repeat(3000)))),
    accepted("letter-that-combines", |draft| draft.at(draft::LETTER, |op| op.action = text("\u{301}\u{200d}"))),
    accepted("letter-that-reverses", |draft| draft.at(draft::LETTER, |op| op.action = text("\u{202e}\u{feff}"))),
    accepted("every-value-at-one-key", |draft| {
        let values = [Scalar::Null, Scalar::Bool(false), Scalar::Int(-1), Scalar::Uint(1), Scalar::Float(0)];
        values.into_iter().for_each(|value| draft.put(value));
        draft.put(Scalar::Counter(0));
        draft.put(Scalar::Timestamp(0));
    }),
    accepted("letters-alternately-inserted-and-deleted", |draft| {
        for _ in 0..20 {
            draft.push(TEXT, pistol_core::change::Place::After(None), text("a"), &[]);
            let own = draft.own(draft.change.ops.len() - 1);
            draft.push(TEXT, pistol_core::change::Place::At(own), Action::Delete, &[own]);
        }
    }),
    accepted("time-0", |draft| draft.change.time_ms = 0),
    accepted("time-largest", |draft| draft.change.time_ms = EXACT_MAX),
    refused("time-past-the-largest", |draft| draft.change.time_ms = EXACT_MAX + 1),
    refused("time-of-63-bits", |draft| draft.change.time_ms = i64::MAX.cast_unsigned()),
    refused("time-of-64-bits", |draft| draft.change.time_ms = u64::MAX),
];

fn by(draft: &mut Draft, by: i64) {
    draft.at(draft::COUNT, |op| op.action = Action::Increment(by));
}
