//! The program of the README, as both peers, in processes of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running example; killed when dropped.
struct Hello {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Hello {
    fn start(program: &Path, arguments: &[&str]) -> Hello {
        let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Hello { child, lines }
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
