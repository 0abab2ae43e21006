//! Spaces in one store: made, filled, named, and what each command says of them.

use serde_json::{Value, json};

use crate::program::Store;

fn author(store: &Store) -> String {
    store.json(&["init"])[0]["author"].as_str().unwrap().to_owned()
}

/// A store with a space `club` in which the document `plan` is; its author.
fn club() -> (Store, String) {
    let store = Store::new();
    store.ok(&["space", "new", "club", "--preset", "team"]);
    store.ok(&["new", "plan", "--space", "club", "--preset", "team"]);
    let you = author(&store);
    (store, you)
}

fn field<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap()
}

#[test]
fn a_space_is_made_and_shown_with_its_members_documents_and_names() {
    let (store, you) = club();
    let bob = author(&Store::new());
    let space = &store.json(&["space", "show", "club"])[0];
    let plan = field(&space["documents"][0], "id").to_owned();
    assert_eq!((&space["documents"][0]["name"], &space["documents"][0]["place"]), (&json!("plan"), &json!("here")));
    assert_eq!(
        (&space["may_add"], &space["is_released"], &space["kind"]),
        (&json!(true), &json!(false), &json!("space"))
    );
    store.ok(&["grant", "club", &bob]);
    store.ok(&["space", "claim", "club", "agenda", "plan"]);
    let shown = store.ok(&["space", "show", "club"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], format!("space  club  {}", field(space, "id")));
    assert_eq!(lines[1], format!("root    {you}"));
    assert_eq!(lines[2], format!("writer  {bob}"));
    assert_eq!(lines[3], "you may add documents");
    assert_eq!(lines[4], format!("document  plan  {plan}  members  here"));
    assert!(lines[5].starts_with(&format!("name  agenda  {plan}  by {you}  unconfirmed: ")), "{shown}");
    assert_eq!(store.ok(&["space", "confirm", "club", "agenda"]), format!("agenda  {plan}  by {you}  confirmed\n"));
    let named = &store.json(&["space", "show", "club"])[0]["names"][0];
    assert_eq!(
        (&named["name"], &named["state"], &named["claims"][0]["document"]),
        (&json!("agenda"), &json!("confirmed"), &json!(plan))
    );
    assert!(field(&named["claims"][0], "form").starts_with("agenda~"));
    assert_eq!(store.ok(&["space", "ls"]), format!("club  {}  space\n", field(space, "id")));
}

