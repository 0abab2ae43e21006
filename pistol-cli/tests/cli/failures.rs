//! Exit codes, and that every failure says its cause and what to do.

use crate::program::{Store, objects};

/// Checks how a command fails, in words and as JSON.
fn check(store: &Store, arguments: &[&str], code: i32, cause: &str, help: &str) {
    let done = store.run(arguments);
    assert_eq!(done.code, Some(code), "{arguments:?}: {done:?}");
    assert!(done.stdout.is_empty(), "{arguments:?}: {done:?}");
    let (first, second) = done.stderr.split_once("\nhelp: ").unwrap_or_else(|| panic!("{arguments:?}: {done:?}"));
    assert!(first.starts_with("error: ") && first.contains(cause), "{arguments:?}: {first}");
    assert!(second.contains(help), "{arguments:?}: {second}");

    let done = store.run(&[arguments, &["--json"]].concat());
    let error = &objects(&done.stdout)[0]["error"];
    assert_eq!((done.code, &error["code"]), (Some(code), &code.into()), "{arguments:?}: {done:?}");
    assert!(error["message"].as_str().unwrap().contains(cause), "{error}");
    assert!(error["help"].as_str().unwrap().contains(help), "{error}");
}

#[test]
fn a_failure_says_its_cause_and_what_to_do() {
    let store = Store::new();
    store.ok(&["new", "notes"]);
    store.ok(&["set", "notes", "list", "[1]"]);
    let binary = store.file("binary", [0xff, 0xfe]);
    for (arguments, code, cause, help) in [
        (vec!["new", "notes"], 1, "called `notes` already", "choose another name"),
        (vec!["new", "a\nb"], 2, "cannot be a name", "one line"),
        (vec!["new", ""], 2, "cannot be a name", "one line"),
        (vec!["new", "b", "--from", &binary], 1, "no text in UTF-8", "convert it"),
        (vec!["new", "b", "--from", "nowhere"], 3, "cannot read nowhere", "check that the path"),
        (vec!["cat", "nope"], 3, "no document `nope`", "pistol ls"),
        (vec!["cat", "notes", "nope"], 3, "nothing at `nope`", "pistol cat"),
        (vec!["cat", "notes", "a..b"], 2, "`a..b` is no path", "with dots"),
        (vec!["set", "nope", "a", "1"], 3, "no document `nope`", "pistol ls"),
        (vec!["set", "notes", "a", "text"], 2, "`text` is no JSON", "quotes"),
        (vec!["set", "notes", "body.x", "1"], 1, "cannot put a value at `body.x`", "in the way"),
        (vec!["set", "notes", "list.7", "1"], 1, "`7` is no position in a list of 1", "pistol cat"),
        (vec!["edit", "nope", "--text", "x"], 3, "no document `nope`", "pistol ls"),
        (vec!["log", "nope"], 3, "no document `nope`", "pistol ls"),
        (vec!["status", "nope"], 3, "no document `nope`", "pistol ls"),
        (vec!["share", "nope"], 3, "neither a document nor a file", "pistol ls"),
        (vec!["sync", "nope"], 3, "no document `nope`", "pistol ls"),
        (vec!["sync", "notes"], 5, "no peer is known", "pistol share"),
        (vec!["sync"], 5, "no peer is known", "pistol share"),
        (vec!["join", "hello"], 7, "not a ticket", "first line"),
        (vec!["join", "pistolabc"], 7, "damaged on its way", "copy all of it"),
    ] {
        check(&store, &arguments, code, cause, help);
    }
}

#[test]
fn a_wrong_command_line_is_a_mistake_of_usage() {
    let store = Store::new();
    for arguments in [
        vec![],
        vec!["fly"],
        vec!["cat"],
        vec!["ls", "-q", "-v"],
        vec!["new", "a", "--policy", "mine"],
        vec!["join", "x", "--timeout", "soon"],
        vec!["share", "x", "--listen", "here"],
        vec!["edit", "x", "--text", "a", "--append", "b"],
    ] {
        let done = store.run(&arguments);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!done.stderr.is_empty(), "{arguments:?}");
        let done = store.run(&[&["--json"], arguments.as_slice()].concat());
        assert_eq!((done.code, &objects(&done.stdout)[0]["error"]["code"]), (Some(2), &2.into()), "{arguments:?}");
    }
}

#[test]
fn looking_at_a_store_does_not_make_one() {
    let store = Store::missing();
    for arguments in [vec!["ls"], vec!["cat", "a"], vec!["sync"], vec!["status"], vec!["set", "a", "b", "1"]] {
        check(&store, &arguments, 3, "there is no store", "pistol init");
    }
    assert!(!store.path().exists());
}

#[test]
fn a_store_that_another_program_holds_is_left_alone() {
    let store = Store::new();
    store.ok(&["new", "notes"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let node = runtime.block_on(pistol::Node::builder(store.path()).offline().open()).unwrap();
    check(&store, &["cat", "notes"], 6, "in use by another process", "--store");
    runtime.block_on(node.shutdown()).unwrap();
    assert_eq!(store.ok(&["cat", "notes"]), "");
}

#[test]
fn a_damaged_store_is_left_as_it_is() {
    let store = Store::new();
    store.ok(&["new", "notes"]);
    for file in ["store.redb", "author.key"] {
        let path = store.path().join(file);
        let whole = std::fs::read(&path).unwrap();
        let half = &whole[..whole.len() / 2];
        std::fs::write(&path, half).unwrap();
        check(&store, &["ls"], 6, "", "");
        assert_eq!(std::fs::read(&path).unwrap(), half);
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(store.ok(&["ls"]).lines().count(), 1);
    }
}

#[test]
fn colours_are_for_terminals() {
    let store = Store::new();
    for arguments in [vec!["--help"], vec!["fly"], vec!["cat", "nope"]] {
        let done = store.run(&arguments);
        assert!(!(done.stdout + &done.stderr).contains('\u{1b}'), "{arguments:?}");
    }
}
