//! What a run found, for machines and for people.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::entry::Entry;
use crate::measure::Measured;

/// Bytes that one input may take at most.
pub const BYTES_MAX: usize = 16 << 20;

/// Milliseconds that an input should take at most. More is told, but is no finding: the machine may have been busy.
const MS_MAX: f64 = 10.0;

/// What many inputs came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Totals {
    /// How many there were.
    pub inputs: u64,
    /// How many were accepted.
    pub accepted: u64,
    /// How many panicked.
    pub panics: u64,
    /// How many broke a promise.
    pub divergences: u64,
    /// How many took more memory than [`BYTES_MAX`].
    pub memory_excesses: u64,
    /// How many kept a node busy for more than 10 ms.
    pub slow: u64,
    /// The longest time for which one kept a node busy, in milliseconds.
    pub worst_ms: f64,
    /// The longest time of a whole one, in milliseconds: a history, with all its replicas.
    pub whole_ms: f64,
    /// The most memory of one, in MiB.
    pub worst_mb: f64,
    /// The number of the input that took longest.
    pub slowest: u64,
}

/// One line of JSON.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    v: u32,
    bench: &'a str,
    case: &'a str,
    seed: u64,
    #[serde(flatten)]
    totals: &'a Totals,
    entries: &'a BTreeMap<&'static str, Totals>,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Everything.
    pub totals: Totals,
    /// By way in.
    pub entries: BTreeMap<&'static str, Totals>,
}

impl Report {
    /// Adds what an input came to. Returns what must not be, in words.
    pub fn add(&mut self, entry: &Entry, number: u64, measured: &Measured) -> Option<String> {
        let finding = finding(entry, measured);
        for totals in [&mut self.totals, self.entries.entry(entry.name).or_default()] {
            totals.add(number, measured, finding.as_ref());
        }
        finding.map(|(_, words)| words)
    }

    /// Whether an input took longer than every one before it, or than one should: it is worth measuring again.
    pub fn is_slowest(&self, entry: &Entry, measured: &Measured) -> bool {
        milliseconds(measured.time) > MS_MAX
            || self.entries.get(entry.name).is_none_or(|totals| milliseconds(measured.time) > totals.worst_ms)
    }

    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.totals.panics + self.totals.divergences + self.totals.memory_excesses == 0
    }

    /// The line for machines.
    pub fn to_line(&self, seed: u64) -> String {
        let (bench, case) = ("hostile", "fuzz");
        let line = Line { v: 1, bench, case, seed, totals: &self.totals, entries: &self.entries };
        serde_json::to_string(&line).unwrap_or_default()
    }
}

enum Found {
    Panic,
    Divergence,
    Memory,
}

fn finding(entry: &Entry, measured: &Measured) -> Option<(Found, String)> {
    match &measured.outcome {
        None => Some((Found::Panic, format!("a panic: {}", measured.panics.join("; ")))),
        Some(_) if !measured.panics.is_empty() && !entry.may_contain_panics => {
            Some((Found::Panic, format!("a panic that was caught inside: {}", measured.panics.join("; "))))
        }
        Some(Err(divergence)) => Some((Found::Divergence, divergence.to_string())),
        Some(Ok(_)) if measured.bytes > BYTES_MAX => {
            Some((Found::Memory, format!("{} bytes were allocated at once", measured.bytes)))
        }
        Some(Ok(_)) => None,
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 100.0
}

impl Totals {
    fn add(&mut self, number: u64, measured: &Measured, found: Option<&(Found, String)>) {
        self.inputs += 1;
        self.accepted += u64::from(matches!(measured.outcome, Some(Ok(true))));
        match found {
            Some((Found::Panic, _)) => self.panics += 1,
            Some((Found::Divergence, _)) => self.divergences += 1,
            Some((Found::Memory, _)) => self.memory_excesses += 1,
            None => {}
        }
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let mb = (measured.bytes as f64 / f64::from(1 << 20) * 100.0).round() / 100.0;
        let ms = milliseconds(measured.time);
        self.slow += u64::from(ms > MS_MAX);
        if ms > self.worst_ms {
            (self.worst_ms, self.slowest) = (ms, number);
        }
        self.whole_ms = self.whole_ms.max(milliseconds(measured.whole));
        self.worst_mb = self.worst_mb.max(mb);
    }
}
