//! Numbers as values are written relative to the one before them of the same type.

/// The last number of each type.
#[derive(Default)]
pub(super) struct Before {
    pub(super) int: Last,
    pub(super) uint: Last,
    pub(super) timestamp: Last,
    pub(super) counter: Last,
}

/// The last number of a type. Differences wrap around, so that every number has one.
#[derive(Default)]
pub(super) struct Last(i64);

impl Last {
    /// The difference to the last number, which `number` then is.
    pub(super) fn delta(&mut self, number: i64) -> i64 {
        let delta = number.wrapping_sub(self.0);
        self.0 = number;
        delta
    }

    /// The number at a difference to the last one, which it then is.
    pub(super) fn at(&mut self, delta: i64) -> i64 {
        self.0 = self.0.wrapping_add(delta);
        self.0
    }
}
