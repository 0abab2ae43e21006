//! Simulated time: what is planned, in order.

use std::collections::BTreeMap;

/// A clock that jumps from one planned event to the next.
#[derive(Debug)]
pub(crate) struct Clock<E> {
    now_ms: u64,
    planned: u64,
    due: BTreeMap<(u64, u64), E>,
}

impl<E> Clock<E> {
    pub(crate) fn new() -> Self {
        Clock { now_ms: 0, planned: 0, due: BTreeMap::new() }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Plans an event for a time; a time that has passed is now.
    pub(crate) fn at(&mut self, at_ms: u64, event: E) {
        self.planned += 1;
        self.due.insert((at_ms.max(self.now_ms), self.planned), event);
    }

    pub(crate) fn after(&mut self, delay_ms: u64, event: E) {
        self.at(self.now_ms + delay_ms, event);
    }

    /// The next event of this instant.
    pub(crate) fn due(&mut self) -> Option<E> {
        let first = self.due.first_entry()?;
        (first.key().0 <= self.now_ms).then(|| first.remove())
    }

    /// Jumps to the next event; `false` if nothing is planned.
    pub(crate) fn advance(&mut self) -> bool {
        let next = self.due.first_key_value().map(|((at_ms, _), _)| *at_ms);
        self.now_ms = next.unwrap_or(self.now_ms);
        next.is_some()
    }

    pub(crate) fn planned(&self) -> impl Iterator<Item = &E> {
        self.due.values()
    }
}
