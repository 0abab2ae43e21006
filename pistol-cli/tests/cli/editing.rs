//! Editing a text in an editor of one's own.

use crate::program::{Done, Running, Store};

/// Edits the document `notes` in an editor that is this shell command; `$1` is its file.
fn edit_with(store: &Store, editor: &str) -> Done {
    let script = store.file("editor.sh", editor);
    let mut command = store.command(&["edit", "notes"]);
    command.env("EDITOR", format!("sh -e {script}")).env("PISTOL", env!("CARGO_BIN_EXE_pistol"));
    Running::start(command).end()
}

fn notes(text: &str) -> Store {
    let store = Store::new();
    let file = store.file("notes", text);
    store.ok(&["new", "notes", "--from", &file]);
    store
}

fn drafts(store: &Store) -> Vec<String> {
    let entries = std::fs::read_dir(store.path()).unwrap().map(|entry| entry.unwrap().path());
    let drafts = entries.filter(|path| path.to_str().unwrap().contains("/edit-"));
    drafts.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn what_the_editor_wrote_is_the_text() {
    let store = notes("one\ntwo\n");
    let done = edit_with(&store, "sed -i s/two/2/ $1");
    assert_eq!((done.code, store.ok(&["cat", "notes"]).as_str()), (Some(0), "one\n2\n"), "{done:?}");
    assert_eq!(drafts(&store), Vec::<String>::new());
}

#[test]
fn an_editor_that_changes_nothing_makes_no_change() {
    let store = notes("one\n");
    let changes = store.json(&["log", "notes"]).len();
    let done = edit_with(&store, "true");
    assert!(done.stderr.contains("nothing was changed"), "{done:?}");
    assert_eq!(store.json(&["log", "notes"]).len(), changes);
}

#[test]
fn what_others_wrote_meanwhile_is_kept() {
    let store = notes("one\ntwo\nthree\n");
    let done = edit_with(&store, "sed -i s/one/1/ $1; $PISTOL edit notes --append four");
    assert_eq!((done.code, store.ok(&["cat", "notes"]).as_str()), (Some(0), "1\ntwo\nthree\nfour\n"), "{done:?}");
}

#[test]
fn a_text_that_cannot_be_merged_is_not_lost() {
    let store = notes("one\n");
    let done = edit_with(&store, "echo mine > $1; $PISTOL edit notes --text theirs");
    assert_eq!((done.code, store.ok(&["cat", "notes"]).as_str()), (Some(1), "theirs"), "{done:?}");
    assert!(done.stderr.contains("your text is kept in"), "{done:?}");
    assert_eq!(drafts(&store), ["mine\n"]);
}

#[test]
fn an_editor_that_fails_changes_nothing() {
    let store = notes("one\n");
    let done = edit_with(&store, "exit 3");
    assert_eq!((done.code, store.ok(&["cat", "notes"]).as_str()), (Some(1), "one\n"), "{done:?}");
    assert!(done.stderr.contains("the editor") && done.stderr.contains("help: set EDITOR"), "{done:?}");
    assert_eq!(drafts(&store), Vec::<String>::new());
}

#[test]
fn a_long_text_can_be_replaced() {
    let store = notes(&"abcdefghij".repeat(10_000));
    edit_with(&store, "tr a-j A-J < $1 > $1.new; mv $1.new $1");
    assert_eq!(store.ok(&["cat", "notes"]), "ABCDEFGHIJ".repeat(10_000));
}
