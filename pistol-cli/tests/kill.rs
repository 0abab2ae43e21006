//! Nothing acknowledged is lost, whenever a process is killed while a document is shared and joined.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// How often something is killed.
const KILLS: usize = 50;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn pistol(store: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pistol"));
    command
        .arg("--store")
        .arg(store)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn ok(store: &Path, arguments: &[&str]) -> String {
    let output = pistol(store, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Kills a process after so many looks at it, or lets it end; whether it ended well.
fn kill_or_let_end(mut child: Child, looks: u64) -> bool {
    for _ in 0..looks {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        std::thread::yield_now();
    }
    child.kill().unwrap();
    // A kill that came too late changes nothing.
    child.wait().unwrap().success()
}

/// A running `share`: the process, and its ticket.
struct Share {
    child: Child,
    ticket: String,
    _stdout: BufReader<ChildStdout>,
}

impl Share {
    fn start(store: &Path) -> Share {
        let mut share = pistol(store, &["share", "notes", "--listen", "127.0.0.1:0"]);
        // Nobody reads what it says, so it must have nobody to wait for.
        let mut child = share.stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ticket = String::new();
        stdout.read_line(&mut ticket).unwrap();
        assert!(ticket.starts_with("pistol"), "the ticket is the first line: {ticket}");
        Share { child, ticket: ticket.trim().to_owned(), _stdout: stdout }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn every_line_that_an_exit_code_acknowledged_is_there_after_fifty_kills() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let mut dice = Dice(0x5eed);
    ok(&one, &["new", "notes", "--policy", "world-writable"]);
    let mut share = Share::start(&one);
    ok(&two, &["join", &share.ticket, "--as", "notes", "--wait", "--timeout", "1m"]);
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..KILLS {
        // Somebody on this side writes through the sharing process, somebody on the other side offline; one of the
        // writers, the sharer, or a synchronisation is killed at some point of it.
        for (store, side) in [(&one, "one"), (&two, "two")] {
            let line = format!("{side} {round}");
            let append = pistol(store, &["edit", "notes", "--append", &line]).spawn().unwrap();
            let looks = if dice.below(3) == 0 { dice.below(3000) } else { u64::MAX };
            if kill_or_let_end(append, looks) {
                acknowledged.push(line);
            }
        }
        match dice.below(3) {
            0 => {
                share.kill();
                share = Share::start(&one);
            }
            1 => {
                let sync = pistol(&two, &["sync", "notes", "--timeout", "1m"]).spawn().unwrap();
                kill_or_let_end(sync, dice.below(20_000));
            }
            _ => {
                let sync = pistol(&two, &["sync", "notes", "--timeout", "1m"]).spawn().unwrap();
                share.kill();
                kill_or_let_end(sync, dice.below(20_000));
                share = Share::start(&one);
            }
        }
    }
    ok(&two, &["sync", "notes", "--wait", "--timeout", "1m"]);
    let (mine, theirs) = (ok(&one, &["cat", "notes"]), ok(&two, &["cat", "notes"]));
    share.kill();
    assert_eq!(mine, theirs);
    assert!(acknowledged.len() >= KILLS, "most lines were acknowledged: {}", acknowledged.len());
    for line in &acknowledged {
        assert_eq!(mine.lines().filter(|there| there == line).count(), 1, "{line}");
    }
    assert_eq!(ok(&one, &["cat", "notes"]), mine, "and after the last kill");
}
