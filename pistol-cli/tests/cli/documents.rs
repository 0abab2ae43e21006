//! Making, reading and changing documents in one store.

use serde_json::json;

use crate::program::{Done, Running, Store, objects};

#[test]
fn a_new_document_can_be_written_and_read() {
    let store = Store::new();
    let id = store.ok(&["new", "notes"]);
    store.ok(&["edit", "notes", "--append", "hello"]);
    assert_eq!(store.ok(&["cat", "notes"]), "hello\n");
    assert_eq!(store.ok(&["cat", &id[..8]]), "hello\n");
    assert_eq!(store.ok(&["ls"]), format!("notes  {}  owned\n", id.trim()));
}

#[test]
fn a_text_is_printed_as_it_is() {
    let store = Store::new();
    let text = "no end of line, grüße, 👋\r\n\ttab";
    let file = store.file("odd.txt", text);
    store.ok(&["new", "odd", "--from", &file]);
    assert_eq!(store.ok(&["cat", "odd"]), text);
}

#[test]
fn a_file_larger_than_a_change_becomes_a_document() {
    let store = Store::new();
    let text = "0123456789abcdef👋\n".repeat(10_000);
    let file = store.file("large.txt", &text);
    store.ok(&["new", "large", "--from", &file]);
    assert_eq!(store.ok(&["cat", "large"]), text);
}

