//! V4 and V6: marks of texts, and what is done to them.

use pistol_core::change::{Action, Kind as ObjectKind, Mark, Place, Reference, Scalar};

use super::{Kind, accepted, refused};
use crate::history::draft::Draft;
use crate::history::stage::{self, LIST, MAP, TEXT, key, text};

pub(super) const KINDS: &[Kind] = &[
    accepted("mark-of-a-letter", |draft| {
        let x = draft.anns(stage::X);
        mark(draft, None, Some(x));
    }),
    accepted("mark-that-ends-before-it-begins", |draft| {
        let x = draft.anns(stage::X);
        mark(draft, Some(x), None);
    }),
    accepted("mark-from-a-deleted-letter-backwards", |draft| {
        let (x, y) = (draft.anns(stage::X), draft.anns(stage::Y));
        mark(draft, Some(y), Some(x));
    }),
    accepted("mark-of-nothing", |draft| {
        let x = draft.anns(stage::X);
        mark(draft, Some(x), Some(x));
    }),
    accepted("mark-that-ends-at-its-begin", |draft| {
        let begin = next(draft);
        mark(draft, None, Some(begin));
    }),
    accepted("marks-that-hang-on-each-other-backwards", |draft| {
        let mut from = None;
        for _ in 0..12 {
            let begin = next(draft);
            mark(draft, from, None);
            from = Some(begin);
        }
    }),
    accepted("marks-that-overlap", |draft| {
        let (x, y) = (draft.anns(stage::X), draft.anns(stage::Y));
        for (from, to) in [(None, Some(x)), (Some(x), Some(y)), (None, Some(y)), (Some(y), None)] {
            mark(draft, from, to);
        }
    }),
    accepted("letters-after-moved-marks", |draft| {
        let x = draft.anns(stage::X);
        let begin = next(draft);
        let end = draft.own(draft.change.ops.len() + 1);
        mark(draft, Some(x), None);
        draft.push(TEXT, Place::After(Some(begin)), text("q"), &[]);
        draft.push(TEXT, Place::After(Some(end)), text("r"), &[]);
    }),
    accepted("mark-with-every-value", |draft| {
        let values =
            [Scalar::Null, Scalar::Bool(false), Scalar::Int(i64::MIN), Scalar::Uint(u64::MAX), Scalar::Float(0)];
        let long = [Scalar::Text("\0".to_owned()), Scalar::Bytes(vec![0xff; 100]), Scalar::Timestamp(i64::MIN)];
        values.into_iter().chain(long).for_each(|value| valued(draft, "link", value));
    }),
    accepted("mark-whose-value-is-infinite", |draft| valued(draft, "n", Scalar::Float(f64::INFINITY.to_bits()))),
    accepted("mark-whose-value-is-minus-0", |draft| valued(draft, "n", Scalar::Float((-0.0_f64).to_bits()))),
    accepted("mark-without-a-name", |draft| valued(draft, "", Scalar::Bool(true))),
    accepted("mark-named-in-1024-bytes", |draft| valued(draft, &"n".repeat(1024), Scalar::Null)),
    refused("mark-named-in-1025-bytes", |draft| valued(draft, &"n".repeat(1025), Scalar::Null)),
    refused("mark-whose-value-is-not-a-number", |draft| valued(draft, "n", Scalar::Float(f64::NAN.to_bits()))),
    refused("mark-whose-value-is-another-not-a-number", |draft| valued(draft, "n", Scalar::Float(u64::MAX))),
    refused("mark-whose-value-is-a-counter", |draft| valued(draft, "n", Scalar::Counter(1))),
    refused("mark-begun-only", |draft| draft.push(TEXT, Place::After(None), begin(), &[])),
    refused("mark-ended-only", |draft| draft.push(TEXT, Place::After(None), END, &[])),
    refused("mark-ended-first", |draft| {
        draft.push(TEXT, Place::After(None), END, &[]);
        draft.push(TEXT, Place::After(None), begin(), &[]);
    }),
    refused("mark-ended-twice", |draft| {
        mark(draft, None, None);
        draft.push(TEXT, Place::After(None), END, &[]);
    }),
    refused("mark-begun-twice", |draft| {
        draft.push(TEXT, Place::After(None), begin(), &[]);
        mark(draft, None, None);
    }),
    refused("mark-with-a-letter-between", |draft| {
        draft.push(TEXT, Place::After(None), begin(), &[]);
        draft.push(TEXT, Place::After(None), text("q"), &[]);
        draft.push(TEXT, Place::After(None), END, &[]);
    }),
    refused("mark-from-one-text-to-another", |draft| {
        let other = next(draft);
        draft.push(MAP, key("t"), Action::Make(ObjectKind::Text), &[]);
        draft.push(TEXT, Place::After(None), begin(), &[]);
        draft.push(Some(other), Place::After(None), END, &[]);
    }),
    refused("mark-in-a-list", |draft| pair(draft, LIST, &Place::After(None))),
    refused("mark-in-a-map", |draft| pair(draft, MAP, &key("bold"))),
    refused("mark-in-the-root", |draft| pair(draft, None, &key("bold"))),
    refused("mark-at-a-letter", |draft| {
        let x = draft.anns(stage::X);
        pair(draft, TEXT, &Place::At(x));
    }),
    refused("mark-that-replaces-a-letter", |draft| {
        let x = draft.anns(stage::X);
        draft.push(TEXT, Place::After(Some(x)), begin(), &[x]);
        draft.push(TEXT, Place::After(Some(x)), END, &[]);
    }),
    refused("mark-after-itself", |draft| {
        let own = next(draft);
        mark(draft, Some(own), None);
    }),
    refused("mark-whose-end-is-after-itself", |draft| {
        let end = draft.own(draft.change.ops.len() + 1);
        mark(draft, None, Some(end));
    }),
    refused("mark-begin-deleted", |draft| delete(draft, 0)),
    refused("mark-end-deleted", |draft| delete(draft, 1)),
    refused("mark-replaced-by-a-deletion-of-a-letter", |draft| {
        let (x, begin) = (draft.anns(stage::X), next(draft));
        mark(draft, None, None);
        draft.push(TEXT, Place::At(x), Action::Delete, &[begin]);
    }),
];

const END: Action = Action::MarkEnd { expand: true };

fn named(name: &str, value: Scalar) -> Action {
    Action::MarkBegin(Box::new(Mark { name: name.to_owned(), value, expand: false }))
}

fn begin() -> Action {
    named("bold", Scalar::Bool(true))
}

/// What the next operation will be called.
fn next(draft: &Draft) -> Reference {
    draft.own(draft.change.ops.len())
}

fn mark(draft: &mut Draft, from: Option<Reference>, to: Option<Reference>) {
    draft.push(TEXT, Place::After(from), begin(), &[]);
    draft.push(TEXT, Place::After(to), END, &[]);
}

fn valued(draft: &mut Draft, name: &str, value: Scalar) {
    let x = draft.anns(stage::X);
    draft.push(TEXT, Place::After(None), named(name, value), &[]);
    draft.push(TEXT, Place::After(Some(x)), END, &[]);
}

fn pair(draft: &mut Draft, object: Option<Reference>, place: &Place) {
    draft.push(object, place.clone(), begin(), &[]);
    draft.push(object, place.clone(), END, &[]);
}

/// Deletes the begin or the end of a mark.
fn delete(draft: &mut Draft, number: usize) {
    let element = draft.own(draft.change.ops.len() + number);
    mark(draft, None, None);
    draft.push(TEXT, Place::At(element), Action::Delete, &[element]);
}
