//! V4: operations that do not fit the object or element they act on.

use pistol_core::change::{Action, Kind as ObjectKind, Place, Reference, Scalar};

use super::{Expected, Kind, accepted, refused, scene};
use crate::history::draft::{self, Draft};
use crate::history::forge::Forge;
use crate::history::stage::{self, LIST, MAP, TEXT, key, text};

pub(super) const KINDS: &[Kind] = &[
    refused("object-is-a-value", |draft| object(draft, stage::PUT_K)),
    refused("object-is-a-letter", |draft| object(draft, stage::X)),
    refused("object-is-a-counter", |draft| object(draft, stage::COUNTER)),
    refused("object-is-a-deletion", |draft| object(draft, stage::DELETED)),
    refused("object-is-an-increment", |draft| object(draft, stage::COUNTED)),
    refused("object-inside-itself", |draft| {
        let own = draft.own(draft::MAKE);
        draft.at(draft::MAKE, |op| op.object = Some(own));
    }),
    refused("objects-inside-each-other", |draft| {
        let own = draft.own(draft.change.ops.len() + 1);
        draft.push(Some(own), key("a"), Action::Make(ObjectKind::Map), &[]);
        let own = draft.own(draft.change.ops.len() - 1);
        draft.push(Some(own), key("a"), Action::Make(ObjectKind::Map), &[]);
    }),
    accepted("map-in-a-text", |draft| draft.push(TEXT, Place::After(None), Action::Make(ObjectKind::Map), &[])),
    refused("list-in-a-text", |draft| draft.push(TEXT, Place::After(None), Action::Make(ObjectKind::List), &[])),
    refused("text-in-a-text", |draft| draft.push(TEXT, Place::After(None), Action::Make(ObjectKind::Text), &[])),
    refused("number-in-a-text", |draft| draft.push(TEXT, Place::After(None), Action::Put(Scalar::Int(1)), &[])),
    refused("counter-in-a-text", |draft| draft.push(TEXT, Place::After(None), Action::Put(Scalar::Counter(1)), &[])),
    refused("bytes-in-a-text", |draft| draft.push(TEXT, Place::After(None), Action::Put(Scalar::Bytes(vec![])), &[])),
    refused("nothing-in-a-text", |draft| draft.push(TEXT, Place::After(None), Action::Put(Scalar::Null), &[])),
    refused("letter-put-over-a-letter", |draft| over_letter(draft, text("q"))),
    refused("map-made-over-a-letter", |draft| over_letter(draft, Action::Make(ObjectKind::Map))),
    refused("letter-incremented", |draft| over_letter(draft, Action::Increment(1))),
    refused("key-in-a-list", |draft| draft.push(LIST, key("k"), text("q"), &[])),
    refused("key-in-a-text", |draft| draft.push(TEXT, key("k"), text("q"), &[])),
    refused("insert-in-a-map", |draft| draft.push(MAP, Place::After(None), text("q"), &[])),
    refused("insert-in-the-root", |draft| draft.push(None, Place::After(None), text("q"), &[])),
    refused("element-in-a-map", |draft| {
        let x = draft.anns(stage::X);
        draft.push(MAP, Place::At(x), text("q"), &[]);
    }),
    refused("after-a-letter-in-a-list", |draft| after(draft, LIST, stage::X)),
    refused("after-an-item-in-a-text", |draft| after(draft, TEXT, stage::ITEM)),
    refused("after-a-value-of-a-map", |draft| after(draft, TEXT, stage::PUT_K)),
    refused("after-a-deletion", |draft| after(draft, TEXT, stage::DELETED)),
    accepted("after-a-deleted-letter", |draft| after(draft, TEXT, stage::Y)),
    refused("after-an-object-of-the-skeleton", |draft| draft.push(TEXT, Place::After(TEXT), text("q"), &[])),
    refused("deletion-as-an-insert", |draft| draft.push(LIST, Place::After(None), Action::Delete, &[])),
    refused("increment-as-an-insert", |draft| draft.push(LIST, Place::After(None), Action::Increment(1), &[])),
    refused("at-a-value-of-a-map", |draft| at(draft, LIST, stage::PUT_K)),
    refused("at-a-letter-in-a-list", |draft| at(draft, LIST, stage::X)),
    accepted("object-put-over-an-item", |draft| at(draft, LIST, stage::ITEM)),
    accepted("letter-deleted-twice", |draft| {
        let y = draft.anns(stage::Y);
        draft.push(TEXT, Place::At(y), Action::Delete, &[y]);
    }),
    accepted("key-of-nothing", |draft| draft.push(MAP, key(""), text("q"), &[])),
    accepted("key-with-a-zero", |draft| draft.push(MAP, key("\0"), text("q"), &[])),
    accepted("key-of-1024-bytes", |draft| draft.push(MAP, key(&"k".repeat(1024)), text("q"), &[])),
    refused("key-of-1025-bytes", |draft| draft.push(MAP, key(&"k".repeat(1025)), text("q"), &[])),
    accepted("key-of-the-skeleton-overwritten", |draft| {
        draft.push(None, key("body"), text("q"), &[Reference::Skeleton(0)]);
    }),
    accepted("skeleton-deleted", |draft| {
        draft.push(None, key("body"), Action::Delete, &[Reference::Skeleton(0)]);
        draft.push(None, key("list"), Action::Delete, &[Reference::Skeleton(1)]);
        draft.push(None, key("map"), Action::Delete, &[Reference::Skeleton(2)]);
    }),
    accepted("deleted-object-written-on", |draft| {
        draft.push(None, key("body"), Action::Delete, &[Reference::Skeleton(0)]);
        draft.push(TEXT, Place::After(None), text("q"), &[]);
    }),
    accepted("rival-objects-at-one-key", |draft| {
        for kind in [ObjectKind::Map, ObjectKind::List, ObjectKind::Text] {
            draft.push(None, key("body"), Action::Make(kind), &[]);
        }
    }),
    scene("objects-64-deep", |forge| nest(forge, 64, Expected::Accepted)),
    scene("objects-65-deep", |forge| nest(forge, 65, Expected::Refused)),
    scene("objects-80-deep", |forge| nest(forge, 80, Expected::Refused)),
    refused("operations-reversed", |draft| draft.change.ops.reverse()),
    refused("operation-missing", |draft| drop(draft.change.ops.remove(draft::LETTER))),
];

