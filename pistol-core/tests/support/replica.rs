//! What the tests of this crate share: authors who edit replicas, and a seeded dice.

#![allow(dead_code, missing_docs, unreachable_pub)]

use std::collections::BTreeMap;
use std::sync::Arc;

use pistol_core::chain::ChainId;
use pistol_core::change::{Action, Kind as ObjectKind, Op, Place};
use pistol_core::document::{Document, Edit, EditAs, EditError, Expand, TextEdit, UNJUDGED};
use pistol_core::envelope::{Linked, Verified, VerifiedChange};
use pistol_core::genesis::{Genesis, Kind, Limits, Policy, Read, Terms};
use pistol_core::id::{ChangeId, Session};
use pistol_core::key::AuthorKey;
use pistol_core::validate::{Check, Rule};

/// A small generator of repeatable numbers.
#[derive(Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end.max(1) as u64).unwrap()
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for index in (1..list.len()).rev() {
            list.swap(index, self.below(index + 1));
        }
    }
}

pub fn author(number: u8) -> AuthorKey {
    AuthorKey::from_seed(&[number; 32])
}

fn make(kind: ObjectKind, key: &str) -> Op {
    Op { object: None, place: Place::Key(key.to_owned()), action: Action::Make(kind), pred: vec![] }
}

/// A world-writable document with a text, a list and a map that all share.
pub fn genesis() -> Arc<Genesis> {
    genesis_with(Limits::default())
}

pub fn genesis_with(limits: Limits) -> Arc<Genesis> {
    let creator = author(0);
    let skeleton = vec![make(ObjectKind::Text, "body"), make(ObjectKind::List, "list"), make(ObjectKind::Map, "map")];
    let terms = Terms {
        kind: Kind::Document,
        roots: vec![creator.id()],
        creator: 0,
        policy: Policy::WorldWritable,
        limits,
        read: Read::Public,
        skeleton,
        space: None,
        authority: vec![],
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: [1; 16],
    };
    Arc::new(Genesis::sign(&creator, terms).unwrap())
}

/// A replica with an author on it; changes whose dependencies are missing wait.
pub struct Replica {
    pub key: AuthorKey,
    pub session: Session,
    pub document: Document,
    pub waiting: BTreeMap<ChangeId, VerifiedChange>,
    pub rejected: BTreeMap<ChangeId, Rule>,
    unsigned: Vec<Linked>,
    clock: u64,
}

impl Replica {
    pub fn new(genesis: &Arc<Genesis>, author_number: u8, session: u64) -> Self {
        Replica {
            key: author(author_number),
            session: Session(session),
            document: Document::new(Arc::clone(genesis)).unwrap(),
            waiting: BTreeMap::new(),
            rejected: BTreeMap::new(),
            unsigned: Vec::new(),
            clock: 0,
        }
    }

    pub fn edit<T>(&mut self, closure: impl FnOnce(&mut Edit) -> T) -> Result<T, EditError> {
        self.clock += 1;
        let chain = ChainId { author: self.key.id(), session: self.session };
        let by = EditAs { chain, time_ms: self.clock, message: None, authority: &[], judge: UNJUDGED };
        let made = self.document.edit(&by, closure)?;
        self.unsigned.extend(made.changes.into_iter().map(|accepted| accepted.change));
        Ok(made.result)
    }

    /// Signs what was edited since the last time.
    pub fn commit(&mut self) -> Vec<VerifiedChange> {
        let unsigned = std::mem::take(&mut self.unsigned);
        if unsigned.is_empty() {
            return Vec::new();
        }
        let id = self.document.history().genesis().id();
        Verified::sign(&self.key, id, &unsigned).unwrap().into_changes()
    }

