//! What all must read alike of a rich text, and of what happened to it.

use std::collections::{BTreeMap, BTreeSet};

use pistol_core::document::{Cursor, LogEntry, Mark, TextSpan};
use pistol_core::id::ChangeId;

use crate::machine::Machine;

/// The shared text with everything in it, and the history in an order of its own.
#[derive(Debug, PartialEq)]
pub struct Rich {
    spans: Vec<String>,
    marks: Vec<Mark>,
    history: Vec<LogEntry>,
}

impl Rich {
    pub fn of(machine: &Machine) -> Self {
        machine.look(|insight| {
            let (content, mut history) = (insight.document.content(), insight.document.log());
            check_order(&history);
            history.sort_by_key(|entry| entry.id);
            let text = content.text("body");
            let (spans, marks) = (text.spans(), text.marks());
            assert_eq!(spans.iter().map(plain).collect::<String>(), text.to_string());
            assert!(marks.iter().all(|mark| !mark.range.is_empty() && mark.range.end <= text.len()), "{marks:?}");
            Rich { spans: spans.iter().map(|span| format!("{span:?}")).collect(), marks, history }
        })
    }

    /// The history tells of these changes and of no others.
    pub fn check_history(&self, accepted: &BTreeSet<ChangeId>) {
        assert_eq!(self.history.iter().map(|entry| entry.id).collect::<BTreeSet<_>>(), *accepted);
    }
}

/// Each session is told from its first change on, without a gap.
fn check_order(history: &[LogEntry]) {
    let mut told = BTreeMap::new();
    for entry in history {
        let before = told.insert((entry.author, entry.session), entry.seq).unwrap_or(0);
        assert_eq!(entry.seq, before + 1);
    }
}

/// A span as it stands in the plain text.
fn plain(span: &TextSpan<'_>) -> String {
    match span {
        TextSpan::Text { text, .. } => text.clone(),
        _ => "\u{fffc}".to_owned(),
    }
}

/// A cursor at a place of the shared text, which is there now.
pub fn cursor(machine: &Machine, number: usize, is_after: bool) -> Option<Cursor> {
    machine.look(|insight| {
        let text = insight.document.content().text("body");
        let at = number % (text.len() + 1);
        let cursor = if is_after { text.cursor_after(at) } else { text.cursor(at) };
        assert!(cursor.is_none_or(|cursor| text.position(&cursor) == Some(at)), "{cursor:?} at {at}");
        cursor
    })
}

/// Where a cursor is.
pub fn position(machine: &Machine, cursor: &Cursor) -> Option<usize> {
    machine.look(|insight| insight.document.content().text("body").position(cursor))
}

/// Whether what a cursor names came here.
pub fn knows(machine: &Machine, cursor: &Cursor) -> bool {
    let named = cursor.to_string();
    machine.look(|insight| {
        let history = insight.document.history();
        let mut ids = (0..history.next()).filter_map(|ordinal| history.id(ordinal));
        ids.any(|id| named.starts_with(&format!("{id}:")))
    })
}
