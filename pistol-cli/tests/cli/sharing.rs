//! Two stores, two processes, one document.

use pistol::{DocumentId, Ticket};

use crate::program::{Store, exists};

#[test]
fn a_text_is_shared_in_two_commands() {
    let (ours, theirs) = (Store::missing(), Store::missing());
    let file = ours.file("notes.md", "# Notes\n");
    let (share, ticket) = ours.share(&file);
    theirs.join(&ticket, "shared");
    assert_eq!(theirs.ok(&["cat", "shared"]), "# Notes\n");
    share.signal("INT");
    assert_eq!(share.end().code, Some(0));
    assert_eq!(ours.ok(&["cat", "notes.md"]), "# Notes\n");
}

#[test]
fn both_sides_write_and_become_equal() {
    let (ours, theirs) = (Store::new(), Store::new());
    ours.ok(&["new", "notes", "--policy", "world-writable"]);
    let (share, ticket) = ours.share("notes");
    theirs.join(&ticket, "notes");
    theirs.ok(&["edit", "notes", "--append", "theirs"]);
    ours.ok(&["edit", "notes", "--append", "ours"]);
    theirs.sync();
    let text = theirs.ok(&["cat", "notes"]);
    assert_eq!(ours.ok(&["cat", "notes"]), text);
    assert!(text.contains("ours\n") && text.contains("theirs\n"), "{text}");
    share.says("1 change by");
}

#[test]
fn a_stranger_may_not_change_an_owned_document() {
    let (ours, theirs) = (Store::new(), Store::new());
    ours.ok(&["new", "notes"]);
    let (_share, ticket) = ours.share("notes");
    theirs.join(&ticket, "notes");
    let done = theirs.run(&["edit", "notes", "--append", "x"]);
    assert_eq!(done.code, Some(4), "{done:?}");
    assert!(done.stderr.contains("help: ask the document's owner"), "{done:?}");
}

#[test]
fn others_add_to_a_first_writer_document_and_change_nothing_in_it() {
    let (ours, theirs) = (Store::new(), Store::new());
    ours.ok(&["new", "wall", "--policy", "first-writer"]);
    ours.ok(&["edit", "wall", "--append", "ours"]);
    let us = ours.json(&["init"])[0]["author"].as_str().unwrap().to_owned();
    let (_share, ticket) = ours.share("wall");
    theirs.join(&ticket, "wall");
    let done = theirs.run(&["edit", "wall", "--text", "taken"]);
    assert_eq!(done.code, Some(4), "{done:?}");
    assert!(done.stderr.contains(&us) && done.stderr.contains("help: add something of your own"), "{done:?}");
    assert_eq!(theirs.ok(&["cat", "wall"]), "ours\n");
    theirs.ok(&["edit", "wall", "--append", "theirs"]);
    theirs.sync();
    assert_eq!(ours.ok(&["cat", "wall"]), "ours\ntheirs\n");
}

#[test]
fn joining_when_nobody_is_there_fails_in_time() {
    let (ours, theirs) = (Store::new(), Store::new());
    ours.ok(&["new", "notes"]);
    let (share, ticket) = ours.share("notes");
    share.signal("KILL");
    share.end();
    let done = theirs.run(&["join", &ticket, "--as", "notes", "--timeout", "300ms"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(5), ""), "{done:?}");
    assert!(done.stderr.contains("help: check that `pistol share`"), "{done:?}");
    assert_eq!(theirs.ok(&["ls"]), "");
}

#[test]
fn syncing_when_nobody_is_there_fails_and_loses_nothing() {
    let (ours, theirs) = (Store::new(), Store::new());
    ours.ok(&["new", "notes", "--policy", "world-writable"]);
    let (share, ticket) = ours.share("notes");
    theirs.join(&ticket, "notes");
    share.signal("KILL");
    share.end();
    theirs.ok(&["edit", "notes", "--append", "meanwhile"]);
    let done = theirs.run(&["sync", "--wait", "--timeout", "300ms"]);
    assert_eq!(done.code, Some(5), "{done:?}");
    assert!(done.stderr.contains("`notes` is not equal yet"), "{done:?}");
    let (_share, _) = ours.share("notes");
    assert_eq!(theirs.ok(&["cat", "notes"]), "meanwhile\n");
}

#[test]
fn a_ticket_that_opens_nothing_is_refused() {
    let (ours, theirs) = (Store::new(), Store::new());
    ours.ok(&["new", "notes"]);
    let (_share, ticket) = ours.share("notes");
    let good: Ticket = ticket.trim().parse().unwrap();
    let (mut keyless, mut unknown) = (good.clone(), good);
    keyless.read_key = None;
    unknown.document = DocumentId([7; 32]);
    let damaged = ticket.trim().replacen('a', "b", 1);
    for wrong in [keyless.to_string(), unknown.to_string(), damaged] {
        let done = theirs.run(&["join", &wrong, "--as", "notes", "--timeout", "2m"]);
        assert_eq!(done.code, Some(7), "{done:?}");
        assert!(done.stderr.contains("help: ask for the ticket again"), "{done:?}");
    }
}

#[test]
fn a_name_that_is_taken_is_noticed_before_anything_is_joined() {
    let (ours, theirs) = (Store::new(), Store::new());
    ours.ok(&["new", "notes"]);
    theirs.ok(&["new", "notes"]);
    let (_share, ticket) = ours.share("notes");
    let done = theirs.run(&["join", &ticket, "--as", "notes"]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(theirs.ok(&["ls"]).lines().count(), 1);
}

#[test]
fn a_signal_ends_a_command_cleanly() {
    let (ours, theirs) = (Store::new(), Store::new());
    ours.ok(&["new", "notes"]);
    for signal in ["INT", "TERM"] {
        let (share, ticket) = ours.share("notes");
        theirs.join(&ticket, "notes");
        share.signal(signal);
        assert_eq!(share.end().code, Some(0));
        assert!(!exists(&ours.path().join("node.sock")));
    }
}

#[test]
fn joining_can_be_interrupted() {
    let (ours, theirs) = (Store::new(), Store::new());
    ours.ok(&["new", "notes"]);
    let (share, ticket) = ours.share("notes");
    share.signal("KILL");
    share.end();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let join = theirs.start(&["join", &ticket, "--timeout", "1h", "-v"]);
        join.says("opened the store");
        join.signal(signal);
        let done = join.end();
        assert_eq!(done.code, Some(code), "{done:?}");
        assert!(!exists(&theirs.path().join("node.sock")));
    }
}
