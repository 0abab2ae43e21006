//! Nothing acknowledged is lost, whenever a process is killed while a document is shared and joined.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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

/// How often a node is killed under load: a few times, or as often as `PISTOL_KILLS` says.
fn kills_under_load() -> usize {
    std::env::var("PISTOL_KILLS").map_or(4, |kills| kills.parse().unwrap())
}

/// Appends lines until it is told to stop, through whatever process has the store. Returns those that were acknowledged.
fn append_until(stop: &AtomicBool, acknowledged: &AtomicUsize, store: &Path, name: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Acquire) {
            break;
        }
        let line = format!("{name} {number}");
        if pistol(store, &["edit", "notes", "--append", &line]).output().unwrap().status.success() {
            lines.push(line);
            acknowledged.fetch_add(1, Ordering::AcqRel);
        }
    }
    lines
}

#[test]
fn a_node_killed_under_load_loses_nothing_acknowledged_and_forks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let mut dice = Dice(0x10ad);
    ok(&one, &["new", "notes", "--policy", "world-writable"]);
    let mut share = Share::start(&one);
    ok(&two, &["join", &share.ticket, "--as", "notes", "--wait", "--timeout", "1m"]);
    let mut lines: Vec<String> = Vec::new();
    for round in 0..kills_under_load() {
        let (stop, acknowledged) = (AtomicBool::new(false), AtomicUsize::new(0));
        let (wanted, looks) = (dice.below(5), dice.below(200_000));
        let append = |writer| append_until(&stop, &acknowledged, &one, &format!("round {round} writer {writer}"));
        std::thread::scope(|scope| {
            let append = &append;
            let writers: Vec<_> = (0..3).map(|writer| scope.spawn(move || append(writer))).collect();
            // A peer is sent at the same time what must not be lost here afterwards.
            let sync = pistol(&two, &["sync", "notes", "--timeout", "1m"]).spawn().unwrap();
            while acknowledged.load(Ordering::Acquire) < usize::try_from(wanted).unwrap() {
                std::thread::yield_now();
            }
            (0..looks).for_each(|_| std::hint::spin_loop());
            share.child.kill().unwrap();
            share.child.wait().unwrap();
            kill_or_let_end(sync, dice.below(2000));
            stop.store(true, Ordering::Release);
            lines.extend(writers.into_iter().flat_map(|writer| writer.join().unwrap()));
        });
        share = Share::start(&one);
    }
    ok(&two, &["sync", "notes", "--wait", "--timeout", "1m"]);
    let (mine, theirs) = (ok(&one, &["cat", "notes"]), ok(&two, &["cat", "notes"]));
    let forks = [&one, &two].map(|store| ok(store, &["status"]).matches("wrote two histories").count());
    share.kill();
    assert_eq!(mine, theirs);
    assert_eq!(forks, [0, 0], "a session went on from a place that it had left");
    assert!(!lines.is_empty());
    for line in &lines {
        assert_eq!(mine.lines().filter(|there| there == line).count(), 1, "{line}");
    }
    eprintln!("{} kills, {} lines acknowledged and there", kills_under_load(), lines.len());
}
