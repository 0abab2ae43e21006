//! What one input costs: time, memory, and the panics on its way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;

use crate::finding::Outcome;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// What the last panics said, also of those that were caught on their way.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What an input did.
#[derive(Debug)]
pub struct Measured {
    /// What it came to; `None` if it panicked.
    pub outcome: Option<Outcome>,
    /// What its panics said, also of those that were caught inside.
    pub panics: Vec<String>,
    /// How long it took.
    pub time: Duration,
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
    let (before, began) = (ALLOCATED.current_usage(), Instant::now());
    let outcome = catch_unwind(AssertUnwindSafe(run)).ok();
    let time = began.elapsed();
    let bytes = ALLOCATED.peak_usage().saturating_sub(before);
    let panics = std::mem::take(&mut *PANICS.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    Measured { outcome, panics, time, bytes }
}
