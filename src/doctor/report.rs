//! What an examination found, and what to do about it.

use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Good to know; nothing is wrong.
    Note,
    /// Something costs time, or will soon go wrong; nothing is lost.
    Warning,
    /// Something is not what was written.
    Damage,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a file, a document, a name.
    pub about: String,
    /// What was found.
    pub what: String,
    /// What to do.
    pub help: String,
    /// Whether it was put in order.
    pub is_repaired: bool,
}

/// What an examination found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// What was found, in the order of looking.
    pub findings: Vec<Finding>,
    /// How many documents there are.
    pub documents: u64,
    /// How many of their changes can be read and shown.
    pub changes: u64,
}

impl Report {
    /// Whether nothing is damaged, or what was is put in order.
    pub fn is_healthy(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Damage || finding.is_repaired)
    }

    pub(super) fn find(&mut self, severity: Severity, about: &str, what: impl Into<String>, help: &str) {
        let (about, what, help) = (about.to_owned(), what.into(), help.to_owned());
        self.findings.push(Finding { severity, about, what, help, is_repaired: false });
    }

    pub(super) fn repaired(&mut self, about: &str, what: impl Into<String>, help: &str) {
        self.find(Severity::Damage, about, what, help);
        if let Some(last) = self.findings.last_mut() {
            last.is_repaired = true;
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match (self.is_repaired, self.severity) {
            (true, _) => "repaired",
            (false, Severity::Note) => "note",
            (false, Severity::Warning) => "warning",
            (false, Severity::Damage) => "damage",
        };
        write!(f, "{mark}: {}: {}; {}", self.about, self.what, self.help)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings.iter().try_for_each(|finding| writeln!(f, "{finding}"))?;
        write!(f, "{} documents with {} changes can be read", self.documents, self.changes)
    }
}
