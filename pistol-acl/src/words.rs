//! The rules of documents and spaces, said to people.

use pistol_core::genesis::{Genesis, Insert, Kind, Policy};
use pistol_core::key::AuthorId;

/// Who may do what in a document or a space, a sentence each.
pub fn rules(genesis: &Genesis) -> Vec<String> {
    let roots: Vec<String> = genesis.terms().roots.iter().map(ToString::to_string).collect();
    let roots = roots.join(", ");
    if genesis.terms().kind == Kind::Space {
        return rules_of_space(genesis.terms().policy, &roots);
    }
    match genesis.terms().policy {
        Policy::Owned => {
            vec![format!("its roots change everything: {roots}"), "nobody else changes anything".to_owned()]
        }
        Policy::WorldWritable => vec!["whoever can read it changes everything".to_owned()],
        Policy::FirstWriter { insert, shared_counters, shared_slots } => {
            let at_keys = if shared_slots {
                "whoever can read it puts values at keys; one that several claim is nobody's".to_owned()
            } else {
                format!(
                    "in its root keys that begin with an author's id are that author's, and others its roots': {roots}"
                )
            };
            let into = match insert {
                Insert::Anywhere => "whoever can read it inserts into every list and text",
                Insert::OwnObject => "whoever can read it inserts into lists and texts of their own",
            };
            let counters = if shared_counters { "adds to every counter" } else { "adds to counters of their own" };
            vec![
                "what somebody wrote nobody else replaces, deletes or marks; what it began with is its creator's"
                    .to_owned(),
                into.to_owned(),
                at_keys,
                format!("whoever can read it {counters}"),
                "who deletes a container of their own hides what others put in it".to_owned(),
            ]
        }
        Policy::Members => vec![
            format!("its roots change everything, and say who else may: {roots}"),
            "writers change everything, admins say who may as well, and readers and relays change nothing".to_owned(),
            "who was revoked changes nothing more; what others built on of theirs stays".to_owned(),
        ],
        _ => vec!["a rule that this version has no words for".to_owned()],
    }
}

/// Who may do what in a space, a sentence each.
fn rules_of_space(policy: Policy, roots: &str) -> Vec<String> {
    match policy {
        Policy::Owned => vec![format!("its roots add documents and take them out, and nobody else does: {roots}")],
        Policy::WorldWritable => vec![
            "whoever can read it adds documents and claims names for them".to_owned(),
            format!("its roots take documents out, confirm names, and ban authors of documents: {roots}"),
            "who was banned may come again with a new key".to_owned(),
        ],
        Policy::Members => vec![
            format!("its roots add documents and take them out, and say who else may add some: {roots}"),
            "writers add documents and claim names for them; admins confirm names, and say who may as well".to_owned(),
            "who was revoked adds nothing more; documents of theirs that others edited stay".to_owned(),
        ],
        _ => vec!["a rule that this version has no words for".to_owned()],
    }
}

/// Why a change that is part of a document may be.
pub fn why_accepted(genesis: &Genesis, author: &AuthorId) -> String {
    match genesis.terms().policy {
        Policy::Owned => format!("{author} is a root of the document"),
        Policy::WorldWritable => "anybody may change this document".to_owned(),
        Policy::FirstWriter { .. } => {
            format!("all that it replaces, deletes, marks or counts was {author}'s to change")
        }
        _ => "by a rule that this version has no words for".to_owned(),
    }
}