#[test]
fn a_list_of_a_space_is_its_documents_only() {
    let (store, _) = club();
    assert_eq!(store.ok(&["ls", "club"]).lines().count(), 1);
    store.ok(&["new", "alone"]);
    for (name, options, policy) in [
        ("a", vec!["--preset", "wall"], "first-writer"),
        ("b", vec!["--policy", "world-writable"], "world-writable"),
        ("c", vec![], "owned"),
        ("d", vec!["--preset", "private"], "owned"),
        ("e", vec!["--policy", "members"], "members"),
    ] {
        let made = &store.json(&[&["new", name, "--space", "club"], options.as_slice()].concat())[0];
        assert_eq!((field(made, "policy"), &made["is_public"]), (policy, &json!(false)), "{name}");
        store.ok(&["edit", name, "--append", "text"]);
    }
    let names: Vec<Value> = store.json(&["ls", "club"]).iter().map(|listed| listed["name"].clone()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e", "plan"].map(Value::from));
    assert_eq!(store.json(&["ls"]).len(), 8);
    // Members of a space write in what is granted to it.
    let space = format!("space:{}", field(&store.json(&["space", "show", "club"])[0], "id"));
    for plan in ["plan", "e"] {
        let granted = &store.json(&["acl", plan])[0]["members"]["granted"];
        assert_eq!((&granted[0]["who"], &granted[0]["name"]), (&json!(space), &json!("club")));
    }
    // So does one that stands by itself.
    store.ok(&["new", "out", "--policy", "members"]);
    assert_eq!(store.json(&["grant", "out", "club", "reader"])[0]["who"], json!(space));
    assert!(store.ok(&["acl", "out"]).contains(&format!("reader  {space}  club")));
    assert_eq!(store.json(&["revoke", "out", &space])[0]["who"], json!(space));
    // Presets are for documents that stand by themselves too.
    assert_eq!(store.json(&["new", "news", "--preset", "published"])[0]["is_public"], json!(true));
}

#[test]
fn a_value_by_path_is_put_and_read() {
    let store = Store::new();
    store.ok(&["space", "new", "scores", "--preset", "open"]);
    let you = author(&store);
    for (value, shown) in [("7", "7"), ("-1.5", "-1.5"), ("\"a b\"", "a b"), ("true", "true"), ("null", "null")] {
        assert_eq!(store.ok(&["space", "put", "scores", "board.me", value]), "");
        assert_eq!(store.ok(&["space", "read", "scores", "board.me"]), format!("{shown}\n"));
    }
    let put = &store.json(&["space", "put", "scores", "board.me", "7"])[0];
    assert_eq!(put, &json!({ "v": 1, "path": "board.me", "value": 7, "author": you }));
    assert_eq!(&store.json(&["space", "read", "scores", "board.me"])[0], put);
    assert_eq!(store.json(&["space", "show", "scores"])[0]["names"][0]["state"], json!("confirmed"));
    store.ok(&["new", "text", "--space", "scores"]);
    store.ok(&["space", "claim", "scores", "text", "text"]);
    for (arguments, code, cause, help) in [
        (vec!["put", "scores", "board", "7"], 2, "is no path", "a dot"),
        (vec!["put", "scores", "Board.me", "7"], 2, "small letters", "write it so"),
        (vec!["put", "scores", "board.me", "seven"], 2, "no JSON", "quotes"),
        (vec!["put", "scores", "board.me", "[7]"], 2, "one number, text", "path of its own"),
        (vec!["read", "scores", "board.you"], 3, "nothing is at `board.you`", "pistol sync scores"),
        (vec!["read", "scores", "none.you"], 3, "nothing is at `none.you`", "pistol space show scores"),
        (vec!["read", "scores", "text.body"], 1, "is a text, and no single value", "pistol cat"),
        (vec!["read", "none", "board.me"], 3, "no space `none`", "pistol space new"),
    ] {
        let done = store.run(&[&["space"], arguments.as_slice()].concat());
        assert!(done.code == Some(code) && done.stdout.is_empty(), "{arguments:?}: {done:?}");
        let (first, second) = done.stderr.split_once("\nhelp: ").unwrap();
        assert!(first.contains(cause) && second.contains(help), "{arguments:?}: {done:?}");
    }
}

#[test]
fn the_preset_of_a_space_says_who_adds_documents() {
    let store = Store::new();
    for (preset, rule) in [
        ("private", "and nobody else does"),
        ("published", "and nobody else does"),
        ("wall", "whoever can read it adds documents"),
        ("open", "whoever can read it adds documents"),
        ("team", "say who else may add some"),
    ] {
        let made = &store.json(&["space", "new", preset, "--preset", preset])[0];
        assert_eq!((&made["may_add"], &made["is_public"]), (&json!(true), &json!(preset == "published")));
        assert!(store.ok(&["acl", preset]).contains(rule), "{preset}");
    }
}

#[test]
fn what_takes_a_space_says_what_else_something_is_and_the_other_way_round() {
    let (store, you) = club();
    let bob = author(&Store::new());
    store.ok(&["new", "alone"]);
    for (arguments, code, cause, help) in [
        (vec!["cat", "club"], 3, "`club` is a space", "pistol space show club"),
        (vec!["space", "show", "plan"], 3, "`plan` is a document", "pistol cat plan"),
        (vec!["space", "show", "none"], 3, "no space `none`", "pistol space ls"),
        (vec!["ls", "none"], 3, "no space `none`", "pistol space ls"),
        (vec!["new", "x", "--space", "none"], 3, "no space `none`", "pistol space new"),
        (vec!["new", "plan", "--space", "club"], 1, "called `plan` already", "another name"),
        (vec!["space", "new", "plan"], 1, "called `plan` already", "another name"),
        (vec!["new", "x", "--policy", "owned", "--preset", "wall"], 2, "cannot be used", ""),
        (vec!["space", "remove", "club", "alone"], 3, "no document of the space", "pistol ls club"),
        (vec!["space", "claim", "club", "alone", "alone"], 3, "no document of the space", "pistol ls club"),
        (vec!["space", "claim", "club", "A b", "plan"], 2, "small letters", "write it so"),
        (vec!["space", "confirm", "club", "agenda"], 1, "nobody claims `agenda`", "digits"),
        (vec!["space", "ban", "club", "none"], 3, "neither an author", "pistol ls"),
        (vec!["revoke", "club", &bob], 1, "no part here", "nothing to revoke"),
        (vec!["revoke", "club", &bob, "--exact", "--yes"], 2, "--exact is for documents", "pistol space ban club"),
        (vec!["revoke", "plan", "club", "--keep", "plan"], 2, "--keep is for spaces", "leave it out"),
        (vec!["grant", "plan", "space:x"], 2, "is no id", "all of the id"),
        (vec!["release", "club"], 2, "nobody is there to ask", "--confirm"),
        (vec!["release", "club", "--confirm", "clubs"], 2, "nothing was done", "type `club`"),
        (vec!["forget", "plan"], 1, "belongs to a space", "forget the space"),
    ] {
        let done = store.run(&arguments);
        assert!(done.code == Some(code) && done.stdout.is_empty(), "{arguments:?}: {done:?}");
        assert!(done.stderr.contains(cause) && done.stderr.contains(help), "{arguments:?}: {done:?}");
    }
    let shown = store.ok(&["acl", "club"]);
    assert!(shown.starts_with(&format!("space, members; you are {you}\n  its roots add documents")), "{shown}");
    assert!(store.ok(&["status", "club"]).contains("  space  1 documents"));
    let gone = store.run(&["forget", "club"]);
    assert!(gone.stderr.contains("with all 1 documents in it"), "{gone:?}");
    assert_eq!(store.json(&["ls"]).len(), 1);
}

#[test]
fn a_running_node_is_asked_the_same_of_spaces() {
    let (store, _) = club();
    let bob = author(&Store::new());
    let share = store.start(&["share", "club", "--listen", "127.0.0.1:0"]);
    assert!(share.line().starts_with("pistol"));
    share.says("serving the space with its documents");
    store.ok(&["new", "notes", "--space", "club", "--preset", "wall"]);
    store.ok(&["space", "new", "other", "--preset", "wall"]);
    store.ok(&["space", "claim", "club", "notes", "notes"]);
    store.ok(&["space", "confirm", "club", "notes"]);
    store.ok(&["space", "put", "club", "board.me", "7"]);
    store.ok(&["grant", "club", &bob, "admin"]);
    store.ok(&["revoke", "club", &bob, "--keep", "plan"]);
    store.ok(&["new", "spam", "--space", "club"]);
    assert!(store.ok(&["space", "remove", "club", "spam"]).contains("  removed: "));
    assert_eq!(store.run(&["forget", "club"]).code, Some(1));
    let commands: [&[&str]; 10] = [
        &["space", "show", "club"],
        &["space", "show", "club", "--json"],
        &["space", "show", "plan"],
        &["space", "ls"],
        &["ls", "club"],
        &["space", "read", "club", "board.me"],
        &["space", "read", "club", "board.you"],
        &["space", "put", "club", "board.me", "[]"],
        &["acl", "club"],
        &["forget", "spam"],
    ];
    let say = || commands.map(|command| store.run(command)).map(|done| (done.code, done.stdout, done.stderr));
    let with = say();
    share.signal("INT");
    share.end();
    assert_eq!(with, say());
    store.ok(&["release", "club", "--confirm", "club"]);
    assert!(store.ok(&["acl", "club"]).contains("released: no revocation, ban or removal counts, for ever"));
    assert_eq!(store.json(&["ls", "club"]).len(), 4, "a release brings back what was removed");
}
