//! `pistol doctor`: checks everything in the store, says what it found and what to do, and puts in order what can be.

use pistol::{Finding, Report, Severity};
use serde::Serialize;

use super::Context;
use crate::failure::{Exit, Failure};
use crate::store::check_exists;

/// Checks everything in the store, and explains what is wrong
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:\n  pistol doctor\n  pistol doctor --repair")]
pub(crate) struct Doctor {
    /// Acts: drops damaged caches, and keeps what can be read of damaged documents; nothing readable is thrown away
    #[arg(long)]
    repair: bool,
}

#[derive(Serialize)]
struct Found<'a> {
    severity: &'static str,
    about: &'a str,
    what: &'a str,
    help: &'a str,
    is_repaired: bool,
}

#[derive(Serialize)]
struct Summary {
    is_healthy: bool,
    documents: u64,
    changes: u64,
}

impl Doctor {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        check_exists(&context.folder)?;
        let folder = &context.folder;
        let report = if self.repair { pistol::repair(folder).await } else { pistol::examine(folder).await };
        let report = report.map_err(Failure::of)?;
        for finding in &report.findings {
            context.output.record(&Found::of(finding), words(finding))?;
        }
        let Report { documents, changes, .. } = report;
        let summary = Summary { is_healthy: report.is_healthy(), documents, changes };
        let found = if report.findings.is_empty() { "nothing is wrong: " } else { "" };
        context
            .output
            .record(&summary, format_args!("{found}{documents} documents with {changes} changes can be read"))?;
        if report.is_healthy() {
            return Ok(());
        }
        let help = if self.repair {
            "do what is said beside each finding"
        } else {
            "do what is said beside each finding; `pistol doctor --repair` acts where it can"
        };
        Err(Failure::new(Exit::Store, "the store is damaged", help))
    }
}

impl<'a> Found<'a> {
    fn of(finding: &'a Finding) -> Self {
        let Finding { about, what, help, is_repaired, .. } = finding;
        Found { severity: severity(finding), about, what, help, is_repaired: *is_repaired }
    }
}

fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        _ => "damage",
    }
}

fn words(finding: &Finding) -> String {
    let mark = if finding.is_repaired { "repaired" } else { severity(finding) };
    format!("{mark}: {}: {}\n  {}", finding.about, finding.what, finding.help)
}
