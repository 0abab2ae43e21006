//! The architecture, as far as a program can see it: who may use whom, what must stay pure, and how large files are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Of each crate of the workspace the crates that it uses, those for tests apart.
fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version=1", "--no-deps", "--locked"])).unwrap();
    let is_used = |dependency: &&Value| dependency["kind"].as_str() != Some("dev");
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let of = |package: &Value| package["dependencies"].as_array().unwrap().iter().filter(is_used).map(name).collect();
    metadata["packages"].as_array().unwrap().iter().map(|package| (name(package), of(package))).collect()
}

#[test]
fn each_crate_uses_only_the_crates_below_it() {
    let allowed = [
        ("pistol-core", vec![]),
        ("pistol-acl", vec!["pistol-core"]),
        ("pistol-sync", vec!["pistol-core"]),
        ("pistol-engine", vec!["pistol-core", "pistol-acl", "pistol-sync"]),
        ("pistol-sdk", vec!["pistol-core", "pistol-acl", "pistol-sync", "pistol-engine"]),
        ("pistol-cli", vec!["pistol-sdk"]),
        ("pistol-sim", vec!["pistol-core", "pistol-acl", "pistol-sync", "pistol-engine"]),
        ("pistol-fuzz", vec!["pistol-core", "pistol-acl", "pistol-sync", "pistol-engine"]),
        ("pistol-oracle", vec![]),
    ];
    let graph = graph();
    for (name, allowed) in allowed {
        let ours = graph[name].iter().filter(|used| used.starts_with("pistol"));
        let wrong: Vec<_> = ours.filter(|used| !allowed.contains(&used.as_str())).collect();
        assert!(wrong.is_empty(), "{name} uses {wrong:?}");
    }
}

#[test]
fn the_oracle_uses_no_crate_and_only_tests_and_the_bench_use_it() {
    let graph = graph();
    assert_eq!(graph["pistol-oracle"], BTreeSet::new());
    let users = graph.iter().filter(|(_, uses)| uses.contains("pistol-oracle")).map(|(name, _)| name.as_str());
    assert_eq!(users.collect::<Vec<_>>(), ["pistol-bench"]);
}

#[test]
fn only_the_crates_that_may_know_automerge_redb_iroh_and_tokio_do() {
    let knows = [
        ("automerge", vec!["pistol-core", "pistol-bench", "pistol-fuzz"]),
        ("redb", vec!["pistol-core", "pistol-bench"]),
        ("iroh", vec!["pistol-sync"]),
        ("tokio", vec!["pistol-sync", "pistol-sdk", "pistol-cli", "pistol-bench"]),
    ];
    let graph = graph();
    for (library, allowed) in knows {
        let users = graph.iter().filter(|(_, uses)| uses.contains(library)).map(|(name, _)| name.as_str());
        let wrong: Vec<_> = users.filter(|user| !allowed.contains(user)).collect();
        assert!(wrong.is_empty(), "{library} is used by {wrong:?}");
    }
}

#[test]
fn the_engine_builds_without_io_and_its_tree_holds_none() {
    cargo(&["check", "--quiet", "--locked", "-p", "pistol-engine", "--no-default-features"]);
    let arguments = ["tree", "--locked", "-p", "pistol-engine", "--no-default-features", "-e", "normal"];
    let tree = cargo(&[arguments.as_slice(), &["--prefix", "none", "--format", "{p}"]].concat());
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("automerge"), "the tree was read");
    for impure in ["tokio", "iroh", "redb", "noq", "mio", "socket2"] {
        assert!(!crates.contains(impure), "pistol-engine depends on {impure}");
    }
}

#[test]
fn every_pure_crate_bans_clocks_threads_and_unordered_maps() {
    for pure in
        ["pistol-core", "pistol-acl", "pistol-sync", "pistol-engine", "pistol-sim", "pistol-fuzz", "pistol-oracle"]
    {
        let rules = std::fs::read_to_string(root().join(pure).join("clippy.toml")).unwrap();
        for banned in ["Instant::now", "SystemTime::now", "thread::spawn", "env::var", "HashMap", "HashSet"] {
            assert!(rules.contains(banned), "{pure}/clippy.toml does not ban {banned}");
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_source_file_has_more_than_500_lines() {
    let mut files = Vec::new();
    sources(root(), &mut files);
    assert!(files.len() > 50, "the sources were found");
    let length = |path: &PathBuf| std::fs::read_to_string(path).unwrap().lines().count();
    let long: Vec<_> = files.iter().filter(|path| length(path) > 500).collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn every_library_file_begins_by_saying_what_it_is() {
    let mut files = Vec::new();
    let crates = [
        "pistol-core",
        "pistol-acl",
        "pistol-sync",
        "pistol-engine",
        "pistol-cli",
        "pistol-sim",
        "pistol-bench",
        "pistol-fuzz",
        "pistol-oracle",
    ];
    crates.iter().for_each(|name| sources(&root().join(name).join("src"), &mut files));
    sources(&root().join("src"), &mut files);
    let begins = |path: &&PathBuf| !std::fs::read_to_string(path).unwrap().starts_with("//! ");
    let silent: Vec<_> = files.iter().filter(begins).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn the_fence_between_versions_of_automerge_is_an_exact_one() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("automerge = \"=0.12.0\""));
}
