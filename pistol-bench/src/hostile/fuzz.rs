//! Hostile inputs, as CI gives them. The fuzzer counts its memory with an allocator of its own, so it is another program.

use std::process::Command;

use crate::Outcome;

/// Runs the fuzzer, which prints its line itself.
///
/// # Errors
/// If it cannot be run, or finds something.
pub(super) fn run() -> Outcome<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["run", "--quiet", "--release", "-p", "pistol-fuzz", "--", "--inputs", "200000", "--seed", "1"];
    let status = Command::new(cargo).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(format!("the fuzzer ended with {status}; it says above why").into()) }
}
