//! Disks and folders that fail when they are told to, for tests and the bench (feature `faults`).

mod folder;
mod simulated;

pub(super) use folder::file;
pub use folder::{FaultyFolder, access};
pub use simulated::{Fault, SimulatedDisk, Survivors};
