//! A world told in words, one line for each thing in it, so that a failing seed can be read.

use std::fmt;

use super::{Action, Change, Kept, Log, Operation, Revocation, Subject, World};

impl fmt::Display for World {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.logs.iter().try_for_each(|log| writeln!(out, "{log}"))?;
        self.operations.iter().try_for_each(|operation| writeln!(out, "{operation}"))?;
        self.changes.iter().try_for_each(|change| writeln!(out, "{change}"))
    }
}

impl fmt::Display for Log {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let may = if self.is_releasable { "may" } else { "may not" };
        write!(out, "{}: {:?}, {:?}, roots {}, {may} be released", self.id, self.kind, self.policy, list(&self.roots))?;
        match &self.home {
            Some(home) => {
                let by = list(&home.authority);
                write!(out, ", put into {} by {} under {by}", home.space, home.creator)
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signed = if self.is_well_signed { "" } else { " (badly signed)" };
        let (proof, prev) = (list(&self.proof), list(&self.prev));
        write!(out, "{}{signed} in {}: {} {}", self.id, self.log, self.author, self.action)?;
        write!(out, ", under {proof}, after {prev}")
    }
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant { to, role } => write!(out, "makes {to} {role:?}"),
            Self::Revoke(revocation) => revocation.fmt(out),
            Self::Checkpoint { document, heads } => write!(out, "vouches for {} of {document}", list(heads)),
            Self::AddRoot { key } => write!(out, "makes {key} a root"),
            Self::Relinquish => write!(out, "gives up being a root"),
            Self::Release => write!(out, "releases it for ever"),
            Self::RemoveDocument { document } => write!(out, "removes {document}"),
            Self::Acknowledge { document } => write!(out, "acknowledges {document}"),
            Self::Name { name, target } => write!(out, "claims name {name} for {target}"),
            Self::Witness { names } => write!(out, "witnesses {}", list(names)),
        }
    }
}

impl fmt::Display for Revocation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cascade = if self.cascade { ", with what was seen" } else { "" };
        write!(out, "revokes {} ({:?}{cascade}), keeping {}", self.who, self.mode, list(&self.keep))
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Change(id) => id.fmt(out),
            Self::Operation(id) => id.fmt(out),
            Self::Document(id) => id.fmt(out),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(out),
            Self::Identity(log) => write!(out, "the identity of {log}"),
            Self::Group(log) => write!(out, "the group of {log}"),
            Self::Space(log) => write!(out, "the space of {log}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let broken = if self.is_structurally_valid { "" } else { " (malformed)" };
        let (path, deps) = (list(&self.authority), list(&self.deps));
        write!(out, "{}{broken} in {}: {} writes {:?}", self.id, self.document, self.author, self.writes)?;
        write!(out, ", under {path}, after {deps}")
    }
}

fn list(things: &[impl fmt::Display]) -> String {
    let words: Vec<String> = things.iter().map(ToString::to_string).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(" + ") }
}
