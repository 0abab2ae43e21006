//! Exporting, importing, backing up, the doctor, and the identity.

use std::process::Stdio;

use crate::program::{Running, Store, objects};

#[test]
fn a_document_goes_through_files_into_another_store() {
    let (one, two) = (Store::new(), Store::new());
    let notes = one.file("notes.md", "# Notes\nfirst\n");
    let id = one.ok(&["import", &notes, "--as", "notes"]);
    assert_eq!(one.ok(&["cat", "notes"]), "# Notes\nfirst\n");
    assert_eq!(one.ok(&["export", "notes", "--format", "text"]), "# Notes\nfirst\n");
    let file = one.path().with_file_name("notes.pistol");
    let file = file.to_str().unwrap();
    one.ok(&["export", "notes", "--format", "pistol", "--to", file]);
    assert_eq!(one.run(&["export", "notes", "--format", "pistol", "--to", file]).code, Some(1), "it replaces nothing");
    assert_eq!(two.ok(&["import", file]), id, "it is the same document");
    assert_eq!(two.ok(&["cat", "notes"]), "# Notes\nfirst\n");
    let automerge = one.path().with_file_name("notes.automerge");
    let automerge = automerge.to_str().unwrap();
    one.ok(&["export", "notes", "--format", "automerge", "--to", automerge]);
    let refused = two.run(&["import", automerge, "--as", "other"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("opens no Automerge file"), "{refused:?}");
    std::fs::write(file, b"pistol document 1\nnonsense").unwrap();
    let refused = two.run(&["import", file]);
    assert!(refused.code == Some(7) && refused.stderr.contains("cut short or altered"), "{refused:?}");
}

#[test]
fn a_json_object_becomes_a_document() {
    let store = Store::new();
    let file = store.file("settings.json", r#"{"font":{"size":12},"a.b":[1,true,null],"title":"x"}"#);
    store.ok(&["import", &file]);
    let shown = store.ok(&["export", "settings"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["font"]["size"], 12);
    assert_eq!(shown["a.b"], serde_json::json!([1, true, null]));
    assert_eq!(shown["title"], "x");
}

#[test]
fn a_store_is_backed_up_while_a_node_runs() {
    let store = Store::new();
    store.ok(&["import", &store.file("notes.md", "kept\n")]);
    let (running, _) = store.share("notes");
    let copy = store.path().with_file_name("copy");
    let copy = copy.to_str().unwrap();
    store.ok(&["backup", copy]);
    assert_eq!(store.run(&["backup", copy]).code, Some(1), "it replaces nothing");
    assert_eq!(store.run(&["doctor"]).code, Some(6), "the doctor needs the store for itself");
    drop(running);
    assert_eq!(store.ok(&["--store", copy, "cat", "notes"]), "kept\n");
    assert!(store.ok(&["--store", copy, "doctor"]).contains("nothing is wrong"));
}

#[test]
fn the_doctor_says_what_is_wrong_and_repairs_it() {
    let store = Store::new();
    store.ok(&["import", &store.file("notes.md", "kept\n")]);
    let key = store.path().join("author.key");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let found = store.run(&["doctor", "--json"]);
    assert_eq!(found.code, Some(6));
    let found = objects(&found.stdout);
    assert_eq!((&found[0]["about"], &found[0]["is_repaired"]), (&"author.key".into(), &false.into()));
    assert_eq!(found[1]["is_healthy"], false);
    assert!(store.ok(&["doctor", "--repair"]).contains("repaired: author.key"));
    assert!(store.ok(&["doctor"]).contains("nothing is wrong"));
}

fn identity(store: &Store, what: &str, passphrase: &str, input: &str) -> crate::program::Done {
    let mut command = store.command(&["-v", "identity", what]);
    command.env("PISTOL_PASSPHRASE", passphrase);
    if !input.is_empty() {
        let path = store.file("input", input);
        command.stdin(Stdio::from(std::fs::File::open(path).unwrap()));
    }
    Running::start(command).end()
}

#[test]
fn an_identity_survives_on_paper_and_under_a_passphrase() {
    let store = Store::new();
    let known = store.ok(&["identity", "show"]);
    let words = identity(&store, "backup", "", "").stdout;
    assert_eq!(words.split_whitespace().count(), 24);
    let sealed = identity(&store, "seal", "a passphrase", "");
    assert_eq!(sealed.code, Some(0), "{sealed:?}");
    let refused = store.run(&["ls"]);
    assert!(refused.code == Some(6) && refused.stderr.contains("sealed"), "{refused:?}");
    let wrong = identity(&store, "show", "another", "");
    assert!(wrong.code == Some(6) && wrong.stderr.contains("not the passphrase"), "{wrong:?}");
    assert_eq!(identity(&store, "show", "a passphrase", "").stdout, known);
    // The key is lost; the words bring it back.
    std::fs::remove_file(store.path().join("author.key")).unwrap();
    let restored = identity(&store, "restore", "", &words);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert_eq!(store.ok(&["identity", "show"]), known);
    let bad = identity(&store, "restore", "", &words.replacen(' ', " hunter2 ", 1));
    assert!(bad.code != Some(0) && !bad.stderr.contains("hunter2"), "{bad:?}");
}
