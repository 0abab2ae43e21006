//! What the program says when it may not use its store, and when another process has it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A user who is nobody, for tests that run as one who may do everything.
const NOBODY: u32 = 65_534;

/// Runs the program as a user to whom permissions apply.
fn pistol(program: &Path, store: &Path, is_root: bool, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.arg("--store").arg(store).args(arguments).stdin(Stdio::null());
    if is_root {
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    command.output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_store_that_may_not_be_used_is_told_and_used_again_when_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    let is_root = chown(&home, Some(NOBODY), Some(NOBODY)).is_ok();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    // Where the program lies, nobody may come.
    let program = folder.path().join("pistol");
    fs::copy(env!("CARGO_BIN_EXE_pistol"), &program).unwrap();
    let store = home.join("store");
    let run = |arguments: &[&str]| pistol(&program, &store, is_root, arguments);
    let made = run(&["new", "notes"]);
    assert!(made.status.success(), "{}", words(&made));

    for (path, mode) in [("", 0o500), ("", 0o000), ("store.redb", 0o400), ("store.redb", 0o000), ("fence", 0o000)] {
        let path = if path.is_empty() { store.clone() } else { store.join(path) };
        let usual = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let refused = run(&["new", "more"]);
        fs::set_permissions(&path, usual).unwrap();
        if path == store && mode == 0o500 {
            // Files that are there may still be written, so this store is usable.
            assert!(refused.status.success(), "{}", words(&refused));
            continue;
        }
        let words = words(&refused);
        assert!(!refused.status.success(), "{} with mode {mode:o}", path.display());
        assert!(words.contains("ermission"), "the cause, {} with mode {mode:o}: {words}", path.display());
        assert!(words.contains("check the disk and the folder's permissions"), "what to do: {words}");
    }
    let listed = run(&["ls"]);
    assert!(listed.status.success() && String::from_utf8_lossy(&listed.stdout).contains("notes"), "{}", words(&listed));
}

#[tokio::test]
async fn a_store_that_another_process_has_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut share = Command::new(env!("CARGO_BIN_EXE_pistol"));
    share.arg("--store").arg(&store).args(["new", "notes"]);
    assert!(share.output().unwrap().status.success());
    let mut share = Command::new(env!("CARGO_BIN_EXE_pistol"));
    share.arg("--store").arg(&store).args(["share", "notes", "--listen", "127.0.0.1:0"]);
    let mut share = share.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut ticket = String::new();
    BufReader::new(share.stdout.as_mut().unwrap()).read_line(&mut ticket).unwrap();
    let refused = pistol::Node::builder(&store).offline().open().await;
    share.kill().unwrap();
    share.wait().unwrap();
    let refusal = refused.unwrap_err();
    assert!(matches!(refusal, pistol::OpenError::InUse(_)), "{refusal}");
    assert!(refusal.to_string().contains("in use by another process; close it"), "{refusal}");
    pistol::Node::builder(&store).offline().open().await.unwrap().shutdown().await.unwrap();
}
