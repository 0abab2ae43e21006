//! The file of the author key. It is the node's identity: made once, and never replaced.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use pistol_core::key::{
    KEY_FILE_BYTES, SEALED_KEY_FILE_BYTES, SealedKey, is_sealed_key_file, key_file, seed_of_key_file,
};
use pistol_core::store::files;
use zeroize::Zeroizing;

use super::seal::{Passphrase, seal, unseal};
use super::{FolderError, Random, at, random_bytes};

const SEED_BYTES: usize = 32;

/// Reads the seed; makes one if there is neither a key nor a store.
pub(super) fn open(
    path: &Path,
    has_store: bool,
    passphrase: Option<&Passphrase>,
    random: Random,
) -> Result<Zeroizing<[u8; SEED_BYTES]>, FolderError> {
    match files::open(path) {
        Ok(file) => read(path, &file, passphrase),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        Err(_) if has_store => Err(FolderError::KeyMissing { path: path.to_path_buf() }),
        Err(_) => {
            let seed = Zeroizing::new(random_bytes(random)?);
            write(path, &seed, passphrase, random)?;
            Ok(seed)
        }
    }
}

/// Writes the file of a seed, in the place of the one that is there.
pub(super) fn write(
    path: &Path,
    seed: &[u8; SEED_BYTES],
    passphrase: Option<&Passphrase>,
    random: Random,
) -> Result<(), FolderError> {
    let bytes = match passphrase {
        Some(passphrase) => Zeroizing::new(seal(seed, passphrase, random)?.to_bytes()),
        None => key_file(seed),
    };
    files::write_whole(path, &bytes).map_err(at(path))
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

fn read(path: &Path, file: &File, passphrase: Option<&Passphrase>) -> Result<Zeroizing<[u8; SEED_BYTES]>, FolderError> {
    check_mode(path, file)?;
    let (bytes, path) = (bytes_of(path, file)?, path.to_path_buf());
    if is_sealed_key_file(&bytes) {
        let Some(sealed) = SealedKey::from_bytes(&bytes) else { return Err(FolderError::KeyDamaged { path }) };
        let Some(passphrase) = passphrase else { return Err(FolderError::KeySealed { path }) };
        return unseal(&sealed, passphrase).ok_or(FolderError::WrongPassphrase { path });
    }
    match (seed_of_key_file(&bytes), passphrase) {
        (None, _) => Err(FolderError::KeyDamaged { path }),
        // Who gives a passphrase believes that the key is safe without it.
        (Some(_), Some(_)) => Err(FolderError::KeyNotSealed { path }),
        (Some(seed), None) => Ok(seed),
    }
}

fn bytes_of(path: &Path, file: &File) -> Result<Zeroizing<Vec<u8>>, FolderError> {
    // With room for all that is read, so that no copy is left where the buffer grew.
    let most = KEY_FILE_BYTES.max(SEALED_KEY_FILE_BYTES);
    let mut bytes = Zeroizing::new(Vec::with_capacity(most + 64));
    let limit = most as u64 + 1;
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