fn object(draft: &mut Draft, number: u32) {
    let anns = draft.anns(number);
    draft.at(draft::INSIDE, |op| op.object = Some(anns));
}

fn over_letter(draft: &mut Draft, action: Action) {
    let x = draft.anns(stage::X);
    draft.push(TEXT, Place::At(x), action, &[x]);
}

fn after(draft: &mut Draft, object: Option<Reference>, number: u32) {
    let place = Place::After(Some(draft.anns(number)));
    draft.push(object, place, text("q"), &[]);
}

fn at(draft: &mut Draft, object: Option<Reference>, number: u32) {
    let anns = draft.anns(number);
    draft.push(object, Place::At(anns), Action::Make(ObjectKind::Map), &[anns]);
}

/// Maps in maps, from the root, in two changes: one change has no room for all.
fn nest(forge: &mut Forge<'_>, depth: usize, expected: Expected) {
    let mut hand = forge.mallory(1);
    let mut object = None;
    let mut made = 0;
    while made < depth {
        let mut draft = forge.draft_on(hand, &[]);
        draft.change.ops.clear();
        draft.change.table.clear();
        let part = (depth - made).min(40);
        for number in 0..part {
            draft.push(object, key("deep"), Action::Make(ObjectKind::Map), &[]);
            object = Some(draft.own(number));
        }
        made += part;
        hand = forge.give(draft, if made < depth { Expected::Accepted } else { expected });
    }
}
