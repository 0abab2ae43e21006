//! Identities and groups in one store: made, shown, named in grants, and signed for by a root key.

use std::fs::File;

use serde_json::{Value, json};

use crate::program::{Done, Running, Store, objects};

fn author(store: &Store) -> String {
    store.json(&["init"])[0]["author"].as_str().unwrap().to_owned()
}

/// Runs a command that reads words from stdin.
fn run_with(store: &Store, words: &str, arguments: &[&str]) -> Done {
    let mut command = store.command(arguments);
    command.stdin(File::open(store.file("words", words)).unwrap());
    Running::start(command).end()
}

/// A store with an identity `bob`; its author and the words of the root.
fn bob() -> (Store, String, String) {
    let store = Store::new();
    let made = &store.json(&["identity", "new", "bob"])[0];
    let words = made["words"].as_str().unwrap().to_owned();
    let you = author(&store);
    (store, you, words)
}

#[test]
fn an_identity_is_made_with_words_that_are_shown_once_and_kept_nowhere() {
    let store = Store::new();
    let done = store.run(&["identity", "new", "bob"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let (id, words) = done.stdout.trim().split_once('\n').unwrap();
    assert_eq!(words.split(' ').count(), 24, "{done:?}");
    assert!(done.stderr.contains("on paper") && done.stderr.contains("stored nowhere"), "{done:?}");
    let you = author(&store);
    let shown = store.ok(&["identity", "show", "bob"]);
    assert!(shown.starts_with(&format!("identity  bob  {id}\nroot    ")), "{shown}");
    assert!(shown.contains(&format!("admin   {you}  (you)")), "{shown}");
    assert_eq!(store.ok(&["identity", "ls"]), format!("bob  {id}  identity\n"));
    assert_eq!(store.ok(&["ls"]), format!("bob  {id}  identity\n"));
    for entry in std::fs::read_dir(store.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        let first = words.split_at(40).0.as_bytes();
        assert!(!bytes.windows(first.len()).any(|part| part == first), "the words are in the store");
    }
    // The same root key may be given, and then its words are not shown again.
    let again = run_with(&store, words, &["identity", "new", "bob2", "--words-stdin", "--json"]);
    let (again, first) = (&objects(&again.stdout)[0], &store.json(&["identity", "show", "bob"])[0]);
    assert_eq!((&again["roots"], again.get("words")), (&first["roots"], None));
    assert_ne!(again["id"], first["id"]);
    let known = &store.json(&["identity", "show"])[0];
    assert_eq!(
        (&known["author"], known.get("members")),
        (&json!(you), None),
        "without a name it is this store's author"
    );
}

#[test]
fn devices_come_and_go_by_an_admin_or_by_the_root() {
    let (store, you, words) = bob();
    let phone = author(&Store::new());
    let shown = store.ok(&["identity", "add", "bob", &phone, "--role", "reader"]);
    assert!(shown.contains(&format!("reader  {phone}\n")), "{shown}");
    let members = store.json(&["identity", "add", "bob", &phone])[0]["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 2, "of two parts the stronger is shown: {members}");
    assert_eq!((&members[0]["who"], &members[0]["is_you"]), (&json!(you), &json!(true)));
    assert_eq!((&members[1]["role"], &members[1]["by"]), (&json!("writer"), &json!(you)));
    let done = store.run(&["identity", "revoke", "bob", &phone]);
    assert!(done.code == Some(0) && done.stderr.contains("--keep") && !done.stdout.contains(&phone), "{done:?}");
    // A device cannot revoke itself and come back without the root.
    store.ok(&["identity", "revoke", "bob", &you]);
    let done = store.run(&["identity", "add", "bob", &phone]);
    assert!(done.code == Some(4) && done.stderr.contains("--root"), "{done:?}");
    let done = run_with(&store, &words, &["identity", "add", "bob", &phone, "--role", "admin", "--root"]);
    assert!(done.code == Some(0) && done.stdout.contains(&format!("admin   {phone}")), "{done:?}");
    let done = run_with(&store, &words, &["identity", "revoke", "bob", &phone, "--root"]);
    assert!(done.code == Some(0) && !done.stdout.contains(&phone), "{done:?}");
}

#[test]
fn words_that_are_wrong_are_told_of_and_never_shown() {
    let (store, you, words) = bob();
    let other = format!("{}art", "abandon ".repeat(23));
    for (words, code, cause) in [
        (other.as_str(), 4, "another root key"),
        ("one two", 1, "these are 2"),
        (&words.replacen(' ', " hunter2 ", 1), 1, "these are 25"),
    ] {
        let done = run_with(&store, words, &["identity", "add", "bob", &you, "--root"]);
        assert!(done.code == Some(code) && done.stderr.contains(cause), "{done:?}");
        assert!(done.stderr.contains("help: ") && !done.stderr.contains("hunter2"), "{done:?}");
    }
}

#[test]
fn a_grant_names_an_identity_or_a_group_by_its_name_or_its_id() {
    let (store, you, _) = bob();
    store.ok(&["new", "plan", "--policy", "members"]);
    store.ok(&["group", "new", "friends"]);
    let id = |name: &str, kind: &str| store.json(&[kind, "show", name])[0]["id"].as_str().unwrap().to_owned();
    let (bob, friends) = (id("bob", "identity"), id("friends", "group"));
    let (who_bob, who_friends) = (format!("identity:{bob}"), format!("group:{friends}"));
    let given = &store.json(&["grant", "plan", "bob", "reader"])[0];
    assert_eq!((&given["who"], &given["role"], &given["name"]), (&json!(who_bob), &json!("reader"), &json!("plan")));
    for who in [&bob[..12], &bob, &who_bob, "friends", &friends[..12], &who_friends, &you] {
        store.ok(&["grant", "plan", who]);
    }
    let granted = store.json(&["acl", "plan"])[0]["members"]["granted"].clone();
    assert_eq!((&granted[1]["who"], &granted[1]["name"]), (&json!(who_bob), &json!("bob")));
    assert!(store.ok(&["acl", "plan"]).contains(&format!("writer  {who_friends}  friends")));
    assert_eq!(store.json(&["revoke", "plan", "friends"])[0]["who"], json!(who_friends));
    store.ok(&["revoke", "plan", &bob[..12], "--exact", "--yes"]);
    let left = store.json(&["acl", "plan"])[0]["members"]["granted"].clone();
    assert_eq!(left.as_array().unwrap().iter().map(|part| &part["who"]).collect::<Vec<_>>(), [&json!(you)]);
}

#[test]
fn a_group_holds_authors_identities_and_groups() {
    let (store, _, _) = bob();
    let carol = author(&Store::new());
    let made = store.ok(&["group", "new", "friends"]);
    store.ok(&["group", "new", "all"]);
    store.ok(&["group", "add", "friends", "bob", "admin"]);
    let shown = store.ok(&["group", "add", "friends", &carol]);
    assert!(shown.starts_with(&format!("group  friends  {made}root    ")), "{shown}");
    assert!(shown.contains("admin   identity:") && shown.contains("  bob\n"), "{shown}");
    assert!(shown.contains(&format!("writer  {carol}")), "{shown}");
    store.ok(&["group", "add", "all", "friends"]);
    store.ok(&["new", "plan"]);
    assert!(!store.ok(&["group", "remove", "friends", &carol, "--keep", "plan"]).contains(&carol));
    assert_eq!(store.json(&["group", "show", "friends"])[0]["members"].as_array().unwrap().len(), 1);
    let kinds: Vec<Value> = store.json(&["ls"]).iter().map(|listed| listed["kind"].clone()).collect();
    assert_eq!(kinds, ["group", "identity", "group", "document"].map(Value::from));
    assert_eq!(store.json(&["group", "ls"]).len(), 2);
}

#[test]
fn what_takes_one_kind_says_what_another_is_and_what_is_for_it() {
    let (store, you, _) = bob();
    store.ok(&["group", "new", "friends"]);
    store.ok(&["new", "plan", "--policy", "members"]);
    for (arguments, code, cause, help) in [
        (vec!["cat", "bob"], 3, "`bob` is an identity", "pistol identity show bob"),
        (vec!["edit", "friends", "--append", "x"], 3, "is a group", "pistol group show friends"),
        (vec!["acl", "friends"], 3, "is a group", "pistol group show friends"),
        (vec!["grant", "bob", &you], 3, "is an identity", "pistol identity show"),
        (vec!["grant", "plan", "plan"], 3, "`plan` is a document", "pistol ls"),
        (vec!["group", "show", "bob"], 3, "is an identity", "pistol identity show bob"),
        (vec!["identity", "show", "plan"], 3, "is a document", "pistol cat plan"),
        (vec!["identity", "show", "none"], 3, "no identity `none`", "pistol identity ls"),
        (vec!["group", "add", "none", "bob"], 3, "no group `none`", "pistol group new"),
        (vec!["group", "add", "friends", "none"], 3, "neither an author nor", "pistol ls"),
        (vec!["group", "remove", "friends", "bob"], 1, "no part here", "nothing to revoke"),
        (vec!["identity", "add", "bob", "friends"], 2, "is no author", "64 hexadecimal digits"),
        (vec!["identity", "revoke", "bob", &you, "--keep", "none"], 3, "no document `none`", "pistol ls"),
        (vec!["identity", "new", "plan"], 1, "called `plan` already", "another name"),
        (vec!["group", "new", "a\nb"], 2, "cannot be a name", "one line"),
        (vec!["new", "bob"], 1, "called `bob` already", "another name"),
        (vec!["grant", "plan", "identity:x"], 2, "is no id", "all of the id"),
    ] {
        let done = store.run(&arguments);
        assert!(done.code == Some(code) && done.stdout.is_empty(), "{arguments:?}: {done:?}");
        assert!(done.stderr.contains(cause) && done.stderr.contains("help: "), "{arguments:?}: {done:?}");
        assert!(done.stderr.contains(help), "{arguments:?}: {done:?}");
    }
    store.ok(&["forget", "plan"]);
    store.ok(&["status", "bob"]);
    assert_eq!(store.json(&["status"])[0]["documents"].as_array().unwrap().len(), 2);
}

#[test]
fn a_running_node_is_asked_the_same_and_never_told_the_words() {
    let (store, you, words) = bob();
    let phone = author(&Store::new());
    store.ok(&["group", "new", "friends"]);
    let (share, ticket) = store.share("bob");
    assert!(ticket.starts_with("pistol"), "{ticket}");
    store.ok(&["identity", "add", "bob", &phone]);
    let done = run_with(&store, &words, &["identity", "revoke", "bob", &you, "--root"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    store.ok(&["group", "add", "friends", &phone]);
    assert_eq!(store.json(&["identity", "new", "eve"])[0]["members"][0]["who"], json!(you));
    let commands: [&[&str]; 8] = [
        &["identity", "show"],
        &["identity", "show", "bob"],
        &["identity", "show", "bob", "--json"],
        &["identity", "ls"],
        &["group", "show", "friends"],
        &["group", "show", "bob"],
        &["group", "remove", "friends", &you],
        &["cat", "bob"],
    ];
    let say = || commands.map(|command| store.run(command)).map(|done| (done.code, done.stdout, done.stderr));
    let with = say();
    share.signal("INT");
    share.end();
    assert_eq!(with, say());
    assert!(store.ok(&["identity", "show", "bob"]).contains(&phone));
}
