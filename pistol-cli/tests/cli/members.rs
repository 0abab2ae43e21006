//! Documents with members: granting, revoking, releasing, and what `acl` says of them.

use serde_json::json;

use crate::program::Store;

fn author(store: &Store) -> String {
    store.json(&["init"])[0]["author"].as_str().unwrap().to_owned()
}

/// A document with members, with a text by its root.
fn team() -> (Store, String, String) {
    let (store, other) = (Store::new(), Store::new());
    store.ok(&["new", "plan", "--policy", "members"]);
    store.ok(&["edit", "plan", "--append", "text"]);
    let (you, bob) = (author(&store), author(&other));
    (store, you, bob)
}

#[test]
fn acl_shows_who_has_a_part_and_grant_and_revoke_change_it() {
    let (store, you, bob) = team();
    store.ok(&["grant", "plan", &bob]);
    let shown = store.ok(&["acl", "plan"]);
    assert!(shown.starts_with(&format!("members; you are {you}")), "{shown}");
    assert!(shown.contains(&format!("root    {you}")) && shown.contains(&format!("writer  {bob}")), "{shown}");
    store.ok(&["grant", "plan", &bob, "admin"]);
    let granted = &store.json(&["acl", "plan"])[0]["members"]["granted"];
    assert_eq!(
        (&granted[1]["who"], &granted[1]["role"], &granted[1]["by"]),
        (&json!(bob), &json!("admin"), &json!(you))
    );
    store.ok(&["revoke", "plan", &bob]);
    assert_eq!(store.json(&["acl", "plan"])[0]["members"]["granted"], json!([]));
    let change = store.json(&["log", "plan"])[0]["id"].as_str().unwrap().to_owned();
    assert!(store.ok(&["acl", "plan", "--why", &change]).contains("its author is a root"));
}

#[test]
fn an_exact_revocation_and_a_release_are_asked_about() {
    let (store, you, bob) = team();
    store.ok(&["grant", "plan", &bob]);
    let asked = store.run(&["revoke", "plan", &bob, "--exact"]);
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert!(asked.stderr.contains("takes away 0 changes of theirs") && asked.stderr.contains("--yes"), "{asked:?}");
    store.ok(&["revoke", "plan", &bob, "--exact", "--yes"]);
    for wrong in [vec!["release", "plan"], vec!["release", "plan", "--confirm", "plans"]] {
        assert_eq!(store.run(&wrong).code, Some(2));
    }
    assert_eq!(store.json(&["acl", "plan"])[0]["members"]["is_released"], json!(false));
    store.ok(&["release", "plan", "--confirm", "plan"]);
    let shown = store.ok(&["acl", "plan"]);
    assert!(shown.contains("released: everybody changes it, for ever") && shown.contains(&you), "{shown}");
}

#[test]
fn what_cannot_be_granted_says_why() {
    let (store, _, bob) = team();
    store.ok(&["new", "mine"]);
    for (arguments, code, word) in [
        (vec!["grant", "mine", bob.as_str()], 4, "has no members"),
        (vec!["grant", "plan", "bob"], 3, "neither an author nor an identity, group or space"),
        (vec!["grant", "none", bob.as_str()], 3, "no document"),
        (vec!["release", "mine", "--confirm", "mine"], 4, "has no members"),
    ] {
        let done = store.run(&arguments);
        assert!(done.code == Some(code) && done.stderr.contains(word), "{arguments:?}: {done:?}");
    }
}

#[test]
fn status_says_how_many_changes_are_masked() {
    let (you, bob) = (Store::new(), Store::new());
    you.ok(&["new", "plan", "--policy", "members"]);
    let who = author(&bob);
    you.ok(&["grant", "plan", &who]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.pistol");
    let file = file.to_str().unwrap();
    you.ok(&["export", "plan", "--format", "pistol", "--to", file]);
    bob.ok(&["import", file]);
    bob.ok(&["edit", "plan", "--append", "by bob"]);
    std::fs::remove_file(file).unwrap();
    bob.ok(&["export", "plan", "--format", "pistol", "--to", file]);
    you.ok(&["import", file]);
    assert_eq!(you.ok(&["cat", "plan"]).trim(), "by bob");
    assert!(!you.ok(&["status", "plan"]).contains("masked"));
    you.ok(&["revoke", "plan", &who, "--exact", "--yes"]);
    assert_eq!(you.ok(&["cat", "plan"]).trim(), "");
    assert!(you.ok(&["status", "plan"]).contains("1 changes are masked"));
    assert_eq!(you.json(&["status", "plan"])[0]["documents"][0]["masked"], json!(1));
}
