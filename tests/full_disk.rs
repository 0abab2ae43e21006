//! Real disks that are full or read-only: small file systems in memory, where the system lets a test mount them.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use pistol::{Doc, Node, Policy};

const WITHIN: Duration = Duration::from_mins(2);

/// A small file system, gone when this is dropped.
struct Disk {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Disk {
    /// None where tests may not mount anything.
    fn mount(size: &str) -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        std::fs::create_dir(&path).unwrap();
        if !mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "none"], &path) {
            eprintln!("skipped: this needs the right to mount a file system");
            return None;
        }
        Some(Disk { path, _folder: folder })
    }

    fn node(&self) -> PathBuf {
        self.path.join("node")
    }

    /// Takes all the room that is left.
    fn fill(&self, name: &str) {
        let mut ballast = File::create(self.path.join(name)).unwrap();
        for bytes in [64 << 10, 4096, 1] {
            while ballast.write_all(&vec![1; bytes]).is_ok() {}
        }
    }

    fn free(&self, name: &str) {
        std::fs::remove_file(self.path.join(name)).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.path).output();
    }
}

fn mount(options: &[&str], path: &Path) -> bool {
    Command::new("mount").args(options).arg(path).output().is_ok_and(|output| output.status.success())
}

async fn open(folder: &Path) -> Result<Node, pistol::OpenError> {
    Node::builder(folder).offline().open().await
}

/// Writes something that takes room in any case.
fn write(doc: &Doc, number: u64) {
    let mut word = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut text = format!("{number} ");
    for _ in 0..1000 {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let _ = write!(text, "{word:016x}");
    }
    doc.edit(|doc| doc.map("map").put(&number.to_string(), text)).unwrap();
}

fn holds(doc: &Doc, numbers: std::ops::Range<u64>) -> bool {
    let json = doc.to_json();
    numbers.into_iter().all(|number| {
        json["map"][number.to_string()].as_str().is_some_and(|text| text.starts_with(&format!("{number} ")))
    })
}

/// Looks again and again whether something has come about.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + WITHIN;
    while !is_so().await {
        assert!(Instant::now() < end, "{what} does not come about");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_and_the_node_goes_on_when_there_is_room() {
    let Some(disk) = Disk::mount("24m") else { return };
    let reserve = disk.node().join("reserve");
    let node = open(&disk.node()).await.unwrap();
    let doc = node.create(Policy::Owned, |doc| doc.map("map")).await.unwrap();
    let mut count = 0;
    let more = async |count: &mut u64| {
        write(&doc, *count);
        *count += 1;
        doc.flush().await
    };
    until("a reserve", async || more(&mut count).await.is_ok() && reserve.exists()).await;
    assert!(!node.is_on_reserve());

    disk.fill("ballast");
    until("the use of the reserve", async || more(&mut count).await.is_ok() && node.is_on_reserve()).await;
    assert!(!reserve.exists());
    disk.fill("more ballast");
    let mut refusal = String::new();
    until("a refusal", async || match more(&mut count).await {
        Ok(()) => false,
        Err(error) => {
            refusal = error.to_string();
            true
        }
    })
    .await;
    assert!(refusal.contains("the disk is full; free some space"), "{refusal}");
    assert!(doc.status().store_failure.is_some_and(|reason| reason.contains("free some space")));

    // Reading and editing go on, in memory.
    write(&doc, count);
    count += 1;
    assert!(holds(&doc, 0..count));

    disk.free("more ballast");
    disk.free("ballast");
    until("a flush", async || doc.flush().await.is_ok()).await;
    assert_eq!(doc.status().store_failure, None);
    until("another reserve", async || more(&mut count).await.is_ok() && !node.is_on_reserve()).await;
    assert!(reserve.exists());
    let id = doc.id();
    node.shutdown().await.unwrap();
    let node = open(&disk.node()).await.unwrap();
    assert!(holds(&node.document(id).await.unwrap(), 0..count), "everything is there");
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_opens_on_a_full_disk_at_its_reserves_cost() {
    let Some(disk) = Disk::mount("24m") else { return };
    let node = open(&disk.node()).await.unwrap();
    let doc = node.create(Policy::Owned, |doc| doc.map("map")).await.unwrap();
    let mut count = 0;
    until("a reserve", async || {
        write(&doc, count);
        count += 1;
        doc.flush().await.is_ok() && disk.node().join("reserve").exists()
    })
    .await;
    let id = doc.id();
    node.shutdown().await.unwrap();
    disk.fill("ballast");
    let node = open(&disk.node()).await.unwrap();
    let doc = node.document(id).await.unwrap();
    assert!(holds(&doc, 0..count));
    write(&doc, count);
    doc.flush().await.unwrap();
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_too_small_for_a_node_is_told_and_a_larger_one_is_used() {
    let Some(disk) = Disk::mount("64k") else { return };
    let refusal = open(&disk.node()).await.err().unwrap().to_string();
    assert!(refusal.contains("free some space"), "{refusal}");
    assert!(mount(&["-o", "remount,size=24m"], &disk.path));
    let node = open(&disk.node()).await.unwrap();
    let doc = node.create(Policy::Owned, |doc| doc.map("map")).await.unwrap();
    write(&doc, 0);
    node.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_for_a_reserve_is_never_filled_by_it() {
    let Some(disk) = Disk::mount("6m") else { return };
    let others = disk.path.join("others");
    for _ in 0..20 {
        let node = open(&disk.node()).await.unwrap();
        node.create(Policy::Owned, |doc| doc.map("map")).await.unwrap();
        // After its first commit the disk's thread may be about to make a reserve.
        std::fs::write(&others, vec![1; 3 << 20]).unwrap();
        std::fs::remove_file(&others).unwrap();
        assert!(!disk.node().join("reserve").exists());
        node.shutdown().await.unwrap();
        std::fs::remove_dir_all(disk.node()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_disk_is_told_and_one_that_is_writable_again_is_used() {
    let Some(disk) = Disk::mount("24m") else { return };
    let node = open(&disk.node()).await.unwrap();
    let id = node.create(Policy::Owned, |doc| doc.map("map").put("0", "0 ")).await.unwrap().id();
    node.shutdown().await.unwrap();
    assert!(mount(&["-o", "remount,ro"], &disk.path));
    let refusal = open(&disk.node()).await.err().unwrap().to_string();
    assert!(refusal.contains("check the disk and the folder's permissions"), "{refusal}");
    assert!(refusal.contains(disk.node().to_str().unwrap()), "it says which folder: {refusal}");
    assert!(mount(&["-o", "remount,rw"], &disk.path));
    let node = open(&disk.node()).await.unwrap();
    assert!(holds(&node.document(id).await.unwrap(), 0..1));
    node.shutdown().await.unwrap();
}
