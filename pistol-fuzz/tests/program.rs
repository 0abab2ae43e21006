//! The program as CI runs it: it finds nothing, and what is planted for it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::process::Command;

use serde_json::Value;

/// Runs the program. Returns whether it was content, its line, and what it said of findings.
fn run(arguments: &[&str]) -> (bool, Value, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pistol-fuzz")).args(arguments).output().unwrap();
    let line = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.success(), line, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn no_input_of_two_thousand_does_harm() {
    let (is_content, line, said) = run(&["--inputs", "2000", "--seed", "5"]);
    assert!(is_content, "{said}");
    assert_eq!(line["inputs"], 2000);
    let whole_and_step =
        |entry: &str| ["whole_ms", "worst_ms"].map(|time| line["entries"][entry][time].as_f64().unwrap());
    // A history is many steps; a frame is one.
    assert!(whole_and_step("history")[0] > whole_and_step("history")[1]);
    assert!((whole_and_step("frame")[0] - whole_and_step("frame")[1]).abs() < f64::EPSILON);
    assert_eq!(line["entries"].as_object().unwrap().len(), 18);
}

#[test]
fn the_same_seed_gives_the_same_inputs() {
    let accepted = || run(&["--inputs", "500", "--seed", "6", "--entry", "genesis"]).1["accepted"].clone();
    assert_eq!(accepted(), accepted());
}

#[test]
fn what_is_planted_is_found_with_the_command_that_finds_it_again() {
    let planted = [
        ("planted-panic", "panics", "a planted panic"),
        ("planted-contained-panic", "panics", "a planted panic"),
        ("planted-allocation", "memory_excesses", "bytes were allocated at once"),
        ("planted-divergence", "divergences", "a planted divergence"),
    ];
    for (entry, counted, cause) in planted {
        let (is_content, line, said) = run(&["--entry", entry, "--inputs", "500", "--seed", "3"]);
        assert!(!is_content && line[counted].as_u64() > Some(0), "{entry}: {line}");
        assert!(said.contains(cause), "{said}");
        let again = said.lines().find_map(|line| line.split_once("pistol-fuzz -- ")).unwrap().1;
        let (is_content, line, _) = run(&again.split(' ').collect::<Vec<_>>());
        assert!(!is_content && line["inputs"] == 1 && line[counted] == 1, "{again}: {line}");
    }
}
