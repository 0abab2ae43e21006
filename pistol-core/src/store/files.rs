//! Files and folders that only their owner may read, and that are there after a power cut.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[cfg(feature = "faults")]
pub use super::redb::faults::access;

/// Where tests let an access to the system fail: it comes before each.
///
/// # Errors
/// In tests, if they say so.
#[cfg(not(feature = "faults"))]
pub fn access(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates a folder, and its parents, if it is absent.
///
/// # Errors
/// If the system refuses.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !is_folder(folder)).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    access(path)?;
    builder.create(path)?;
    missing.into_iter().try_for_each(sync_folder_of)
}

/// Whether there is something at a path.
///
/// # Errors
/// If that cannot be known.
pub fn exists(path: &Path) -> io::Result<bool> {
    access(path)?;
    path.try_exists()
}

/// Opens a file for reading.
///
/// # Errors
/// If there is none, or the system refuses.
pub fn open(path: &Path) -> io::Result<File> {
    access(path)?;
    File::open(path)
}

/// Opens a file for reading and writing, and creates it if it is absent.
///
/// # Errors
/// If the system refuses.
pub fn open_private(path: &Path) -> io::Result<File> {
    access(path)?;
    private().read(true).truncate(false).open(path)
}

/// Makes an empty file beside the place that it is to have, in place of what a crash may have left there.
///
/// # Errors
/// If the system refuses.
pub fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let unnamed = beside(path);
    // One that a crash left may have another mode.
    remove(&unnamed)?;
    access(&unnamed)?;
    let file = private().read(true).open(&unnamed)?;
    Ok((unnamed, file))
}

/// Removes what work left that was interrupted before its file had this name.
///
/// # Errors
/// If the system refuses.
pub fn remove_unnamed(path: &Path) -> io::Result<()> {
    remove(&beside(path))
}

/// The first of numbered paths, from 1, at which there is nothing.
///
/// # Errors
/// If the system refuses to say.
pub fn unused(numbered: impl Fn(u32) -> PathBuf) -> io::Result<PathBuf> {
    for path in (1..=u32::MAX).map(numbered) {
        if !exists(&path)? {
            return Ok(path);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Gives a file that is synced its name, durably.
///
/// # Errors
/// If the system refuses.
pub fn name(unnamed: &Path, path: &Path) -> io::Result<()> {
    access(path)?;
    fs::rename(unnamed, path)?;
    sync_folder_of(path)
}

/// Gives a file a second name; where the system cannot, it is copied.
///
/// # Errors
/// If the system refuses.
pub fn link(path: &Path, second: &Path) -> io::Result<()> {
    access(second)?;
    fs::hard_link(path, second).or_else(|_| fs::copy(path, second).map(drop))
}

/// Keeps others from reading a file that is there.
///
/// # Errors
/// If the system refuses.
pub fn make_private(path: &Path) -> io::Result<()> {
    access(path)?;
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    // Elsewhere the user's folder has its own access list.
    Ok(())
}

/// Writes a whole file under another name first, so that there is never a part of it at `path`.
///
/// # Errors
/// If the system refuses.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (unnamed, mut file) = create_beside(path)?;
    access(&unnamed)?;
    file.write_all(bytes)?;
    access(&unnamed)?;
    file.sync_all()?;
    name(&unnamed, path)
}

/// Removes a file, if there is one.
///
/// # Errors
/// If the system refuses.
pub fn remove(path: &Path) -> io::Result<()> {
    access(path)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the name of a file durable. Only Unix lets a folder be synced; elsewhere the system journals names.
///
/// # Errors
/// If the system refuses.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        access(path)?;
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn is_folder(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.exists()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}
