//! A disk that loses power, fails syncs and runs full when it is told to.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

/// What goes wrong, at the n-th write, change of length or sync from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power is cut: nothing is done any more.
    PowerCut,
    /// A sync fails, and what was unsynced looks written but never reaches the disk. Writes are done.
    SyncFails,
    /// There is no room for this one write.
    Full,
}

/// Which unsynced sectors reach the disk when the power is cut.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Survivors {
    None,
    All,
    /// Each by the toss of a coin.
    Some {
        seed: u64,
    },
}

/// The least that a disk writes at once.
const SECTOR: usize = 512;

#[derive(Default)]
struct Image {
    /// What the system shows.
    seen: Vec<u8>,
    /// What is on the disk.
    durable: Vec<u8>,
    unsynced: Vec<Unsynced>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    is_dead: bool,
}

enum Unsynced {
    Length(usize),
    Sector { offset: usize, bytes: Vec<u8> },
}

impl Unsynced {
    fn reach(&self, image: &mut Vec<u8>) {
        match self {
            Unsynced::Length(length) => image.resize(*length, 0),
            Unsynced::Sector { offset, bytes } => {
                let end = offset + bytes.len();
                image.resize(image.len().max(end), 0);
                image[*offset..end].copy_from_slice(bytes);
            }
        }
    }
}

/// The disk. A clone is the same disk.
#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Image>>);

impl Disk {
    /// A disk that holds this and nothing unsynced.
    pub(crate) fn holding(bytes: &[u8]) -> Disk {
        Disk(Arc::new(Mutex::new(Image { seen: bytes.to_vec(), durable: bytes.to_vec(), ..Image::default() })))
    }

    pub(crate) fn fault_after(&self, operations: u64, fault: Fault) {
        let mut image = self.image();
        image.fault = Some((image.operations + operations, fault));
    }

    /// Whether the fault it was told to have has not happened yet.
    pub(crate) fn awaits_fault(&self) -> bool {
        self.image().fault.is_some()
    }

    /// What is on the disk when the power comes back.
    pub(crate) fn after_power_cut(&self, survivors: Survivors) -> Vec<u8> {
        let image = self.image();
        let mut bytes = image.durable.clone();
        let mut coin = Coin(match survivors {
            Survivors::Some { seed } => seed,
            _ => 0,
        });
        for unsynced in &image.unsynced {
            let survives = match survivors {
                Survivors::None => false,
                Survivors::All => true,
                Survivors::Some { .. } => coin.toss(),
            };
            if survives {
                unsynced.reach(&mut bytes);
            }
        }
        bytes
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.0.lock().unwrap()
    }

    /// Counts an operation that changes something, and fails if its time has come.
    fn operate(&self, is_sync: bool) -> Result<MutexGuard<'_, Image>, Error> {
        let mut image = self.image();
        image.operations += 1;
        let due = image.fault.filter(|(at, _)| image.operations > *at).map(|(_, fault)| fault);
        match due {
            _ if image.is_dead => Err(Error::other("no power")),
            Some(Fault::PowerCut) => {
                (image.is_dead, image.fault) = (true, None);
                Err(Error::other("no power"))
            }
            Some(Fault::SyncFails) if is_sync => {
                image.fault = None;
                image.unsynced.clear();
                Err(Error::other("the sync failed"))
            }
            Some(Fault::Full) if !is_sync => {
                image.fault = None;
                Err(ErrorKind::StorageFull.into())
            }
            _ => Ok(image),
        }
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Disk")
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.image().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let image = self.image();
        let offset = usize::try_from(offset).unwrap();
        let bytes = image.seen.get(offset..offset + out.len()).ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), Error> {
        let mut image = self.operate(false)?;
        let unsynced = Unsynced::Length(usize::try_from(length).unwrap());
        unsynced.reach(&mut image.seen);
        image.unsynced.push(unsynced);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut image = self.operate(true)?;
        for unsynced in std::mem::take(&mut image.unsynced) {
            unsynced.reach(&mut image.durable);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let mut image = self.operate(false)?;
        let mut offset = usize::try_from(offset).unwrap();
        for bytes in data.chunks(SECTOR) {
            let unsynced = Unsynced::Sector { offset, bytes: bytes.to_vec() };
            unsynced.reach(&mut image.seen);
            image.unsynced.push(unsynced);
            offset += bytes.len();
        }
        Ok(())
    }
}

/// A fixed sequence of tosses (splitmix64, Steele et al. 2014).
struct Coin(u64);

impl Coin {
    fn toss(&mut self) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) & 1 == 0
    }
}
