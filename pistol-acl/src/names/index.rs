//! Claims by name and witnesses by claim, so that no question walks a whole log. Each operation is looked at once.

use std::collections::BTreeMap;
use std::ops::Bound;

use pistol_core::id::AuthorityId;

use super::form::is_label;
use crate::log::{Logs, Ordinal};
use crate::record::{Action, LogId};

/// Where claims and witnesses are, valid or not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// How many operations were looked at.
    seen: Ordinal,
    claims: BTreeMap<LogId, BTreeMap<String, Vec<Ordinal>>>,
    witnesses: BTreeMap<AuthorityId, Vec<Ordinal>>,
}

impl Index {
    /// Looks at the operations that entered since it did last.
    pub(crate) fn follow(&mut self, logs: &Logs) {
        while let Some(entry) = logs.entry(self.seen) {
            match &entry.op().action {
                Action::Name { name, .. } if is_label(name) => {
                    let of_space = self.claims.entry(entry.op().log).or_default();
                    of_space.entry(name.clone()).or_default().push(self.seen);
                }
                Action::Witness { names } => {
                    names.iter().for_each(|claim| self.witnesses.entry(*claim).or_default().push(self.seen));
                }
                _ => {}
            }
            self.seen += 1;
        }
    }

    pub(super) fn claims(&self, space: &LogId, label: &str) -> &[Ordinal] {
        self.claims.get(space).and_then(|of_space| of_space.get(label)).map_or(&[], Vec::as_slice)
    }

    /// Those that name a claim; they may be of another log.
    pub(super) fn witnesses(&self, claim: &AuthorityId) -> &[Ordinal] {
        self.witnesses.get(claim).map_or(&[], Vec::as_slice)
    }

    pub(super) fn labels<'a>(&'a self, space: &LogId, after: Option<&str>) -> impl Iterator<Item = &'a str> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let of_space = self.claims.get(space).into_iter();
        of_space.flat_map(move |names| names.range::<str, _>((from, Bound::Unbounded))).map(|(label, _)| label.as_str())
    }
}
