//! The valid revocations of one subject in one log, sorted so that those which act on a grant are found by bisection.

use std::collections::BTreeMap;

use crate::log::{Entry, Logs, Ordinal};
use crate::path::{Level, Naming};

/// What revocations of one line share: whose branch they are on, how senior they are, whether their author resigns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stance {
    branch: u32,
    level: Level,
    is_self: bool,
}

impl Stance {
    /// Whether these may act on a grant: on strictly junior ones, or on their author's own.
    fn reaches(&self, naming: &Naming) -> bool {
        self.level < naming.level || self.is_self && self.level == naming.level
    }
}

/// Revocations of one stance, by place.
#[derive(Clone, Debug, Default)]
struct Line {
    acts: BTreeMap<u32, Ordinal>,
    /// The last place where one takes along what its subject wrote.
    last_cascade: Option<u32>,
}

/// The valid revocations of one subject in one log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acts(BTreeMap<Stance, Line>);

impl Acts {
    pub(crate) fn add(&mut self, by: Ordinal, entry: &Entry, is_self: bool, cascades: bool) {
        let stance = Stance { branch: entry.branch, level: entry.standing.level, is_self };
        let line = self.0.entry(stance).or_default();
        line.acts.insert(entry.place, by);
        if cascades {
            line.last_cascade = line.last_cascade.max(Some(entry.place));
        }
    }

    /// Of each line the revocations that act: those which may, and do not lie in the past of the grant.
    pub(crate) fn acting<'a>(&'a self, logs: &'a Logs, naming: &'a Naming) -> impl Iterator<Item = Acting<'a>> {
        let past = naming.hop.and_then(|hop| logs.entry(hop)).map(|hop| &hop.past);
        self.0.iter().filter(|(stance, _)| stance.reaches(naming)).map(move |(stance, line)| Acting {
            line,
            from: past.map_or(0, |past| past.count(stance.branch)),
            is_self: stance.is_self,
        })
    }
}

/// Revocations on one line, from some place on.
#[derive(Clone, Copy)]
pub(crate) struct Acting<'a> {
    line: &'a Line,
    from: u32,
    /// Whether their author revokes itself.
    pub(crate) is_self: bool,
}

impl<'a> Acting<'a> {
    pub(crate) fn first(&self) -> Option<Ordinal> {
        self.all().next()
    }

    pub(crate) fn all(self) -> impl Iterator<Item = Ordinal> + 'a {
        self.line.acts.range(self.from..).map(|(_, by)| *by)
    }

    /// Whether one of them takes along what its subject wrote.
    pub(crate) fn cascades(&self) -> bool {
        self.line.last_cascade.is_some_and(|last| last >= self.from)
    }
}
