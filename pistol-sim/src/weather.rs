//! What a seed's world is like: how large, how slow, and how much goes wrong.

use crate::chance::Chance;

#[derive(Clone, Debug)]
pub(crate) struct Weather {
    pub(crate) nodes: u64,
    pub(crate) documents: u64,
    /// How long users act and things go wrong.
    pub(crate) span_ms: u64,
    pub(crate) acts: u64,
    pub(crate) faults: u64,
    /// How often a stranger floods.
    pub(crate) floods: u64,
    /// In how many of a hundred documents roles and revocations say who may write.
    pub(crate) teams_percent: u64,
    /// How many traitors there are in such documents, and how often they tell a node something.
    pub(crate) traitors: u64,
    pub(crate) treasons: u64,
    pub(crate) latency_ms: u64,
    pub(crate) disk_ms: u64,
    pub(crate) store_fails_percent: u64,
    pub(crate) dial_fails_percent: u64,
    pub(crate) tampered_percent: u64,
    /// In how many of a hundred restarts a backup is put in place.
    pub(crate) restore_percent: u64,
    /// Whether users write so much that rows are sealed into larger ones.
    pub(crate) is_busy: bool,
    /// After how many changes snapshots are renewed.
    pub(crate) snapshot_changes: u32,
    /// In how many of a hundred crashes a snapshot is damaged.
    pub(crate) rotten_percent: u64,
    /// How much memory documents may take; without any each is closed whenever it may be.
    pub(crate) open_bytes: usize,
}

impl Weather {
    pub(crate) fn of(chance: &mut Chance) -> Self {
        let is_fair = chance.percent(10);
        let bad = |value: u64| if is_fair { 0 } else { value };
        let nodes = chance.pick(&[2, 2, 2, 3, 3, 4, 5]).unwrap_or(2);
        let documents = chance.pick(&[1, 1, 1, 2, 3]).unwrap_or(1);
        let latency_ms = chance.pick(&[1, 5, 20, 100, 400]).unwrap_or(5);
        let disk_ms = chance.pick(&[1, 1, 5, 30, 300]).unwrap_or(5);
        Weather {
            nodes,
            documents,
            span_ms: chance.between(1000, 8000),
            acts: chance.between(10, 60),
            faults: bad(chance.below(15)),
            latency_ms,
            disk_ms,
            store_fails_percent: bad(chance.pick(&[0, 0, 5, 30]).unwrap_or(0)),
            dial_fails_percent: bad(chance.pick(&[0, 10, 40]).unwrap_or(0)),
            tampered_percent: bad(chance.pick(&[0, 0, 0, 30]).unwrap_or(0)),
            restore_percent: chance.pick(&[0, 0, 30, 80]).unwrap_or(0),
            is_busy: chance.percent(25),
            snapshot_changes: chance.pick(&[1, 3, 10, 40, pistol_engine::SNAPSHOT_CHANGES]).unwrap_or(10),
            rotten_percent: bad(chance.pick(&[0, 0, 50]).unwrap_or(0)),
            floods: bad(chance.pick(&[0, 0, 1, 3]).unwrap_or(0)),
            open_bytes: chance.pick(&[pistol_engine::OPEN_BYTES, 0]).unwrap_or(0),
            teams_percent: chance.pick(&[0, 0, 50, 100, 100]).unwrap_or(100),
            traitors: chance.between(1, 2),
            treasons: bad(chance.pick(&[0, 0, 2, 6]).unwrap_or(0)),
        }
    }

    /// Nothing goes wrong any more.
    pub(crate) fn clear_up(&mut self) {
        self.store_fails_percent = 0;
        self.dial_fails_percent = 0;
        self.tampered_percent = 0;
    }
}
