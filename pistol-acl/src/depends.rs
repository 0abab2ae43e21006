//! The other logs that a document's log leads to: those of identities and groups that its grants name, and that these name.

use std::collections::BTreeSet;

use crate::access::Access;
use crate::charter::Kind;
use crate::limits;
use crate::log::Entry;
use crate::path::Level;
use crate::record::{Action, LogId, SignedOp, Subject};

/// A log that another one names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Which.
    pub log: LogId,
    /// As what it is named: a log of another kind is not the one that is meant.
    pub kind: Kind,
}

impl Access {
    /// The logs that the document's log leads to, known or not: those that few grants lead to first, of those first the ones that
    /// are named by a grant that counts, by a senior author, and in one log as much as in another. At most [`limits::LOGS_MAX`].
    pub fn needs(&self) -> Vec<Need> {
        self.led_to(limits::LOGS_MAX, |_, _| true)
    }

    /// Those that `is_held` says to be here, however many there are. What was taken in before may stand on each of them, though
    /// others have taken its place since among those that are looked for.
    pub fn needs_held(&self, is_held: impl Fn(&Need) -> bool) -> Vec<Need> {
        self.led_to(usize::MAX, |need, _| is_held(need))
    }

    /// Whether a log would be looked for that is named by one more grant that counts: those that are named by others give way.
    pub fn has_room_for(&self, need: &Need) -> bool {
        let counting = self.led_to(limits::LOGS_MAX, |_, is_counting| is_counting);
        counting.len() < limits::LOGS_MAX || counting.contains(need)
    }

    fn led_to(&self, most: usize, is_wanted: impl Fn(&Need, bool) -> bool) -> Vec<Need> {
        // A log that is named as two kinds is one of them, and nobody can say which before it is here.
        let (mut seen, mut walked) = (BTreeSet::new(), BTreeSet::from([self.changes.document]));
        let mut all = Vec::new();
        let mut logs = vec![(self.changes.document, true)];
        for _ in 0..limits::LOGS_DEPTH_MAX {
            let named = logs.iter().flat_map(|(log, counts)| self.named_in(log, *counts, &is_wanted));
            let mut in_turn: Vec<(bool, usize, Need)> = named.collect();
            // One of each log in turn: who names hundreds in theirs keeps nobody out whom another names.
            in_turn.sort_by_key(|(counts, turn, _)| (!counts, *turn));
            let mut next = Vec::new();
            for (counts, _, need) in in_turn {
                if all.len() < most && seen.insert(need) {
                    all.push(need);
                    next.extend(walked.insert(need.log).then_some((need.log, counts)));
                }
            }
            logs = next;
        }
        all
    }

    /// What a log names, whether by a grant that counts, and at which place there: those come first, and of them what more senior
    /// authors name.
    fn named_in(
        &self,
        log: &LogId,
        is_named: bool,
        is_wanted: &impl Fn(&Need, bool) -> bool,
    ) -> impl Iterator<Item = (bool, usize, Need)> {
        let named = |(ordinal, entry): (_, &Entry)| {
            let (need, counts) = (need_of(&entry.op().action)?, is_named && self.rulings.is_valid(ordinal));
            let is_other = need.log != self.changes.document;
            (is_other && is_wanted(&need, counts)).then_some((counts, entry.standing.level, need))
        };
        let mut all: Vec<(bool, Level, Need)> = self.logs.of_log(log).filter_map(named).collect();
        all.sort_by_key(|(counts, level, _)| (!counts, *level));
        let mut seen = BTreeSet::new();
        all.retain(|(.., need)| seen.insert(*need));
        all.into_iter().enumerate().map(|(place, (counts, _, need))| (counts, place, need))
    }

    /// Whether it is known what the genesis of a log says.
    pub fn knows(&self, log: &LogId) -> bool {
        self.logs.charter(log).is_ok()
    }

    /// How many operations are known in all logs.
    pub fn operations_in_all(&self) -> usize {
        self.logs.len()
    }
}

impl SignedOp {
    /// The log that the operation names by a grant, if it does.
    pub fn need(&self) -> Option<Need> {
        need_of(&self.op().action)
    }
}

fn need_of(action: &Action) -> Option<Need> {
    let Action::Grant { to, .. } = action else { return None };
    let (log, kind) = match to {
        Subject::Key(_) => return None,
        Subject::Identity(log) => (*log, Kind::Identity),
        Subject::Group(log) => (*log, Kind::Group),
        Subject::Space(log) => (*log, Kind::Space),
    };
    Some(Need { log, kind })
}