    /// Takes changes in any order; those that are ready are accepted, the others wait.
    pub fn receive(&mut self, changes: &[VerifiedChange]) {
        self.waiting.extend(changes.iter().map(|change| (change.id(), change.clone())));
        loop {
            let mut progress = false;
            for (id, change) in std::mem::take(&mut self.waiting) {
                match self.document.check(&change) {
                    Check::Valid(valid) => {
                        self.document.accept(*valid).unwrap();
                        progress = true;
                    }
                    Check::Known => {}
                    Check::Missing(_) => {
                        self.waiting.insert(id, change);
                    }
                    Check::Rejected(rule) => {
                        self.rejected.insert(id, rule);
                    }
                }
            }
            if !progress {
                return;
            }
        }
    }

    /// Everything that two replicas must agree on.
    pub fn picture(&mut self) -> (Vec<[u8; 32]>, String) {
        self.document.project().unwrap();
        let content = self.document.content();
        let list: Vec<_> = (0..content.list("list").len()).map(|at| content.list("list").value(at)).collect();
        let map = content.map("map");
        let map: Vec<_> = map.keys().into_iter().map(|key| (map.values(&key), key)).collect();
        let root: Vec<_> = content.keys().into_iter().map(|key| (content.values(&key), key)).collect();
        let body = content.text("body");
        let rich = format!("{:?} {:?}", body.marks(), body.spans());
        (self.document.projected_heads(), format!("{body} {rich} {list:?} {map:?} {root:?}"))
    }
}

fn any_mark(text: &TextEdit, dice: &mut Dice) {
    let from = dice.below(text.len() + 1);
    let range = from..from + dice.below(text.len() - from + 1);
    let name = ["bold", "link"][dice.below(2)];
    let expand = [Expand::None, Expand::Before, Expand::After, Expand::Both][dice.below(4)];
    match dice.below(4) {
        0 => text.unmark(range, name, expand),
        1 => text.mark(range, name, "https://example.org", expand),
        _ => text.mark(range, name, true, expand),
    }
}

fn any_block(text: &TextEdit, dice: &mut Dice) {
    let blocks: Vec<usize> = text
        .to_string()
        .chars()
        .enumerate()
        .filter(|(_, character)| *character == '\u{fffc}')
        .map(|(at, _)| at)
        .collect();
    match (blocks.get(dice.below(blocks.len())).copied(), dice.below(4)) {
        (Some(at), 0) => text.join_block(at),
        (Some(at), 1) => text.replace_block(at).put("type", "heading"),
        (Some(at), 2) => text.block(at).put("type", "quote"),
        _ => text.split_block(dice.below(text.len() + 1)).put("type", "paragraph"),
    }
}

/// Any edit that the handles offer.
pub fn any_edit(edit: &mut Edit, dice: &mut Dice) {
    let (text, list, map) = (edit.text("body"), edit.list("list"), edit.map("map"));
    let key = ["a", "b", "c"][dice.below(3)];
    for _ in 0..=dice.below(2) {
        match dice.below(18) {
            0..=3 => text.insert(dice.below(text.len() + 1), ["x", "yz", "\u{1f980}!", "e\u{301}"][dice.below(4)]),
            4 | 5 if !text.is_empty() => {
                let at = dice.below(text.len());
                text.delete(at, 1 + dice.below((text.len() - at).min(3)));
            }
            6 => list.insert(dice.below(list.len() + 1), i64::try_from(dice.below(9)).unwrap()),
            7 if !list.is_empty() => list.delete(dice.below(list.len())),
            8 if !list.is_empty() => list.set(dice.below(list.len()), "set"),
            9 => map.put(key, i64::try_from(dice.below(9)).unwrap()),
            10 => map.delete(key),
            11 if map.value("n").is_none() => map.put("n", pistol_core::document::Value::Counter(1)),
            12 => {
                let nested = map.map("nested");
                nested.put(key, f64::NAN);
                nested.text("deep").push("d");
            }
            13..=15 => any_mark(&text, dice),
            16 => any_block(&text, dice),
            _ => list.insert_map(dice.below(list.len() + 1)).put(key, vec![1u8, 2]),
        }
    }
}
