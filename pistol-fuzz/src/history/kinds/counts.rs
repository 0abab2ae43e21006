//! V1 and V5: how many and how long, at each bound and one past it.

use pistol_core::change::{Action, Place, Scalar};
use pistol_core::id::AuthorityId;

use super::Expected::{Accepted, Refused};
use super::{Expected, Kind, accepted, refused, scene};
use crate::history::draft::Draft;
use crate::history::forge::Forge;
use crate::history::hand::Hand;
use crate::history::stage::{LIMITS, TEXT, text};

pub(super) const KINDS: &[Kind] = &[
    accepted("no-operations", |draft| {
        draft.change.ops.clear();
        draft.change.table.clear();
    }),
    refused("no-operations-and-a-table", |draft| {
        draft.change.ops.clear();
        draft.change.table = vec![draft.entry];
    }),
    scene("only-empty-changes", |forge| {
        let mut hand = forge.mallory(1);
        for _ in 0..8 {
            let draft = empty(forge, hand);
            hand = forge.give(draft, Accepted);
        }
    }),
    accepted("operations-to-the-limit", |draft| letters(draft, LIMITS.ops_per_change)),
    refused("operations-past-the-limit", |draft| letters(draft, LIMITS.ops_per_change + 1)),
    refused("operations-10-times-the-limit", |draft| letters(draft, LIMITS.ops_per_change * 10)),
    scene("bytes-to-the-limit", |forge| sized(forge, LIMITS.change_bytes as usize, Accepted)),
    scene("bytes-past-the-limit", |forge| sized(forge, LIMITS.change_bytes as usize + 1, Refused)),
    scene("bytes-10-times-the-limit", |forge| sized(forge, LIMITS.change_bytes as usize * 10, Refused)),
    scene("chain-operations-to-the-limit", |forge| chain_operations(forge, LIMITS.ops_per_chain, Accepted)),
    scene("chain-operations-past-the-limit", |forge| chain_operations(forge, LIMITS.ops_per_chain + 1, Refused)),
    scene("chain-bytes-to-the-limit", |forge| chain_bytes(forge, 0, Accepted)),
    scene("chain-bytes-past-the-limit", |forge| chain_bytes(forge, 1, Refused)),
    accepted("message-empty", |draft| draft.change.message = Some(String::new())),
    accepted("message-with-a-zero", |draft| draft.change.message = Some("\0".to_owned())),
    accepted("message-of-4096-bytes", |draft| draft.change.message = Some("m".repeat(4096))),
    refused("message-of-4097-bytes", |draft| draft.change.message = Some("m".repeat(4097))),
    refused("message-of-4097-bytes-in-fewer-letters", |draft| draft.change.message = Some("\u{e9}".repeat(2049))),
    accepted("authority-of-4", |draft| draft.change.authority = vec![AuthorityId([7; 32]); 4]),
    refused("authority-of-5", |draft| draft.change.authority = vec![AuthorityId([7; 32]); 5]),
    accepted("operation-twice", |draft| {
        let first = draft.change.ops.first().cloned();
        draft.change.ops.extend(first);
    }),
    accepted("many-letters-after-one", |draft| {
        let x = draft.anns(crate::history::stage::X);
        for _ in 0..40 {
            draft.push(TEXT, Place::After(Some(x)), text("a"), &[]);
        }
    }),
];

/// A change without operations.
fn empty(forge: &Forge<'_>, hand: Hand) -> Draft {
    let mut draft = forge.draft_on(hand, &[]);
    draft.change.ops.clear();
    draft.change.table.clear();
    draft
}

fn letters(draft: &mut Draft, count: u32) {
    draft.change.ops.clear();
    draft.change.table.clear();
    for _ in 0..count {
        draft.push(TEXT, Place::After(None), text("a"), &[]);
    }
}

/// Fills a draft to a length of its canonical bytes.
fn fill(draft: &mut Draft, bytes: usize) {
    draft.change.ops.clear();
    draft.change.table.clear();
    draft.put(Scalar::Bytes(vec![0; 200]));
    let missing = bytes.saturating_sub(draft.change.to_bytes().len());
    draft.at(0, |op| op.action = Action::Put(Scalar::Bytes(vec![0; 200 + missing])));
    // A longer length may itself take a byte more.
    let over = draft.change.to_bytes().len().saturating_sub(bytes);
    draft.at(0, |op| op.action = Action::Put(Scalar::Bytes(vec![0; (200 + missing).saturating_sub(over)])));
}

fn sized(forge: &mut Forge<'_>, bytes: usize, expected: Expected) {
    let mut draft = forge.lonely(1);
    fill(&mut draft, bytes);
    forge.give(draft, expected);
}

fn chain_operations(forge: &mut Forge<'_>, count: u32, expected: Expected) {
    let mut hand = forge.mallory(1);
    let mut left = count;
    while left > 0 {
        let part = left.min(LIMITS.ops_per_change);
        left -= part;
        let mut draft = empty(forge, hand);
        letters(&mut draft, part);
        hand = forge.give(draft, if left == 0 { expected } else { Accepted });
    }
}

fn chain_bytes(forge: &mut Forge<'_>, past: usize, expected: Expected) {
    let mut hand = forge.mallory(1);
    let most = usize::try_from(LIMITS.bytes_per_chain).unwrap_or(0);
    let each = most / 4;
    for number in 0..4 {
        let is_last = number == 3;
        let mut draft = empty(forge, hand);
        fill(&mut draft, if is_last { most - 3 * each + past } else { each });
        hand = forge.give(draft, if is_last { expected } else { Accepted });
    }
}
