//! Running the program. Everything waits for lines and exits; the limits are for a program that hangs.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Far longer than anything takes on a busy machine.
const HANGS: Duration = Duration::from_mins(2);

/// A store in a folder of its own, and a home that has nothing else.
pub(crate) struct Store {
    folder: TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Store {
    /// An empty store.
    pub(crate) fn new() -> Self {
        let store = Store { folder: tempfile::tempdir().unwrap() };
        store.ok(&["init"]);
        store
    }

    /// A folder in which there is no store yet.
    pub(crate) fn missing() -> Self {
        Store { folder: tempfile::tempdir().unwrap() }
    }

    /// The store's folder.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// A file beside the store.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The command with these arguments, on this store.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pistol"));
        command.args(arguments).env("PISTOL_STORE", self.path()).current_dir(self.folder.path());
        command.env_remove("VISUAL").env_remove("EDITOR").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        Running::start(self.command(arguments)).end()
    }

    /// Runs a command that succeeds; returns its stdout.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert_eq!(done.code, Some(0), "{arguments:?}: {done:?}");
        done.stdout
    }

    /// The objects that a command prints with `--json`.
    pub(crate) fn json(&self, arguments: &[&str]) -> Vec<Value> {
        objects(&self.ok(&[arguments, &["--json"]].concat()))
    }

    /// Starts a command that goes on.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments))
    }

    /// Joins a document, and waits until it is equal.
    pub(crate) fn join(&self, ticket: &str, name: &str) {
        self.ok(&["join", ticket.trim(), "--as", name, "--wait", "--timeout", "2m"]);
    }

    /// Waits until all documents that somebody shares are equal.
    pub(crate) fn sync(&self) {
        self.ok(&["sync", "--wait", "--timeout", "2m"]);
    }

    /// Shares a document at a free port; returns the ticket too.
    pub(crate) fn share(&self, document: &str) -> (Running, String) {
        let running = self.start(&["share", document, "--listen", "127.0.0.1:0"]);
        let ticket = running.line();
        assert!(ticket.starts_with("pistol"), "{ticket}");
        (running, ticket)
    }
}

/// Lines of JSON, each an object of version 1.
pub(crate) fn objects(lines: &str) -> Vec<Value> {
    let objects: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(objects.iter().all(|object| object["v"] == 1), "{lines}");
    objects
}

/// A command that goes on. It is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Running { child, stdout, stderr }
    }

    /// The next line of stdout.
    pub(crate) fn line(&self) -> String {
        self.stdout.recv_timeout(HANGS).unwrap_or_else(|_| {
            panic!("no line of output, but on stderr: {}", self.stderr.try_iter().collect::<String>());
        })
    }

    /// Waits for a line of stderr with these words in it.
    pub(crate) fn says(&self, words: &str) {
        while !self.stderr.recv_timeout(HANGS).unwrap().contains(words) {}
    }

    /// Sends a signal: `INT`, `TERM`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &process]).status().unwrap().success());
    }

    /// Waits for the end: both streams end with the process.
    pub(crate) fn end(mut self) -> Done {
        let read = |lines: &Receiver<String>| {
            let mut text = String::new();
            while let Ok(line) = lines.recv_timeout(HANGS) {
                text += &line;
            }
            text
        };
        let (stdout, stderr) = (read(&self.stdout), read(&self.stderr));
        Done { code: self.child.wait().unwrap().code(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines with their ends, from a thread that reads them.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while stream.read_line(&mut line).is_ok_and(|length| length > 0)
            && sender.send(std::mem::take(&mut line)).is_ok()
        {}
    });
    receiver
}

/// Whether a path is there.
pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
