//! What the demo found out: claims, each checked, and figures.

use std::time::Duration;

use serde_json::json;

use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Claims and figures, told as they come.
pub(super) struct Report<'a> {
    output: &'a Output,
    claims: u64,
    broken: u64,
}

impl<'a> Report<'a> {
    pub(super) fn new(output: &'a Output) -> Self {
        Report { output, claims: 0, broken: 0 }
    }

    /// A claim, and whether it is true.
    pub(super) fn claim(&mut self, claim: &str, is_true: bool, detail: &str) -> Result<(), Failure> {
        self.claims += 1;
        self.broken += u64::from(!is_true);
        let verdict = if is_true { "ok   " } else { "FALSE" };
        let record = json!({ "claim": claim, "ok": is_true, "detail": detail });
        self.output.record(&record, format_args!("{verdict}  {claim}: {detail}"))
    }

    /// A number of milliseconds.
    pub(super) fn time(&self, figure: &str, time: Duration) -> Result<(), Failure> {
        let milliseconds = (time.as_secs_f64() * 1e4).round() / 10.0;
        let record = json!({ "figure": figure, "value": milliseconds, "unit": "ms" });
        self.output.record(&record, format_args!("       {figure}: {milliseconds} ms"))
    }

    /// A number of something else.
    pub(super) fn count(&self, figure: &str, value: u64, unit: &str) -> Result<(), Failure> {
        let record = json!({ "figure": figure, "value": value, "unit": unit });
        self.output.record(&record, format_args!("       {figure}: {value} {unit}"))
    }

    /// Says how it went. A demo in which anything was not true has failed.
    pub(super) fn end(self) -> Result<(), Failure> {
        let Report { output, claims, broken } = self;
        let record = json!({ "demo": "ended", "ok": broken == 0, "claims": claims, "broken": broken });
        output.record(&record, format_args!("{} of {claims} claims are true", claims - broken))?;
        if broken == 0 {
            return Ok(());
        }
        let help = "this is a fault of Pistol; please report it with these lines";
        Err(Failure::new(Exit::Failure, format!("{broken} of {claims} claims are not true"), help))
    }
}
