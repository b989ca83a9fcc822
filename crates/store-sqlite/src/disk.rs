//! Whether the disk has room for more, and saying so once when that changes.
//!
//! What makes the store grow is refused while there is still some room left: outcomes, deletions and the folding back
//! of the write-ahead log need it. A filesystem that cannot be asked is taken to have room until a write fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use signalpost_core::limits::{STORAGE_RESERVE_BYTES_MAX, STORAGE_RESERVE_PARTS};
use signalpost_store::ledger::{DiskSpace, Room};

/// Asks the filesystem.
pub(crate) type Probe = Box<dyn Fn() -> Option<DiskSpace> + Send + Sync>;

/// Growth is permitted again when there is this share (one in so many parts) more than what ended it.
const MARGIN_PARTS: u64 = 4;

pub(crate) struct Disk {
    probe: Probe,
    wal: PathBuf,
    full: AtomicBool,
    /// The log was told of a full disk and not yet of its end.
    announced: AtomicBool,
    /// What is free inside the database, as the writer saw it last.
    free_inside_bytes: AtomicU64,
}

/// What the filesystem has, and how much of it should be free.
#[derive(Clone, Copy)]
struct Measured {
    space: DiskSpace,
    wanted_bytes: u64,
}

impl Disk {
    /// Of the filesystem on which the database lies.
    pub(crate) fn of(directory: &Path, wal: PathBuf) -> Self {
        let directory = directory.to_owned();
        Self::new(Box::new(move || ask(&directory)), wal)
    }

    pub(crate) fn new(probe: Probe, wal: PathBuf) -> Self {
        let (full, announced) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { probe, wal, full, announced, free_inside_bytes: AtomicU64::new(0) }
    }

    pub(crate) fn space(&self) -> Option<DiskSpace> {
        (self.probe)()
    }

    pub(crate) fn wal_bytes(&self) -> u64 {
        fs::metadata(&self.wal).map_or(0, |file| file.len())
    }

    /// As the last look said.
    pub(crate) fn was(&self) -> Room {
        if self.full.load(Ordering::Acquire) { Room::Full } else { Room::Enough }
    }

    /// As the last look said; while that was "full" this looks anew, for there may be no commit that does.
    pub(crate) fn room(&self) -> Room {
        match self.was() {
            Room::Enough => Room::Enough,
            Room::Full => self.judge(self.measure()),
        }
    }

    /// For the writer, before a commit. `free_inside_bytes` is asked when the filesystem is short of room.
    pub(crate) fn look(&self, free_inside_bytes: impl FnOnce() -> u64) -> Room {
        let measured = self.measure();
        if measured.is_some_and(|found| found.space.free_bytes < with_margin(found.wanted_bytes)) {
            self.free_inside_bytes.store(free_inside_bytes(), Ordering::Release);
        }
        self.judge(measured)
    }

    /// A write found no room, whatever the filesystem says.
    pub(crate) fn write_failed(&self) {
        self.full.store(true, Ordering::Release);
        self.announce("a write found no room");
    }

    /// Something that makes the store grow was committed.
    pub(crate) fn has_grown(&self) {
        if self.announced.load(Ordering::Acquire) && self.announced.swap(false, Ordering::AcqRel) {
            tracing::info!("the disk has room again: new events are accepted");
        }
    }

    fn judge(&self, measured: Option<Measured>) -> Room {
        let Some(Measured { space, wanted_bytes }) = measured else { return self.set(Room::Enough) };
        let was_full = self.was() == Room::Full;
        let wanted = if was_full { with_margin(wanted_bytes) } else { wanted_bytes };
        let inside = self.free_inside_bytes.load(Ordering::Acquire);
        // What is free inside the database serves new rows as well, but the log needs room outside.
        let outside_least = self.reserve_bytes(space) / 2;
        let enough = space.free_bytes >= wanted || (inside >= wanted && space.free_bytes >= outside_least);
        if !enough && !was_full {
            self.announce("little is left");
        }
        self.set(if enough { Room::Enough } else { Room::Full })
    }

    fn set(&self, room: Room) -> Room {
        self.full.store(room == Room::Full, Ordering::Release);
        room
    }

    fn announce(&self, reason: &str) {
        if self.announced.swap(true, Ordering::AcqRel) {
            return;
        }
        let free_bytes = self.space().map(|space| space.free_bytes);
        tracing::error!(
            free_bytes,
            reason,
            "the disk is full: new events are refused, deliveries and reads go on"
        );
    }

    fn measure(&self) -> Option<Measured> {
        let space = self.space()?;
        // The reserve, and what folding the log back may add to the database.
        let wanted_bytes = self.reserve_bytes(space).saturating_add(self.wal_bytes());
        Some(Measured { space, wanted_bytes })
    }

    fn reserve_bytes(&self, space: DiskSpace) -> u64 {
        STORAGE_RESERVE_BYTES_MAX.min(space.total_bytes / STORAGE_RESERVE_PARTS)
    }
}

const fn with_margin(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / MARGIN_PARTS)
}

/// Free means free for us: some filesystems keep a part for the superuser.
fn ask(directory: &Path) -> Option<DiskSpace> {
    let found = rustix::fs::statvfs(directory).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Some(DiskSpace { free_bytes: bytes(found.f_bavail), total_bytes: bytes(found.f_blocks) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const MIB: u64 = 1024 * 1024;

    fn disk(free: &Arc<AtomicU64>, total_bytes: u64) -> Disk {
        let free = Arc::clone(free);
        let probe = move || Some(DiskSpace { free_bytes: free.load(Ordering::SeqCst), total_bytes });
        Disk::new(Box::new(probe), PathBuf::from("/nonexistent/wal"))
    }

    #[test]
    fn growth_ends_at_the_reserve_and_begins_again_above_it() {
        for (total_bytes, reserve) in [(100 * 1024 * MIB, 64 * MIB), (100 * MIB, 10 * MIB)] {
            let free = Arc::new(AtomicU64::new(reserve));
            let disk = disk(&free, total_bytes);
            let look = |free_bytes| {
                free.store(free_bytes, Ordering::SeqCst);
                disk.look(|| 0)
            };
            assert_eq!(look(reserve), Room::Enough);
            assert_eq!(look(reserve - 1), Room::Full);
            assert_eq!(disk.room(), Room::Full);
            assert_eq!(look(reserve), Room::Full, "not at the same mark");
            free.store(reserve + reserve / 4, Ordering::SeqCst);
            assert_eq!(disk.room(), Room::Enough, "nobody has to write for it");
            assert_eq!(look(reserve), Room::Enough);
        }
    }

    #[test]
    fn what_is_free_inside_counts_beside_the_reserve() {
        let free = Arc::new(AtomicU64::new(4 * MIB));
        let disk = disk(&free, 100 * MIB);
        assert_eq!(disk.look(|| 500 * MIB), Room::Full, "the log has no room");
        free.store(5 * MIB, Ordering::SeqCst);
        assert_eq!(disk.look(|| 12 * MIB), Room::Full);
        assert_eq!(disk.look(|| 13 * MIB), Room::Enough);
        assert_eq!(disk.look(|| 9 * MIB), Room::Full);
    }

    #[test]
    fn a_filesystem_that_cannot_be_asked_has_room_until_a_write_fails() {
        let disk = Disk::new(Box::new(|| None), PathBuf::from("/nonexistent/wal"));
        assert_eq!(disk.look(|| 0), Room::Enough);
        disk.write_failed();
        assert_eq!(disk.room(), Room::Enough, "the next write shows");
    }
}
