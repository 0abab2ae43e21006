//! Ann owns a space and shares it; Bob joins with its ticket: each a store with processes of its own.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Done, Running, Store};

/// Far longer than anything takes on a busy machine.
const HANGS: Duration = Duration::from_mins(2);

fn author(store: &Store) -> String {
    store.json(&["init"])[0]["author"].as_str().unwrap().to_owned()
}

/// Syncs the space until a command ends as it shall.
fn until(store: &Store, arguments: &[&str], is_so: impl Fn(&Done) -> bool) -> Done {
    let end = Instant::now() + HANGS;
    loop {
        store.ok(&["sync", "club", "--wait", "--timeout", "2m"]);
        let done = store.run(arguments);
        if is_so(&done) {
            return done;
        }
        assert!(Instant::now() < end, "{arguments:?}: {done:?}");
    }
}

/// Ann's store with a space in which a document is, shared; and Bob's, who joined it.
fn two(preset: &str) -> (Store, Store, Running) {
    let (ann, bob) = (Store::new(), Store::new());
    ann.ok(&["space", "new", "club", "--preset", preset]);
    ann.ok(&["new", "plan", "--space", "club", "--preset", "team"]);
    ann.ok(&["edit", "plan", "--append", "Ann"]);
    let (share, ticket) = ann.share("club");
    let joined = bob.run(&["join", ticket.trim(), "--as", "club", "--wait", "--timeout", "2m"]);
    assert!(joined.code == Some(0) && joined.stderr.contains("its documents come with it"), "{joined:?}");
    (ann, bob, share)
}

fn documents(store: &Store) -> Vec<Value> {
    store.json(&["space", "show", "club"])[0]["documents"].as_array().unwrap().clone()
}

