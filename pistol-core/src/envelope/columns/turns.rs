//! Whose change comes next: authors who work together take turns, so a run is probably followed by what followed it last.

/// What followed each run last; at first the next run, and the last one came before the first.
pub(super) struct Turns {
    followers: Vec<usize>,
    /// The run of the last change.
    last: usize,
}

/// The code of the run that is expected; others are one more than their index.
const EXPECTED: u64 = 0;

impl Turns {
    pub(super) fn new(runs: usize) -> Self {
        let followers = (1..runs).chain([0]).take(runs).collect();
        Turns { followers, last: runs.saturating_sub(1) }
    }

    /// The run of the last change.
    pub(super) fn last(&self) -> usize {
        self.last
    }

    fn expected(&self) -> Option<usize> {
        self.followers.get(self.last).copied()
    }

    /// How the run of the next change is written.
    pub(super) fn code(&self, run: usize) -> u64 {
        if self.expected() == Some(run) { EXPECTED } else { run as u64 + 1 }
    }

    /// The run of the next change, as it was written.
    pub(super) fn run(&self, code: u64) -> Option<usize> {
        match code {
            EXPECTED => self.expected(),
            code => usize::try_from(code - 1).ok().filter(|run| *run < self.followers.len()),
        }
    }

    /// Moves on past a change of a run.
    pub(super) fn pass(&mut self, run: usize) {
        if let Some(follower) = self.followers.get_mut(self.last) {
            *follower = run;
        }
        self.last = run;
    }
}
