//! A disk in memory that loses power, fails and runs full at a counted operation.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// What goes wrong, once, at the n-th operation from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power is cut at a write, a change of length or a sync: nothing is done any more.
    PowerCut,
    /// A sync fails, and what was unsynced looks written but never reaches the disk. Other operations are done.
    SyncFails,
    /// There is no room for this one write or change of length.
    Full,
    /// This one access fails, also if it only reads.
    Fails,
}

/// Which unsynced sectors reach the disk when the power is cut.
///
/// Any of them may, so the disk writes in any order. Of two writes to one sector the second never gives way to the first.
#[derive(Clone, Copy, Debug)]
pub enum Survivors {
    /// None.
    None,
    /// All.
    All,
    /// Each by the toss of a coin, and of some only the beginning.
    Some {
        /// Makes the tosses.
        seed: u64,
    },
}

/// The least that a disk writes at once, while it has power.
const SECTOR: usize = 512;
/// One in so many sectors that survive is torn.
const TORN_ONE_IN: u64 = 16;

#[derive(Default)]
struct Image {
    /// What the system shows.
    seen: Vec<u8>,
    /// What is on the disk.
    durable: Vec<u8>,
    unsynced: Vec<Unsynced>,
    /// Accesses of each kind so far.
    reads: u64,
    operations: u64,
    /// What goes wrong, and after how many accesses.
    planned: Vec<(u64, Fault)>,
    is_dead: bool,
}

enum Unsynced {
    Length(usize),
    Write { offset: usize, bytes: Vec<u8> },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    Sync,
}

/// The disk. A clone is the same disk.
#[derive(Clone, Default)]
pub struct SimulatedDisk(Arc<Mutex<Image>>);

impl SimulatedDisk {
    /// A disk that holds this and nothing unsynced.
    pub fn holding(bytes: &[u8]) -> SimulatedDisk {
        let image = Image { seen: bytes.to_vec(), durable: bytes.to_vec(), ..Image::default() };
        SimulatedDisk(Arc::new(Mutex::new(image)))
    }

    /// Has something go wrong after so many more operations of the kind that can meet it.
    pub fn fault_after(&self, operations: u64, fault: Fault) {
        let mut image = self.image();
        let done = image.counted(fault);
        image.planned.push((done.saturating_add(operations), fault));
    }

    /// Whether something that it was told to have has not happened yet.
    pub fn awaits_fault(&self) -> bool {
        !self.image().planned.is_empty()
    }

    /// Nothing goes wrong any more, unless the power is out already.
    pub fn no_fault(&self) {
        self.image().planned.clear();
    }

    /// Whether the power was cut.
    pub fn is_dead(&self) -> bool {
        self.image().is_dead
    }

    /// Writes, changes of length and syncs so far.
    pub fn operations(&self) -> u64 {
        self.image().operations
    }

    /// What is on the disk when the power comes back.
    pub fn after_power_cut(&self, survivors: Survivors) -> Vec<u8> {
        let image = self.image();
        let mut bytes = image.durable.clone();
        let mut coin = Coin(match survivors {
            Survivors::Some { seed } => seed,
            Survivors::None | Survivors::All => 0,
        });
        for unsynced in &image.unsynced {
            match survivors {
                Survivors::None => {}
                Survivors::All => unsynced.reach(&mut bytes),
                Survivors::Some { .. } => unsynced.reach_in_part(&mut bytes, &mut coin),
            }
        }
        bytes
    }

    /// The file is another one from now on, as after a rename, which is done or not.
    ///
    /// # Errors
    /// If something was to go wrong with it.
    pub fn rename_over(&self, other: &SimulatedDisk) -> Result<(), Error> {
        let bytes = other.image().seen.clone();
        let mut image = self.access(Access::Write)?;
        (image.seen, image.durable) = (bytes.clone(), bytes);
        image.unsynced.clear();
        Ok(())
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an access, and fails it if its time has come.
    fn access(&self, access: Access) -> Result<MutexGuard<'_, Image>, Error> {
        let mut image = self.image();
        if image.is_dead {
            return Err(Error::other("no power"));
        }
        let is_due = |(after, fault): &(u64, Fault)| image.counted(*fault) >= *after && fault.meets(access);
        let due = image.planned.iter().position(is_due);
        match access {
            Access::Read => image.reads += 1,
            Access::Write | Access::Sync => image.operations += 1,
        }
        let Some(due) = due else { return Ok(image) };
        let (_, fault) = image.planned.remove(due);
        match fault {
            Fault::PowerCut => {
                image.is_dead = true;
                Err(Error::other("no power"))
            }
            Fault::SyncFails => {
                image.unsynced.clear();
                Err(Error::other("the sync failed"))
            }
            Fault::Full => Err(ErrorKind::StorageFull.into()),
            Fault::Fails => Err(Error::other("an access failed")),
        }
    }
}

impl Image {
    fn counted(&self, fault: Fault) -> u64 {
        if fault == Fault::Fails { self.reads + self.operations } else { self.operations }
    }
}

impl Fault {
    fn meets(self, access: Access) -> bool {
        match self {
            Fault::PowerCut => access != Access::Read,
            Fault::SyncFails => access == Access::Sync,
            Fault::Full => access == Access::Write,
            Fault::Fails => true,
        }
    }
}

impl Unsynced {
    fn reach(&self, image: &mut Vec<u8>) {
        match self {
            Unsynced::Length(length) => image.resize(*length, 0),
            Unsynced::Write { offset, bytes } => put(image, *offset, bytes),
        }
    }

    fn reach_in_part(&self, image: &mut Vec<u8>, coin: &mut Coin) {
        let Unsynced::Write { offset, bytes } = self else {
            if coin.below(2) == 0 {
                self.reach(image);
            }
            return;
        };
        for (number, sector) in bytes.chunks(SECTOR).enumerate() {
            // What lies past the end of a file is not there, unless the change of its length is.
            let room = image.len().saturating_sub(offset + number * SECTOR);
            let written = match coin.below(2) {
                0 => 0,
                _ if coin.below(TORN_ONE_IN) == 0 => coin.index(sector.len()),
                _ => sector.len(),
            };
            let written = written.min(room);
            if written > 0 {
                put(image, offset + number * SECTOR, sector.get(..written).unwrap_or(sector));
            }
        }
    }
}

fn put(image: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if image.len() < end {
        image.resize(end, 0);
    }
    if let Some(place) = image.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

fn place(offset: u64) -> Result<usize, Error> {
    usize::try_from(offset).map_err(|_| ErrorKind::FileTooLarge.into())
}

impl fmt::Debug for SimulatedDisk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SimulatedDisk")
    }
}

impl StorageBackend for SimulatedDisk {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.access(Access::Read)?.seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let offset = place(offset)?;
        let image = self.access(Access::Read)?;
        let bytes = image.seen.get(offset..offset + out.len()).ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), Error> {
        let unsynced = Unsynced::Length(place(length)?);
        let mut image = self.access(Access::Write)?;
        unsynced.reach(&mut image.seen);
        image.unsynced.push(unsynced);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut image = self.access(Access::Sync)?;
        for unsynced in std::mem::take(&mut image.unsynced) {
            unsynced.reach(&mut image.durable);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let unsynced = Unsynced::Write { offset: place(offset)?, bytes: data.to_vec() };
        let mut image = self.access(Access::Write)?;
        unsynced.reach(&mut image.seen);
        image.unsynced.push(unsynced);
        Ok(())
    }
}

/// A fixed sequence of tosses (splitmix64, Steele et al. 2014).
struct Coin(u64);

impl Coin {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.number() % end.max(1)
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }
}
