//! What touches the machine: files and the disk's thread.

#![cfg_attr(not(test), expect(dead_code, reason = "the node is still to be put on top"))]

pub(crate) mod disk;
pub(crate) mod folder;