#[test]
fn values_are_put_at_paths() {
    let store = Store::new();
    store.ok(&["new", "a"]);
    for (path, value, at, found) in [
        ("font.size", "12", "font", json!({ "size": 12 })),
        ("font.size", "-1.5", "font.size", json!(-1.5)),
        ("font.name", r#""mono""#, "font", json!({ "size": -1.5, "name": "mono" })),
        ("font", r#"{"name":"serif"}"#, "font", json!({ "name": "serif" })),
        ("list", r#"[1,{"a":[]},null,"x"]"#, "list", json!([1, { "a": [] }, null, "x"])),
        ("list.1.a.0", "true", "list.1", json!({ "a": [true] })),
        ("list.4", "18446744073709551615", "list.4", json!(u64::MAX)),
        ("list", r#"[{"b":1},2]"#, "list", json!([{ "b": 1 }, 2])),
        ("list.0", "[]", "list", json!([[], 2])),
        ("body", r#""text""#, "body", json!("text")),
        (r"a\.b", "{}", r"a\.b", json!({})),
    ] {
        store.ok(&["set", "a", path, value]);
        assert_eq!(store.json(&["cat", "a", at])[0]["content"], found, "{path} {value}");
    }
    assert_eq!(store.ok(&["cat", "a"]), "text");
}

#[test]
fn a_value_is_printed_plainly() {
    let store = Store::new();
    store.ok(&["new", "a"]);
    store.ok(&["set", "a", "list", r#"["x", 1]"#]);
    assert_eq!(store.ok(&["cat", "a", "list.0"]), "x\n");
    assert_eq!(store.ok(&["cat", "a", "list.1"]), "1\n");
    assert_eq!(store.ok(&["cat", "a", "list"]), "[\n  \"x\",\n  1\n]\n");
}

#[test]
fn setting_the_text_changes_only_what_differs() {
    let store = Store::new();
    store.ok(&["new", "a"]);
    store.ok(&["edit", "a", "--text", &"long ".repeat(1000)]);
    store.ok(&["set", "a", "body", &format!("\"{}!\"", "long ".repeat(1000))]);
    assert_eq!(store.json(&["log", "a"])[1]["operations"], 1);
}

#[test]
fn every_command_prints_objects() {
    let store = Store::new();
    let author = store.json(&["init"])[0]["author"].clone();
    let id = store.json(&["new", "notes", "--policy", "world-writable"])[0]["id"].clone();
    assert_eq!(store.json(&["edit", "notes", "--append", "x"])[0]["id"], id);
    assert_eq!(store.json(&["set", "notes", "a", "1"])[0]["id"], id);
    assert_eq!(store.json(&["ls"])[0]["policy"], "world-writable");
    assert_eq!(store.json(&["cat", "notes"])[0]["content"], json!({ "a": 1, "body": "x\n" }));
    let log = store.json(&["log", "notes"]);
    assert_eq!((log.len(), &log[0]["author"], &log[1]["seq"]), (2, &author, &json!(2)));
    let status = &store.json(&["status", "notes"])[0];
    assert_eq!((&status["author"], &status["documents"][0]["changes"]), (&author, &json!(2)));
}

#[test]
fn acl_says_who_may_do_what_and_why_a_change_was_accepted() {
    let store = Store::new();
    let author = store.json(&["init"])[0]["author"].as_str().unwrap().to_owned();
    for (policy, rule, why) in [
        ("owned", "its roots change everything", "is a root"),
        ("world-writable", "whoever can read it changes everything", "anybody may"),
        ("first-writer", "nobody else replaces", "was {author}'s to change"),
    ] {
        store.ok(&["new", policy, "--policy", policy]);
        store.ok(&["edit", policy, "--append", "x"]);
        let rules = store.ok(&["acl", policy]);
        assert!(rules.starts_with(&format!("{policy}; you are {author}")) && rules.contains(rule), "{rules}");
        assert_eq!(store.json(&["acl", policy])[0]["policy"], policy);
        let change = store.json(&["log", policy])[0]["id"].as_str().unwrap().to_owned();
        let said = store.ok(&["acl", policy, "--why", &change[..12]]);
        assert!(said.contains("accepted") && said.contains(&why.replace("{author}", &author)), "{said}");
        let told = &store.json(&["acl", policy, "--why", &change])[0];
        assert_eq!((&told["state"], &told["author"]), (&json!("accepted"), &json!(author)));
    }
    assert_eq!(store.json(&["acl", "owned", "--why", &"0".repeat(64)])[0]["state"], "unknown");
    assert_eq!(store.run(&["acl", "owned", "--why", "no change"]).code, Some(3));
}

#[test]
fn quiet_prints_data_and_verbose_says_more() {
    let store = Store::new();
    let done = store.run(&["new", "notes", "-q"]);
    assert_eq!((done.stdout.lines().count(), done.stderr.as_str()), (1, ""));
    assert!(store.run(&["set", "notes", "a", "1", "-v"]).stderr.contains("stored"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let store = Store::new();
    store.ok(&["new", "notes"]);
    let mut command = store.command(&["ls"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(141), String::new()));
}

#[test]
fn init_says_whose_the_store_is() {
    let store = Store::missing();
    let made = objects(&store.ok(&["init", "--json"]));
    let again = objects(&store.ok(&["init", "--json"]));
    assert_eq!((&made[0]["is_new"], &again[0]["is_new"]), (&json!(true), &json!(false)));
    assert_eq!(made[0]["author"], again[0]["author"]);
    assert_eq!(made[0]["store"], store.path().to_str().unwrap());
}

#[test]
fn the_store_is_in_the_data_folder_unless_told_otherwise() {
    let store = Store::missing();
    let place = |name: &str| store.path().join(name).to_str().unwrap().to_owned();
    let (home, data, chosen, given) = (place("home"), place("data"), place("chosen"), place("given"));
    for (home, data, chosen, arguments, folder) in [
        (home.as_str(), "", "", vec!["init"], format!("{home}/.local/share/pistol")),
        (&home, "no/absolute/path", "", vec!["init"], format!("{home}/.local/share/pistol")),
        (&home, &data, "", vec!["init"], format!("{data}/pistol")),
        (&home, &data, &chosen, vec!["init"], chosen.clone()),
        ("", "", &chosen, vec!["init", "--store", &given], given.clone()),
    ] {
        let done = at_home(&store, &arguments, home, data, chosen);
        assert_eq!(objects(&done.stdout)[0]["store"], folder, "{done:?}");
    }
    assert_eq!(at_home(&store, &["init"], "", "", "").code, Some(2));
}

/// Runs a command with these variables; empty ones count as not set.
fn at_home(store: &Store, arguments: &[&str], home: &str, data: &str, chosen: &str) -> Done {
    let mut command = store.command(&[arguments, &["--json"]].concat());
    command.env("HOME", home).env("XDG_DATA_HOME", data).env("PISTOL_STORE", chosen);
    Running::start(command).end()
}

#[test]
fn a_forgotten_document_is_gone_and_its_name_is_free() {
    let store = Store::new();
    store.ok(&["new", "notes"]);
    let other = store.ok(&["new", "other"]);
    store.ok(&["edit", "notes", "--append", "old"]);
    store.ok(&["edit", "other", "--append", "kept"]);
    store.ok(&["forget", "notes"]);
    assert_eq!(store.ok(&["ls"]), format!("other  {}  owned\n", other.trim()));
    store.ok(&["new", "notes"]);
    store.ok(&["compact"]);
    assert_eq!((store.ok(&["cat", "notes"]), store.ok(&["cat", "other"])), (String::new(), "kept\n".to_owned()));
}
