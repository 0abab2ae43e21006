//! Ann owns a document; Bob has a laptop and a phone, and Carol is in a group: each a store with processes of its own.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::program::{Running, Store};

/// Far longer than anything takes on a busy machine.
const HANGS: Duration = Duration::from_mins(2);

fn author(store: &Store) -> String {
    store.json(&["init"])[0]["author"].as_str().unwrap().to_owned()
}

/// Syncs until a command ends so: what the logs of others say comes some moments after a document is equal.
fn until(store: &Store, arguments: &[&str], code: i32) {
    let end = Instant::now() + HANGS;
    loop {
        store.ok(&["sync", "plan", "--wait", "--timeout", "2m"]);
        let done = store.run(arguments);
        if done.code == Some(code) {
            return;
        }
        assert!(Instant::now() < end, "{arguments:?}: {done:?}");
    }
}

/// Ann's store with a document, which is shared.
fn ann() -> (Store, Running, String) {
    let ann = Store::new();
    ann.ok(&["new", "plan", "--policy", "members"]);
    ann.ok(&["edit", "plan", "--append", "Ann"]);
    let (share, ticket) = ann.share("plan");
    (ann, share, ticket)
}

#[test]
fn a_person_writes_on_two_devices_until_one_is_revoked() {
    let (ann, _ann_shares, ticket) = ann();
    let (laptop, phone) = (Store::new(), Store::new());
    let who_phone = author(&phone);
    laptop.ok(&["identity", "new", "bob"]);
    laptop.ok(&["identity", "add", "bob", &who_phone]);
    // What nobody else has keeps nothing from being equal.
    laptop.ok(&["identity", "new", "unshared"]);
    phone.ok(&["group", "new", "unshared"]);
    let (_laptop_shares, bob) = laptop.share("bob");
    // Ann follows Bob's identity, and is told what she joined.
    let joined = ann.run(&["join", bob.trim(), "--as", "bob"]);
    assert!(
        joined.stderr.contains("joined the identity") && joined.stderr.contains("pistol identity show bob"),
        "{joined:?}"
    );
    ann.ok(&["grant", "plan", "bob"]);

    laptop.join(&ticket, "plan");
    phone.join(&ticket, "plan");
    until(&laptop, &["edit", "plan", "--append", "laptop"], 0);
    until(&phone, &["edit", "plan", "--append", "phone"], 0);
    phone.sync();
    laptop.sync();
    for store in [&ann, &laptop, &phone] {
        assert_eq!(store.ok(&["cat", "plan"]), "Ann\nlaptop\nphone\n");
    }

    // The phone is stolen, and written on before it hears of anything.
    phone.ok(&["edit", "plan", "--append", "thief"]);
    laptop.ok(&["identity", "revoke", "bob", &who_phone, "--keep", "plan"]);
    laptop.sync();
    until(&phone, &["edit", "plan", "--append", "more"], 4);
    let refused = phone.run(&["edit", "plan", "--append", "more"]);
    assert!(refused.stderr.contains("your part in this document was ended"), "{refused:?}");
    let masked = &phone.json(&["acl", "plan"])[0]["members"]["masked"];
    assert!(masked.as_array().unwrap().iter().all(|hidden| hidden["author"] == json!(who_phone)), "{masked}");
    assert!(!masked.as_array().unwrap().is_empty());
    laptop.ok(&["edit", "plan", "--append", "after"]);
    laptop.sync();
    until(&phone, &["acl", "plan"], 0);
    for store in [&ann, &laptop, &phone] {
        assert_eq!(store.ok(&["cat", "plan"]), "Ann\nlaptop\nphone\nafter\n");
    }
    assert!(!ann.ok(&["identity", "show", "bob"]).contains(&who_phone));
}

#[test]
fn a_group_is_granted_a_part_and_loses_it() {
    let (ann, _ann_shares, ticket) = ann();
    let carol = Store::new();
    let who_carol = author(&carol);
    carol.join(&ticket, "plan");
    assert_eq!(carol.run(&["edit", "plan", "--append", "no"]).code, Some(4));
    ann.ok(&["group", "new", "friends"]);
    ann.ok(&["group", "add", "friends", &who_carol]);
    ann.ok(&["grant", "plan", "friends"]);
    until(&carol, &["edit", "plan", "--append", "Carol"], 0);
    carol.sync();
    assert_eq!(ann.ok(&["cat", "plan"]), "Ann\nCarol\n");
    // Carol follows the group by the document alone.
    let group = ann.json(&["group", "show", "friends"])[0]["id"].as_str().unwrap().to_owned();
    assert!(carol.ok(&["group", "show", &group]).contains(&format!("writer  {who_carol}  (you)")));
    let refused = carol.run(&["group", "add", &group, &who_carol, "admin"]);
    assert!(refused.code == Some(4) && refused.stderr.contains("your role here"), "{refused:?}");
    ann.ok(&["revoke", "plan", "friends"]);
    until(&carol, &["edit", "plan", "--append", "more"], 4);
    assert_eq!(carol.ok(&["cat", "plan"]), "Ann\nCarol\n");
}
