//! What one input costs: time, memory, and the panics on its way.
//!
//! Some inputs are whole histories, given to several replicas piece by piece. What keeps a node busy is then one piece: a
//! [`step`]. Both times are told, that of the longest step and that of the whole.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;

use crate::finding::Outcome;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// What the last panics said, also of those that were caught on their way.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local! {
    /// The longest step of the input that runs now; `None` if it has had none.
    static LONGEST: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// Does what one node does about one thing that came to it.
#[expect(clippy::disallowed_methods, reason = "what an input costs is reported, and decides nothing")]
pub fn step<T>(run: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = run();
    let time = began.elapsed();
    LONGEST.set(LONGEST.get().max(Some(time)));
    result
}

/// What an input did.
#[derive(Debug)]
pub struct Measured {
    /// What it came to; `None` if it panicked.
    pub outcome: Option<Outcome>,
    /// What its panics said, also of those that were caught inside.
    pub panics: Vec<String>,
    /// How long its longest step took; the whole, if it is not one of steps.
    pub time: Duration,
    /// How long all of it took.
    pub whole: Duration,
    /// Bytes that were allocated at once at most, beyond those that were before.
    pub bytes: usize,
}

/// Keeps what panics say instead of printing it. For programs that run nothing else.
pub fn keep_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let mut said = PANICS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if said.len() < 16 {
            said.push(panic.to_string());
        }
    }));
}

/// Runs one input. Nothing else may run in the process meanwhile, or its memory is counted too.
#[expect(clippy::disallowed_methods, reason = "what an input costs is reported, and decides nothing")]
pub fn measured(run: impl FnOnce() -> Outcome) -> Measured {
    ALLOCATED.reset_peak_usage();
    LONGEST.set(None);
    let (before, began) = (ALLOCATED.current_usage(), Instant::now());
    let outcome = catch_unwind(AssertUnwindSafe(run)).ok();
    let whole = began.elapsed();
    let time = LONGEST.get().unwrap_or(whole);
    let bytes = ALLOCATED.peak_usage().saturating_sub(before);
    let panics = std::mem::take(&mut *PANICS.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    Measured { outcome, panics, time, whole, bytes }
}
