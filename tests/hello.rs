//! The program of the README, as both peers, in processes of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running example; killed when dropped.
struct Hello {
    child: Child,
    typed: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Hello {
    fn start(program: &Path, arguments: &[&str]) -> Hello {
        let mut command = Command::new(program);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Hello { typed: child.stdin.take().unwrap(), child, lines }
    }

    fn type_line(&mut self, line: &str) {
        writeln!(self.typed, "{line}").unwrap();
    }

    /// Reads lines until one begins so, and returns the rest of it.
    fn until(&mut self, beginning: &str) -> String {
        let rest = |line: Result<String, _>| line.unwrap().strip_prefix(beginning).map(str::to_owned);
        self.lines.by_ref().find_map(rest).unwrap()
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An example, which `cargo test --workspace` builds beside the tests; built here if only this test was asked for.
fn program(name: &str) -> PathBuf {
    let build = ["build", "--quiet", "--locked", "--workspace", "--example", name];
    let root = env!("CARGO_MANIFEST_DIR");
    assert!(Command::new(env!("CARGO")).args(build).current_dir(root).status().unwrap().success());
    let tests = std::env::current_exe().unwrap();
    tests.ancestors().nth(2).unwrap().join("examples").join(name)
}

#[test]
fn the_program_of_the_readme_greets_itself_as_two_peers() {
    let folder = tempfile::tempdir().unwrap();
    let program = program("hello");
    let store = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut first = Hello::start(&program, &[&store("one.pistol")]);
    let ticket = first.until("invite: ");
    let mut second = Hello::start(&program, &[&store("two.pistol"), &ticket]);
    assert_eq!(second.until("invite: ").get(..6), Some("pistol"));
    first.until("");
    assert_eq!([first.until("Hello"), first.until("Hello")], ["!", "!"]);
}

#[test]
fn in_the_chat_nobody_edits_what_another_one_said() {
    let folder = tempfile::tempdir().unwrap();
    let program = program("chat");
    let store = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut ann = Hello::start(&program, &[&store("ann.pistol"), "--headless"]);
    let ticket = ann.until("invite: ");
    ann.type_line("/name Ann");
    ann.type_line("Nobody edits this.");
    let mut bob = Hello::start(&program, &[&store("bob.pistol"), &ticket, "--headless"]);
    let anns = bob.until("1 Ann#");
    assert!(anns.ends_with(": Nobody edits this."), "{anns}");
    bob.type_line("/edit 1 But I do!");
    let refused = bob.until("error: ");
    assert!(refused.contains("only they may"), "{refused}");
    bob.type_line("/name Bob\u{1b}[2J");
    bob.type_line("So be it.");
    let bobs = ann.until("2 Bob [2J#");
    assert!(bobs.ends_with(": So be it."), "{bobs}");
    ann.type_line("/delete 2");
    ann.until("error: ");
    ann.type_line("/edit 1 Nobody else edits this.");
    assert!(bob.until("1 Ann#").ends_with(": Nobody else edits this."));
    ann.type_line("/quit");
    assert!(ann.child.wait().unwrap().success());
}

#[test]
fn on_the_board_of_scores_nobody_changes_a_score_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let program = program("scores");
    let store = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut ann = Hello::start(&program, &[&store("ann.pistol")]);
    let ticket = ann.until("invite: ");
    ann.type_line("ann 7");
    assert_eq!(ann.until("scores.ann: "), "7");
    let mut bob = Hello::start(&program, &[&store("bob.pistol"), &ticket]);
    assert_eq!(bob.until("scores.ann: "), "7");
    bob.type_line("ann 0");
    let refused = bob.until("");
    let refused = if refused.starts_with("invite") { bob.until("") } else { refused };
    assert!(refused.contains("only they may"), "{refused}");
    bob.type_line("bob 9");
    assert_eq!(ann.until("scores.bob: "), "9");
}

#[test]
fn a_rich_text_keeps_its_blocks_its_marks_and_cursors_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(program("rich")).arg(folder.path().join("rich.pistol")).output().unwrap();
    assert!(output.status.success());
    let first = "<h1>Plans</h1>\n<p>We meet at <b>noon</b>.</p>\n";
    let second = "<h1>Plans</h1>\n<p>On Monday: We meet at <b>nooon</b>.</p>\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), [first, second].concat());
}

#[test]
fn the_readme_shows_the_example_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    assert!(read("README.md").contains(&format!("```rust\n{}```", read("examples/hello.rs"))));
}
