//! Commands on a store that a running node holds.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use serde_json::Value;

use crate::program::{Running, Store, exists};

fn sharing() -> (Store, Running) {
    let store = Store::new();
    store.ok(&["new", "notes"]);
    let (share, _) = store.share("notes");
    (store, share)
}

#[test]
fn commands_say_the_same_whether_a_node_runs_or_not() {
    let (store, share) = sharing();
    store.ok(&["edit", "notes", "--append", "hello"]);
    store.ok(&["set", "notes", "a.b", "[1]"]);
    let commands: [&[&str]; 8] = [
        &["ls"],
        &["cat", "notes"],
        &["cat", "notes", "a"],
        &["cat", "notes", "--json"],
        &["log", "notes"],
        &["cat", "nope"],
        &["set", "notes", "body.x", "1"],
        &["new", "notes"],
    ];
    let say = || commands.map(|command| store.run(command)).map(|done| (done.code, done.stdout, done.stderr));
    let with = say();
    share.signal("INT");
    share.end();
    assert_eq!(with, say());
}

#[test]
fn documents_are_made_and_invited_to_through_the_running_node() {
    let (store, _share) = sharing();
    let text = "0123456789abcdef\n".repeat(5000);
    let file = store.file("large.txt", &text);
    let ticket = store.ok(&["share", &file]);
    let theirs = Store::new();
    theirs.join(&ticket, "large");
    assert_eq!(theirs.ok(&["cat", "large"]), text);
    let done = store.run(&["share", "notes", "--listen", "127.0.0.1:0"]);
    assert_eq!(done.code, Some(6), "{done:?}");
}

#[test]
fn a_shared_document_is_removed_only_when_it_is_shared_no_more() {
    let (store, share) = sharing();
    store.ok(&["new", "other"]);
    store.ok(&["forget", "other"]);
    let refused = store.run(&["forget", "notes"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("in use") && refused.stderr.contains("share"), "{refused:?}");
    let refused = store.run(&["compact"]);
    assert_eq!(refused.code, Some(6), "{refused:?}");
    share.signal("INT");
    share.end();
    let forgotten: Value = serde_json::from_str(&store.ok(&["forget", "notes", "--json"])).unwrap();
    assert_eq!((&forgotten["v"], &forgotten["name"]), (&Value::from(1), &Value::from("notes")));
    assert_eq!(store.ok(&["list"]), "");
    let compacted: Value = serde_json::from_str(&store.ok(&["compact", "--json"])).unwrap();
    assert!(compacted["bytes_after"].as_u64() <= compacted["bytes_before"].as_u64(), "{compacted}");
    assert_eq!(store.run(&["forget", "notes"]).code, store.run(&["cat", "notes"]).code);
}

#[test]
fn a_node_that_runs_joins_for_others() {
    let (ours, _running) = sharing();
    let theirs = Store::new();
    theirs.ok(&["new", "plan", "--policy", "world-writable"]);
    let (_share, ticket) = theirs.share("plan");
    ours.join(&ticket, "plan");
    ours.ok(&["edit", "plan", "--append", "x"]);
    ours.ok(&["sync", "plan", "--wait", "--timeout", "2m"]);
    assert_eq!(theirs.ok(&["cat", "plan"]), "x\n");
}

#[test]
fn only_its_owner_may_use_the_socket() {
    let (store, _share) = sharing();
    let mode = store.path().join("node.sock").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_socket_that_was_left_over_is_no_obstacle() {
    let (store, share) = sharing();
    share.signal("KILL");
    share.end();
    assert!(exists(&store.path().join("node.sock")));
    store.ok(&["edit", "notes", "--append", "x"]);
    let (_share, _) = store.share("notes");
    assert_eq!(store.ok(&["cat", "notes"]), "x\n");
}

#[test]
fn clients_that_stall_hold_up_nobody() {
    let (store, _share) = sharing();
    let mut stalled: Vec<UnixStream> =
        (0..32).map(|_| UnixStream::connect(store.path().join("node.sock")).unwrap()).collect();
    for (index, client) in stalled.iter_mut().enumerate() {
        client.write_all(&b"{\"v\":1,\"request\":\"list\"}"[..index % 20]).unwrap();
    }
    assert_eq!(store.ok(&["cat", "notes"]), "");
}

#[test]
fn a_request_that_makes_no_sense_is_answered_with_why() {
    let (store, _share) = sharing();
    let long = format!("{}\n", " ".repeat(1 << 20));
    for (request, cause) in [
        ("\n", "do not understand each other"),
        ("{}\n", "without a version"),
        ("{\"v\":2,\"request\":\"list\"}\n", "version 1 was expected, not 2"),
        ("{\"v\":1,\"request\":\"fly\"}\n", "unknown variant `fly`"),
        ("[[[[[[[[\n", "do not understand each other"),
        (&long, "longer than"),
    ] {
        let mut client = UnixStream::connect(store.path().join("node.sock")).unwrap();
        // The node may have answered before it read all.
        let _ = client.write_all(request.as_bytes());
        let mut answer = String::new();
        BufReader::new(&client).read_line(&mut answer).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(cause), "{request}: {message}");
    }
    assert_eq!(store.ok(&["cat", "notes"]), "");
}

#[test]
fn bytes_that_are_no_text_end_the_connection() {
    let (store, _share) = sharing();
    let mut client = UnixStream::connect(store.path().join("node.sock")).unwrap();
    client.write_all(&[0xff, 0xfe, b'\n']).unwrap();
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer);
    assert!(answer.is_empty());
    assert_eq!(store.ok(&["cat", "notes"]), "");
}

#[test]
fn many_commands_at_once_take_turns() {
    let store = Store::new();
    store.ok(&["new", "notes", "--policy", "world-writable"]);
    let running: Vec<Running> = (0..4).map(|index| store.start(&["set", "notes", &format!("k{index}"), "1"])).collect();
    for done in running.into_iter().map(Running::end) {
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    assert_eq!(store.json(&["cat", "notes"])[0]["content"].as_object().unwrap().len(), 5);
}
