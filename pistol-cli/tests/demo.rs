//! The demo, on a short history: every claim is checked and true, for programs and for people.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::process::{Command, Output};

use serde_json::Value;

fn demo(arguments: &[&str]) -> Output {
    // A folder without recorded histories beside it, where nothing is left behind.
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pistol"));
    let output = command.args(arguments).env("TMPDIR", &inside).current_dir(&inside).output().unwrap();
    assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 0, "something was left behind");
    output
}

#[test]
fn every_claim_of_the_demo_is_checked_and_true() {
    let output = demo(&["--json", "demo", "--edits", "500"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["v"] == 1), "{told}");
    let claims: Vec<&Value> = lines.iter().filter(|line| line["claim"].is_string()).collect();
    assert!(claims.iter().all(|claim| claim["ok"] == true), "{told}");
    let about = |words: &str| claims.iter().filter(|claim| claim["claim"].as_str().unwrap().contains(words)).count();
    for (words, count) in [("equal", 2), ("SIGKILL", 1), ("apart", 1), ("refused", 4), ("fork", 2)] {
        assert_eq!(about(words), count, "claims about `{words}` in {told}");
    }
    let last = lines.last().unwrap();
    assert_eq!((&last["ok"], &last["claims"]), (&true.into(), &claims.len().into()));
}

#[test]
fn a_history_that_is_none_fails_in_words() {
    let output = demo(&["demo", "--trace", "missing.json.gz"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing.json.gz"));
}
