//! The rule by which a stream counts as stalled.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::STALL_BYTES;

/// How far a frame has come. Each time limit brings it to its end or [`STALL_BYTES`] further, or it has stalled.
pub(super) struct Progress {
    since: Instant,
    bytes: usize,
}

impl Progress {
    pub(super) fn begin() -> Self {
        Self { since: Instant::now(), bytes: 0 }
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes >= STALL_BYTES {
            *self = Self::begin();
        }
    }

    pub(super) fn deadline(&self, limit: Duration) -> Instant {
        self.since.checked_add(limit).unwrap_or(self.since)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Progress, STALL_BYTES};

    #[test]
    fn the_time_limit_begins_anew_only_after_so_many_bytes() {
        let limit = Duration::from_secs(1);
        let mut progress = Progress::begin();
        let first = progress.deadline(limit);
        progress.advance(STALL_BYTES - 1);
        assert_eq!((progress.deadline(limit), progress.bytes), (first, STALL_BYTES - 1));
        progress.advance(1);
        assert_eq!(progress.bytes, 0);
        assert!(progress.deadline(limit) >= first);
    }
}
