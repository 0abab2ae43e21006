//! The file of the author key. It is the node's identity: made once, and never replaced.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use pistol_core::key::{KEY_FILE_BYTES, key_file, seed_of_key_file};
use pistol_core::store::files;
use zeroize::Zeroizing;

use super::{FolderError, Random, at, random_bytes};

const SEED_BYTES: usize = 32;

/// Reads the seed; makes one if there is neither a key nor a store.
pub(super) fn open(path: &Path, has_store: bool, random: Random) -> Result<Zeroizing<[u8; SEED_BYTES]>, FolderError> {
    match files::open(path) {
        Ok(file) => read(path, &file),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        Err(_) if has_store => Err(FolderError::KeyMissing { path: path.to_path_buf() }),
        Err(_) => create(path, random),
    }
}

fn create(path: &Path, random: Random) -> Result<Zeroizing<[u8; SEED_BYTES]>, FolderError> {
    let seed = Zeroizing::new(random_bytes(random)?);
    files::write_whole(path, &key_file(&seed)).map_err(at(path))?;
    Ok(seed)
}

/// Copies a key as it is. Another one is never replaced.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), FolderError> {
    let bytes = bytes_of(from, &File::open(from).map_err(at(from))?)?;
    match File::open(to) {
        Ok(there) if bytes_of(to, &there)? == bytes => Ok(()),
        Ok(_) => Err(FolderError::KeyTaken { path: to.to_path_buf() }),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(to)(error)),
        Err(_) => files::write_whole(to, &bytes).map_err(at(to)),
    }
}

fn read(path: &Path, file: &File) -> Result<Zeroizing<[u8; SEED_BYTES]>, FolderError> {
    check_mode(path, file)?;
    let bytes = bytes_of(path, file)?;
    seed_of_key_file(&bytes).ok_or_else(|| FolderError::KeyDamaged { path: path.to_path_buf() })
}

fn bytes_of(path: &Path, file: &File) -> Result<Zeroizing<Vec<u8>>, FolderError> {
    // With room for all that is read, so that no copy is left where the buffer grew.
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES + 64));
    let limit = KEY_FILE_BYTES as u64 + 1;
    files::access(path).map_err(at(path))?;
    file.take(limit).read_to_end(&mut bytes).map_err(at(path))?;
    Ok(bytes)
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), FolderError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_err(at(path))?.permissions().mode() & 0o777;
    if mode | 0o700 == 0o700 { Ok(()) } else { Err(FolderError::KeyExposed { path: path.to_path_buf(), mode }) }
}

/// Elsewhere the user's folder has its own access list.
#[cfg(not(unix))]
fn check_mode(_path: &Path, _file: &File) -> Result<(), FolderError> {
    Ok(())
}
