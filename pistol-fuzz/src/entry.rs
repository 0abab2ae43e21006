//! Everything that takes bytes from outside: one function each, which says whether the bytes were accepted.

pub mod change;
pub mod engine;
pub mod envelope;
pub mod export;
pub mod frame;
pub mod genesis;
pub mod key_file;
mod machine;
pub mod named_keys;
pub mod node;
pub mod operation;
mod planted;
pub mod row;
pub mod snapshot;
pub mod store_file;
pub mod stream;
pub mod ticket;

use crate::chance::Chance;
use crate::finding::Outcome;
use crate::history;

/// A way in.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// How many of a thousand inputs it gets: what costs more gets fewer.
    pub share: u64,
    /// Makes what inputs begin with, so that no input pays for it.
    pub prepare: fn(),
    /// Makes one input and gives it.
    pub run: fn(&mut Chance) -> Outcome,
    /// Whether a panic may happen inside as long as it does not come out.
    pub may_contain_panics: bool,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn entry(name: &'static str, share: u64, prepare: fn(), run: fn(&mut Chance) -> Outcome) -> Entry {
    Entry { name, share, prepare, run, may_contain_panics: false }
}

/// The ways in, with shares of a thousand.
pub const ENTRIES: [Entry; 18] = [
    entry("frame", 163, || {}, frame::run),
    entry("stream", 80, || {}, stream::run),
    entry("named-keys", 30, || {}, named_keys::run),
    entry("envelope", 250, envelope::prepare, envelope::run),
    entry("change", 120, envelope::prepare, change::run),
    entry("operation", 20, || {}, operation::run),
    entry("genesis", 60, || {}, genesis::run),
    entry("key-file", 20, || {}, key_file::run),
    entry("ticket", 80, || {}, ticket::run),
    entry("row", 50, || {}, row::run),
    entry("export", 10, export::prepare, export::run),
    entry("snapshot", 20, snapshot::prepare, snapshot::run),
    entry("node", 30, node::prepare, node::run),
    entry("engine", 20, engine::prepare, engine::run),
    // redb may panic on a damaged file; the store makes it an error.
    Entry {
        name: "store-file",
        share: 2,
        prepare: store_file::prepare,
        run: store_file::run,
        may_contain_panics: true,
    },
    entry("history", 30, history::stage::prepare, history::deliver),
    entry("live", 5, history::stage::prepare, history::deliver_live),
    entry("first-writers", 10, history::stage::prepare, history::deliver_among_first_writers),
];

/// Ways in that are broken on purpose, to prove that a finding is found. They run only when asked for by name.
pub const PLANTED: [Entry; 4] = [
    entry("planted-panic", 0, || {}, planted::panic),
    entry("planted-contained-panic", 0, || {}, planted::contained_panic),
    entry("planted-allocation", 0, || {}, planted::allocation),
    entry("planted-divergence", 0, || {}, planted::divergence),
];

/// The way in of a name, planted ones included.
pub fn named(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().chain(&PLANTED).find(|entry| entry.name == name)
}

/// The way in that an input of a whole run takes.
pub fn of_input(number: u64) -> Option<&'static Entry> {
    // Spread evenly, so that a short run tries them all.
    let mut place = number.wrapping_mul(617) % ENTRIES.iter().map(|entry| entry.share).sum::<u64>().max(1);
    ENTRIES.iter().find(|entry| {
        let is_here = place < entry.share;
        place = place.saturating_sub(entry.share);
        is_here
    })
}
