//! V3: references to what is not there, not in the past, or named in a form that is not the one.

use pistol_core::change::{Place, Reference};

use super::{Expected, Kind, Make};
use crate::history::draft::{self, Draft};
use crate::history::forge::Forge;
use crate::history::stage::{COUNTED, X};

/// Of three places in operations (object, element, predecessor) every way to refer wrongly.
macro_rules! kinds {
    ($($name:literal: $reference:expr,)*) => {
        pub(super) const KINDS: &[Kind] = &[
            $(
                kind(concat!("object-", $name), |forge| object(forge, $reference)),
                kind(concat!("element-", $name), |forge| element(forge, $reference)),
                kind(concat!("predecessor-", $name), |forge| predecessor(forge, $reference)),
            )*
        ];
    };
}

kinds! {
    "of-a-later-operation": |draft| draft.own(draft::OWN_LETTER),
    "of-itself": |draft| draft.own(draft.at),
    "past-the-own-end": |draft| draft.own(draft.draft.change.ops.len()),
    "own-largest": |_| Reference::Own(u32::MAX),
    "own-before-the-chain-as-if-anns": |_| Reference::Own(X),
    "past-the-skeleton": |_| Reference::Skeleton(3),
    "skeleton-largest": |_| Reference::Skeleton(u32::MAX),
    "past-the-table": |_| Reference::Entry(1, 0),
    "entry-largest": |_| Reference::Entry(u32::MAX, u32::MAX),
    "past-the-entry": |_| Reference::Entry(0, COUNTED + 1),
    "entry-with-largest-number": |_| Reference::Entry(0, u32::MAX),
}

const fn kind(name: &'static str, scene: fn(&mut Forge<'_>)) -> Kind {
    Kind { name, expected: Expected::Refused, make: Make::Scene(scene) }
}

/// A draft, and the operation that refers wrongly.
struct Wrong<'a> {
    draft: &'a Draft,
    at: usize,
}

impl Wrong<'_> {
    fn own(&self, number: usize) -> Reference {
        self.draft.own(number)
    }
}

type Refer = fn(&Wrong<'_>) -> Reference;

fn object(forge: &mut Forge<'_>, refer: Refer) {
    let mut draft = forge.lonely(1);
    let reference = refer(&Wrong { draft: &draft, at: draft::INSIDE });
    draft.at(draft::INSIDE, |op| op.object = Some(reference));
    forge.give(draft, Expected::Refused);
}

fn element(forge: &mut Forge<'_>, refer: Refer) {
    let mut draft = forge.lonely(1);
    let reference = refer(&Wrong { draft: &draft, at: draft::NEXT });
    // A letter cannot come after one that is in another text.
    draft.at(draft::NEXT, |op| op.place = Place::After(Some(reference)));
    let is_anns = reference == Reference::Own(X);
    forge.give(draft, if is_anns { Expected::Accepted } else { Expected::Refused });
}

fn predecessor(forge: &mut Forge<'_>, refer: Refer) {
    let mut draft = forge.lonely(1);
    let reference = refer(&Wrong { draft: &draft, at: draft::PUT });
    draft.at(draft::PUT, |op| op.pred = vec![reference]);
    forge.give(draft, Expected::Refused);
}