fn id(store: &Store, name: &str) -> String {
    let all = store.json(&["ls"]);
    all.iter().find(|listed| listed["name"] == json!(name)).unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn who_joins_a_space_gets_its_documents_and_adds_some_once_a_part_is_granted() {
    let (ann, bob, _share) = two("team");
    let (who_ann, who_bob) = (author(&ann), author(&bob));
    let plan = id(&ann, "plan");
    assert_eq!(bob.json(&["ls", "club"])[0]["id"], json!(plan));
    assert_eq!(bob.ok(&["cat", &plan]), "Ann\n");
    assert!(bob.ok(&["space", "show", "club"]).contains("you may not add documents"));
    for (refused, help) in [
        (vec!["new", "notes", "--space", "club"], "ask an admin"),
        (vec!["space", "put", "club", "board.bob", "1"], "ask an admin"),
        (vec!["edit", &plan, "--append", "no"], ""),
        (vec!["grant", "club", &who_bob], "ask an admin"),
        (vec!["space", "remove", "club", &plan], "ask an admin"),
        (vec!["release", "club", "--confirm", "club"], "ask an admin"),
    ] {
        let done = bob.run(&refused);
        assert!(done.code == Some(4) && done.stderr.contains(help), "{refused:?}: {done:?}");
    }

    ann.ok(&["grant", "club", &who_bob]);
    until(&bob, &["edit", &plan, "--append", "Bob"], |done| done.code == Some(0));
    bob.ok(&["new", "notes", "--space", "club", "--policy", "owned"]);
    bob.ok(&["space", "claim", "club", "notes", "notes"]);
    bob.ok(&["space", "put", "club", "board.bob", "9"]);
    bob.ok(&["sync", "club", "--wait", "--timeout", "2m"]);
    assert_eq!(ann.ok(&["cat", "plan"]), "Ann\nBob\n");
    let shown = ann.ok(&["space", "show", "club"]);
    assert!(shown.contains(&format!("name  notes  {}  by {who_bob}  unconfirmed", id(&bob, "notes"))), "{shown}");
    assert_eq!(ann.ok(&["space", "read", "club", "board.bob"]), "9\n");
    let theirs = ann.run(&["space", "put", "club", "board.bob", "0"]);
    assert!(theirs.code == Some(4) && theirs.stderr.contains(&who_bob), "{theirs:?}");
    assert!(ann.ok(&["space", "confirm", "club", "notes"]).contains("confirmed"));
    until(&bob, &["space", "show", "club"], |done| {
        done.stdout.contains("name  notes") && done.stdout.contains("  confirmed")
    });
    assert_eq!(ann.run(&["forget", "plan"]).code, Some(1), "a document of a space is forgotten with it");

    // His part ends: what nobody else edited leaves the space, and he writes no more.
    ann.ok(&["revoke", "club", &who_bob, "--keep", "plan"]);
    until(&bob, &["edit", &plan, "--append", "more"], |done| done.code == Some(4));
    for store in [&ann, &bob] {
        let notes = id(&bob, "notes");
        let held = documents(store).into_iter().find(|held| held["id"] == json!(notes)).unwrap();
        assert_eq!(held["place"], json!("masked"));
        assert!(held["why"].as_str().unwrap().starts_with(&format!("{who_ann} ended its author's part")), "{held}");
        assert_eq!(store.ok(&["cat", &plan]), "Ann\nBob\n");
    }
    assert!(!ann.ok(&["ls", "club"]).contains(&id(&bob, "notes")));

    // To forget a space is to forget what is in it.
    let gone = bob.run(&["forget", "club"]);
    assert!(gone.code == Some(0) && gone.stderr.contains("documents in it"), "{gone:?}");
    assert_eq!(bob.ok(&["ls"]), "");
}

#[test]
fn documents_are_removed_and_their_authors_banned_until_the_space_is_released() {
    let (ann, bob, _share) = two("open");
    let (who_ann, who_bob) = (author(&ann), author(&bob));
    bob.ok(&["new", "spam", "--space", "club", "--preset", "open"]);
    bob.ok(&["new", "more", "--space", "club", "--preset", "open"]);
    bob.ok(&["new", "good", "--space", "club", "--preset", "open", "--from", &bob.file("good", "good\n")]);
    bob.ok(&["sync", "club", "--wait", "--timeout", "2m"]);
    let [spam, more, good] = ["spam", "more", "good"].map(|name| id(&bob, name));
    assert_eq!(ann.ok(&["cat", &good]), "good\n");
    let removed = ann.json(&["space", "remove", "club", &spam]);
    assert_eq!(
        (&removed[0]["place"], &removed[0]["why"]),
        (&json!("removed"), &json!(format!("{who_ann} removed it")))
    );
    assert_eq!(ann.json(&["space", "ban", "club", &who_bob, "--keep", &good])[0]["who"], json!(who_bob));
    let place = |done: &Done, id: &str, place: &str| done.stdout.contains(&format!("{id}  world-writable  {place}"));
    until(&bob, &["space", "show", "club"], |done| {
        place(done, &spam, "removed: ") && place(done, &more, "masked: ") && place(done, &good, "here\n")
    });
    let refused = bob.run(&["release", "club", "--confirm", "club"]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    let released = ann.run(&["release", "club", "--confirm", "club"]);
    assert!(
        released.code == Some(0) && released.stderr.contains("bans and removals in it count no more"),
        "{released:?}"
    );
    until(&bob, &["space", "show", "club"], |done| {
        done.stdout.contains("\nreleased: ") && place(done, &spam, "here\n") && place(done, &more, "here\n")
    });
}

#[test]
fn a_name_that_two_claimed_apart_is_contested_until_an_admin_confirms_one() {
    let (ann, bob, _share) = two("open");
    // Bob's commands meet nobody until he syncs.
    for (store, who) in [(&ann, "ann"), (&bob, "bob")] {
        store.ok(&["new", who, "--space", "club", "--preset", "wall"]);
        store.ok(&["space", "claim", "club", "list", who]);
    }
    until(&bob, &["space", "show", "club"], |done| done.stdout.contains("name  list  contested: "));
    let shown = ann.ok(&["space", "show", "club"]);
    let named = ann.json(&["space", "show", "club"])[0]["names"][0].clone();
    let claims = named["claims"].as_array().unwrap();
    assert_eq!((&named["state"], &named["count"], claims.len()), (&json!("contested"), &json!(2), 2));
    let his = claims.iter().find(|claim| claim["by"] == json!(author(&bob))).unwrap();
    let form = his["form"].as_str().unwrap();
    assert!(shown.contains(&format!("{form} for {} by {}", id(&bob, "bob"), author(&bob))), "{shown}");
    for store in [&ann, &bob] {
        let undecided = store.run(&["space", "read", "club", "list.milk"]);
        assert!(undecided.code == Some(1) && undecided.stderr.contains("2 claim `list`"), "{undecided:?}");
        assert!(undecided.stderr.contains("help: ask an admin"), "{undecided:?}");
    }
    assert_eq!(bob.run(&["space", "confirm", "club", form]).code, Some(4));
    assert_eq!(ann.run(&["space", "confirm", "club", "list"]).code, Some(1));
    assert!(ann.ok(&["space", "confirm", "club", form]).contains("by its claimant"));
    until(&bob, &["space", "show", "club"], |done| done.stdout.contains("  confirmed"));
    assert_eq!(ann.json(&["space", "show", "club"])[0]["names"][0]["claims"][0], *his);
}
