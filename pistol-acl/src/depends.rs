//! The other logs that a document's log leads to: those of identities and groups that its grants name, and that these name.

use std::collections::BTreeSet;

use crate::access::Access;
use crate::charter::Kind;
use crate::limits;
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
    /// are named by a grant that counts. At most [`limits::LOGS_MAX`].
    pub fn needs(&self) -> Vec<Need> {
        let mut seen = BTreeSet::from([self.changes.document]);
        let mut all = Vec::new();
        let mut logs = vec![self.changes.document];
        for _ in 0..limits::LOGS_DEPTH_MAX {
            let (mut counting, mut others) = (Vec::new(), Vec::new());
            for (ordinal, entry) in logs.iter().flat_map(|log| self.logs.of_log(log)) {
                let Some(need) = need_of(&entry.op().action) else { continue };
                if self.rulings.is_valid(ordinal) { counting.push(need) } else { others.push(need) }
            }
            let mut next = Vec::new();
            for need in counting.into_iter().chain(others) {
                if all.len() < limits::LOGS_MAX && seen.insert(need.log) {
                    all.push(need);
                    next.push(need.log);
                }
            }
            logs = next;
        }
        all
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
