//! What a node makes of a document: what it holds, what of it is part of the document, and what readers see.

use std::collections::BTreeSet;
use std::fmt::Write;

use pistol_acl::Access;
use pistol_core::change::Kind;
use pistol_core::document::{Content, Document, ListContent, MapContent, Value};
use pistol_core::id::{ChangeId, DocumentId};
use pistol_core::validate::{Branch, History};
use pistol_engine::{Documents, Insight};

use crate::held::{self, Id};

/// How often chains of a document forked, of what is masked too.
pub(crate) fn forks(history: &History) -> u64 {
    let chains: BTreeSet<_> = history.branches().iter().map(Branch::chain).collect();
    (history.branches().len() - chains.len()) as u64
}

/// All that two nodes with the same document must agree on.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// Everything that is held.
    pub(crate) held: BTreeSet<Id>,
    /// The changes that are part of the document.
    pub(crate) accepted: BTreeSet<ChangeId>,
    /// Whether the judge took all operations into account, and the document shows what it says.
    pub(crate) is_judged: bool,
    heads: Vec<[u8; 32]>,
    shown: String,
}

impl Picture {
    /// What a node makes of a document; none if it is not open.
    pub(crate) fn of(documents: &Documents, document: &DocumentId) -> Option<Picture> {
        documents.look(document, |insight| Picture::of_insight(&insight)).ok()
    }

    fn of_insight(insight: &Insight<'_>) -> Picture {
        let picture = Picture::of_document(insight.document, held::in_document(insight));
        let is_followed = |access: &Access| {
            let accepted: BTreeSet<_> = access.accepted().copied().collect();
            access.is_settled() && accepted == picture.accepted && !insight.document.is_behind()
        };
        Picture { is_judged: insight.access.is_none_or(is_followed), ..picture }
    }

    /// A document as it is shown, and what is held of it.
    pub(crate) fn of_document(document: &Document, held: BTreeSet<Id>) -> Picture {
        let (heads, shown) = (document.projected_heads(), shown(&document.content()));
        Picture { held, accepted: ids(document.history()).collect(), is_judged: true, heads, shown }
    }

    /// In what two pictures differ, in words.
    pub(crate) fn difference(&self, other: &Picture) -> Option<String> {
        if self.held != other.held {
            return Some(format!("of what they hold {}", apart(&self.held, &other.held)));
        }
        if !self.is_judged || !other.is_judged {
            return Some("they hold the same, and what is shown does not follow all operations".to_owned());
        }
        if self.accepted != other.accepted {
            let apart = apart(&self.accepted, &other.accepted);
            return Some(format!("they hold the same, and of what is part of the document {apart}"));
        }
        if self.heads != other.heads {
            return Some("they show the same changes, and their projections have other heads".to_owned());
        }
        (self.shown != other.shown).then(|| format!("they show\n{}\nand\n{}", self.shown, other.shown))
    }
}

/// The changes of a history.
pub(crate) fn ids(history: &History) -> impl Iterator<Item = ChangeId> {
    (1..history.next()).filter_map(|ordinal| history.id(ordinal))
}

fn apart<T: Ord + std::fmt::Debug>(one: &BTreeSet<T>, other: &BTreeSet<T>) -> String {
    let missing: Vec<_> = other.difference(one).take(3).collect();
    let more: Vec<_> = one.difference(other).take(3).collect();
    format!("one lacks {missing:?}, the other {more:?}")
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
