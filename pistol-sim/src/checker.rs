//! What must hold: always, and in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use pistol_core::change::Kind;
use pistol_core::document::{Content, Document, ListContent, MapContent, Value};
use pistol_core::id::{ChangeId, DocumentId};
use pistol_core::validate::Branch;
use pistol_engine::{ConnectionId, Documents};
use pistol_sync::proto::message::{Acknowledge, Follow, Message, Topic};

use crate::disk::{Disk, changes_in};

/// What was promised to somebody.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    /// Envelopes sent, in order.
    sent: BTreeMap<(ConnectionId, usize, Topic), Vec<Vec<ChangeId>>>,
    /// Changes that were acknowledged to a user or a peer: they must be everywhere in the end.
    promised: BTreeSet<ChangeId>,
}

impl Checker {
    /// A frame leaves a node that has this disk.
    pub(crate) fn sends(
        &mut self,
        (connection, sender, receiver): (ConnectionId, usize, usize),
        frame: &[u8],
        disk: &Disk,
        is_tampered: bool,
    ) -> Result<(), String> {
        let durable = &disk.platter.changes;
        match Message::from_frame(frame) {
            Ok(Some(Message::Envelope(topic, bytes))) => {
                let ids = changes_in(&bytes);
                if ids.is_empty() {
                    return Err("a node sent an envelope that cannot be read".to_owned());
                }
                if let Some(id) = ids.iter().find(|id| !durable.contains(id)) {
                    return Err(format!("a node sent change {id:?} before it was durable there"));
                }
                self.sent.entry((connection, sender, topic)).or_default().push(ids);
                Ok(())
            }
            Ok(Some(Message::Acknowledge(acknowledge))) if !is_tampered => {
                self.acknowledges((connection, receiver), &acknowledge, durable)
            }
            Ok(Some(Message::Follow(Follow { genesis: Some(genesis), .. }))) if !disk.holds_genesis(&genesis) => {
                Err("a node sent a document before it was durable there".to_owned())
            }
            Ok(_) => Ok(()),
            Err(error) => Err(format!("a node sent a frame that cannot be read: {error}")),
        }
    }

    fn acknowledges(
        &mut self,
        (connection, sender): (ConnectionId, usize),
        acknowledge: &Acknowledge,
        durable: &BTreeSet<ChangeId>,
    ) -> Result<(), String> {
        let sent = self.sent.get(&(connection, sender, acknowledge.topic)).map_or(&[][..], Vec::as_slice);
        let count = usize::try_from(acknowledge.count).unwrap_or(usize::MAX);
        if acknowledge.waiting > 0 {
            return Ok(());
        }
        let taken = sent.get(..count).ok_or("a node acknowledged what was never sent")?;
        for id in taken.iter().flatten() {
            let is_refused = acknowledge.refused.iter().any(|(refused, _)| refused == id.as_bytes());
            if !is_refused && !durable.contains(id) {
                return Err(format!("a node acknowledged change {id:?} that is not durable there"));
            }
            self.promised.insert(*id);
        }
        Ok(())
    }

    /// A user was told that these are safe.
    pub(crate) fn promise(&mut self, ids: &BTreeSet<ChangeId>) {
        self.promised.extend(ids);
    }

    /// A backup took the place of a store: what nobody else holds is lost, and nobody could help it.
    pub(crate) fn lost(&mut self, lost: &BTreeSet<ChangeId>) {
        self.promised.retain(|id| !lost.contains(id));
    }

    /// In the end: everything promised is among what all accepted.
    pub(crate) fn is_kept(&self, accepted: &BTreeSet<ChangeId>) -> Result<(), String> {
        match self.promised.iter().find(|id| !accepted.contains(id)) {
            Some(id) => Err(format!("change {id:?} was acknowledged and is gone")),
            None => Ok(()),
        }
    }
}

/// How often chains of a document forked.
pub(crate) fn forks(document: &Document) -> u64 {
    let history = document.history();
    let chains: std::collections::BTreeSet<_> = history.branches().iter().map(Branch::chain).collect();
    (history.branches().len() - chains.len()) as u64
}

/// All that two nodes with the same document must agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) changes: BTreeSet<ChangeId>,
    heads: Vec<[u8; 32]>,
    shown: String,
}

impl Picture {
    /// What a node shows of a document; none if it is not open.
    pub(crate) fn of(documents: &Documents, document: &DocumentId) -> Option<Picture> {
        documents.look(document, |insight| Picture::of_document(insight.document)).ok()
    }

    pub(crate) fn of_document(document: &Document) -> Picture {
        let history = document.history();
        let changes = (1..history.next()).filter_map(|ordinal| history.id(ordinal)).collect();
        Picture { changes, heads: document.projected_heads(), shown: shown(&document.content()) }
    }

    /// In what two pictures differ, in words.
    pub(crate) fn difference(&self, other: &Picture) -> Option<String> {
        if self.changes != other.changes {
            let missing: Vec<_> = other.changes.difference(&self.changes).take(3).collect();
            let more: Vec<_> = self.changes.difference(&other.changes).take(3).collect();
            return Some(format!("one lacks {missing:?}, the other {more:?}"));
        }
        if self.heads != other.heads {
            return Some("they hold the same changes, and their projections have other heads".to_owned());
        }
        (self.shown != other.shown).then(|| format!("they show\n{}\nand\n{}", self.shown, other.shown))
    }
}

fn shown(content: &Content<'_>) -> String {
    let mut out = String::new();
    show_map(content, &mut out);
    out
}

fn show_map(map: &MapContent<'_>, out: &mut String) {
    out.push('{');
    for key in map.keys() {
        let _ = write!(out, "{key}: {:?} ", map.values(&key));
        match map.value(&key) {
            Some(Value::Object(Kind::Text)) => out.push_str(&map.text(&key).to_string()),
            Some(Value::Object(Kind::Map)) => show_map(&map.map(&key), out),
            Some(Value::Object(Kind::List)) => show_list(&map.list(&key), out),
            _ => {}
        }
    }
    out.push('}');
}

fn show_list(list: &ListContent<'_>, out: &mut String) {
    out.push('[');
    for at in 0..list.len() {
        match list.value(at) {
            Some(Value::Object(Kind::Map)) => show_map(&list.map(at), out),
            value => drop(write!(out, "{value:?} ")),
        }
    }
    out.push(']');
}
