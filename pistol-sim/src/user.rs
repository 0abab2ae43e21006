//! What people do to a document.

use std::sync::Arc;

use pistol_core::change::{Action, Kind as ObjectKind, Op, Place};
use pistol_core::document::{Edit, EditError};
use pistol_core::genesis::{Genesis, GenesisError, Insert, Kind, Limits, Policy, Read, ReadKey, Terms};
use pistol_core::id::DocumentId;
use pistol_core::key::AuthorKey;
use pistol_core::validate::Rule;
use pistol_engine::{Documents, Now};

use crate::chance::Chance;

/// A document that some user made, as its tickets tell of it.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) read_key: Option<ReadKey>,
    /// Whether it is in a space, for whoever reads that.
    pub(crate) is_for_readers: bool,
    /// Whether somebody took it out of its space.
    pub(crate) is_removed: bool,
}

impl Made {
    pub(crate) fn id(&self) -> DocumentId {
        self.genesis.id()
    }

    pub(crate) fn has_members(&self) -> bool {
        let terms = self.genesis.terms();
        terms.policy == Policy::Members && terms.kind == Kind::Document
    }
}

/// Makes a document of some kind, without members.
pub(crate) fn make(author: &AuthorKey, chance: &mut Chance) -> Result<Made, GenesisError> {
    make_with(author, None, chance)
}

/// Makes a document with members.
pub(crate) fn make_team(author: &AuthorKey, chance: &mut Chance) -> Result<Made, GenesisError> {
    make_with(author, Some(Policy::Members), chance)
}

/// Makes a space.
pub(crate) fn make_space(author: &AuthorKey, policy: Policy, chance: &mut Chance) -> Result<Made, GenesisError> {
    let made = make_with(author, Some(policy), chance)?;
    let terms = Terms { kind: Kind::Space, skeleton: Vec::new(), ..made.genesis.terms().clone() };
    Ok(Made { genesis: Arc::new(Genesis::sign(author, terms)?), ..made })
}

/// Who may read what has this key.
pub(crate) fn read_by(read_key: Option<&ReadKey>) -> Read {
    read_key.map_or(Read::Public, |key| Read::Key(key.commitment()))
}

fn make_with(author: &AuthorKey, wanted: Option<Policy>, chance: &mut Chance) -> Result<Made, GenesisError> {
    let op = |kind, key: &str| Op {
        object: None,
        place: Place::Key(key.to_owned()),
        action: Action::Make(kind),
        pred: Vec::new(),
    };
    let skeleton = vec![op(ObjectKind::Text, "text"), op(ObjectKind::List, "list"), op(ObjectKind::Map, "map")];
    let read_key = chance.percent(50).then(|| ReadKey(chance.bytes()));
    let terms = Terms {
        kind: Kind::Document,
        roots: vec![author.id()],
        creator: 0,
        policy: wanted.unwrap_or_else(|| policy(chance)),
        limits: Limits::default(),
        read: read_by(read_key.as_ref()),
        skeleton: if chance.percent(70) { skeleton } else { Vec::new() },
        space: None,
        authority: Vec::new(),
        app: uuid::Uuid::nil(),
        predecessor: None,
        nonce: chance.bytes(),
    };
    Ok(Made { genesis: Arc::new(Genesis::sign(author, terms)?), read_key, is_for_readers: false, is_removed: false })
}

fn policy(chance: &mut Chance) -> Policy {
    match chance.below(20) {
        0..=2 => Policy::Owned,
        3..=6 => Policy::FirstWriter {
            insert: if chance.percent(30) { Insert::OwnObject } else { Insert::Anywhere },
            shared_counters: chance.percent(50),
            shared_slots: chance.percent(50),
        },
        _ => Policy::WorldWritable,
    }
}

/// Makes one edit. `Ok(false)` if the document was not changed, or rightly would not be.
pub(crate) fn edit(
    documents: &Documents,
    document: &DocumentId,
    now: Now,
    is_large: bool,
    chance: &mut Chance,
) -> Result<bool, EditError> {
    let steps = chance.between(1, 3);
    let message = chance.percent(5).then_some("a message");
    let edited = documents.edit(document, now, message, |edit| (0..steps).for_each(|_| step(edit, is_large, chance)));
    match edited {
        Ok(edited) => Ok(edited.is_changed),
        Err(
            EditError::Refused(Rule::Policy)
            | EditError::NotYours { .. }
            | EditError::NotAMember
            | EditError::Revoked
            | EditError::Rivals { .. }
            | EditError::Closed,
        ) => Ok(false),
        Err(error) => Err(error),
    }
}

fn step(edit: &Edit, is_large: bool, chance: &mut Chance) {
    match chance.below(10) {
        // One value that takes much room, so that rows fill up.
        0..=4 if is_large => edit.map("map").put(&key(chance), "large ".repeat(chance.index(3000))),
        0..=4 => write(edit, chance),
        5 | 6 => edit.map("map").put(&key(chance), i64::from(chance.percent(50))),
        7 if chance.percent(30) => edit.map("map").delete(&key(chance)),
        7 | 8 => change_list(edit, chance),
        _ => edit.increment("count", 1 + i64::from(chance.percent(30))),
    }
}

fn key(chance: &mut Chance) -> String {
    format!("key {}", chance.below(4))
}

fn write(edit: &Edit, chance: &mut Chance) {
    let text = edit.text("text");
    let length = text.len();
    let at = chance.index(length + 1);
    let removed = if chance.percent(25) { chance.index((length - at).min(5) + 1) } else { 0 };
    let words = ["a", "b", "word ", "\u{1f600}", "e\u{301}"];
    let word = chance.pick(&words).unwrap_or("a");
    text.splice(at, removed, word);
}

fn change_list(edit: &Edit, chance: &mut Chance) {
    let list = edit.list("list");
    let length = list.len();
    match chance.below(5) {
        0 if length > 0 => list.delete(chance.index(length)),
        1 if length > 0 => list.set(chance.index(length), "set"),
        2 => list.insert_map(chance.index(length + 1)).put("inner", true),
        _ => list.insert(chance.index(length + 1), i64::from(chance.percent(50))),
    }
}
