//! The model: what a disk may hold after a power loss.
//!
//! A file holds what it held when it was last synced. Of each write, cut and growth since then chance says whether it is
//! there, not there, or there in part; in whatever order they reached the medium. A write is torn between sectors of 512
//! bytes, and now and then inside one, from one of its ends: SQLite does not take a sector for atomic, only for written from
//! one end to the other (<https://www.sqlite.org/atomiccommit.html>, section 2). A file may have grown without its bytes,
//! which then are zeros, as on filesystems that allocate late.
//!
//! That a name was made, changed or taken away is safe once its directory was synced and not before, as POSIX has it;
//! syncing the file does not help. ext4 and XFS promise more. A directory that is missing takes what is in it along.
//!
//! Not in the model: bytes beside those that were written are not touched (SQLite's "powersafe overwrite", its default on
//! every system that it is built for here); two writes of the same bytes do not change places; what was synced
//! stays. So it does not speak of disks that lie about syncs, of bits that rot, and of controllers that lose more
//! than power. Permissions and times are not kept.

mod chance;
mod medium;
mod names;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use signalpost_testkit::Rng;

use crate::{FileId, Image, Op};
use chance::{Fate, Mood};
use medium::{Change, Medium};
use names::{Entry, NameChange};

/// A disk with what is safe on it and what is not yet.
#[derive(Clone, Debug, Default)]
pub struct Platter {
    media: BTreeMap<FileId, Medium>,
    names: BTreeMap<PathBuf, Entry>,
    /// Changes of names that no sync of a directory has made safe, in order.
    pending: Vec<NameChange>,
    syncs: Syncs,
}

/// What a sync does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Syncs {
    #[default]
    Honoured,
    /// As if nobody had asked for it: for showing that what rests on it is lost then.
    Forgotten,
}

impl Platter {
    /// A disk on which everything is safe. Files are numbered in the order of their paths.
    pub fn of(image: &Image) -> Self {
        let mut platter = Self::default();
        for directory in &image.directories {
            platter.names.insert(directory.clone(), Entry::Directory);
        }
        for (number, (path, bytes)) in (0..).zip(&image.files) {
            let file = FileId(number);
            platter.names.insert(path.clone(), Entry::File(file));
            platter.media.insert(file, Medium::of(bytes.clone()));
        }
        platter
    }

    #[must_use]
    pub fn with(self, syncs: Syncs) -> Self {
        Self { syncs, ..self }
    }

    pub(crate) const fn syncs(&self) -> Syncs {
        self.syncs
    }

    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::MakeDirectory { path } => self.link(path, Entry::Directory),
            Op::Create { file, path } => {
                self.media.insert(*file, Medium::default());
                self.link(path, Entry::File(*file));
            }
            Op::Write { file, offset, bytes } => {
                self.medium(*file).take(Change::Write { offset: *offset, bytes: Arc::clone(bytes) });
            }
            Op::Truncate { file, length } => self.medium(*file).take(Change::Resize(*length)),
            Op::Remove { path } => self.pending.push(NameChange::Unlink { path: path.clone() }),
            Op::Rename { from, to } => {
                self.pending.push(NameChange::Rename { from: from.clone(), to: to.clone() });
            }
            Op::Sync { file } if self.syncs == Syncs::Honoured => self.medium(*file).sync(),
            Op::SyncDirectory { path } if self.syncs == Syncs::Honoured => self.sync_directory(path),
            Op::Sync { .. } | Op::SyncDirectory { .. } | Op::Note(_) => {}
        }
    }

    /// What is there when the power comes back. The same seed gives the same.
    pub fn cut(&self, seed: u64) -> Image {
        let mut rng = Rng::new(seed);
        let mood = Mood::draw(&mut rng);
        self.left(mood, &mut rng)
    }

    /// What the system itself still knows: all of it, as after the end of a process.
    pub fn whole(&self) -> Image {
        self.left(Mood::Everything, &mut Rng::new(0))
    }

    fn left(&self, mood: Mood, rng: &mut Rng) -> Image {
        let mut names = self.names.clone();
        for (change, fate) in self.pending.iter().zip(mood.fates(self.pending.len(), rng)) {
            if fate == Fate::Whole || fate == Fate::Torn && rng.below(2) == 0 {
                change.apply(&mut names);
            }
        }
        let mut image = Image::default();
        for (path, entry) in &names {
            let is_reached = path
                .ancestors()
                .skip(1)
                .all(|above| above.as_os_str().is_empty() || names.get(above) == Some(&Entry::Directory));
            match entry {
                _ if !is_reached => {}
                Entry::Directory => drop(image.directories.insert(path.clone())),
                Entry::File(file) => {
                    let bytes = self.media.get(file).map(|medium| medium.left(mood, rng));
                    image.files.insert(path.clone(), bytes.unwrap_or_default());
                }
            }
        }
        image
    }

    fn link(&mut self, path: &Path, entry: Entry) {
        self.pending.push(NameChange::Link { path: path.to_owned(), entry });
    }

    fn medium(&mut self, file: FileId) -> &mut Medium {
        self.media.entry(file).or_default()
    }

    fn sync_directory(&mut self, directory: &Path) {
        for change in std::mem::take(&mut self.pending) {
            if change.directory() == Some(directory) {
                change.apply(&mut self.names);
            } else {
                self.pending.push(change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FileId = FileId(0);
    const SEEDS: u64 = 400;

    fn write(offset: usize, byte: u8, length: usize) -> Op {
        Op::Write { file: FILE, offset, bytes: vec![byte; length].into() }
    }

    fn platter(ops: &[Op]) -> Platter {
        let mut platter = Platter::default();
        ops.iter().for_each(|op| platter.apply(op));
        platter
    }

    fn name(path: &str) -> PathBuf {
        PathBuf::from(path)
    }

    fn made() -> Op {
        Op::Create { file: FILE, path: name("a") }
    }

    fn root_synced() -> Op {
        Op::SyncDirectory { path: name("") }
    }

    #[test]
    fn what_is_synced_is_always_there() {
        let disk = platter(&[made(), write(0, 1, 1_500), Op::Sync { file: FILE }, root_synced()]);
        for seed in 0..SEEDS {
            assert_eq!(disk.cut(seed).files[Path::new("a")], vec![1; 1_500]);
        }
    }

    /// Bytes that were synced stay where nothing was written over them, and no byte comes from nowhere.
    #[test]
    fn what_is_not_synced_survives_vanishes_or_is_torn() {
        let synced = [made(), write(0, 1, 4_096), Op::Sync { file: FILE }, root_synced()];
        let mut disk = platter(&synced);
        disk.apply(&write(1_024, 2, 2_048));
        let mut seen = [0; 3];
        for seed in 0..SEEDS {
            let bytes = disk.cut(seed).files.remove(Path::new("a")).expect("its name is safe");
            assert_eq!(
                (bytes.len(), &bytes[..1_024], &bytes[3_072..]),
                (4_096, &[1; 1_024][..], &[1; 1_024][..])
            );
            let new = bytes.iter().filter(|byte| **byte == 2).count();
            assert_eq!(bytes.iter().filter(|byte| **byte == 1).count() + new, 4_096);
            seen[match new {
                0 => 0,
                2_048 => 1,
                _ => 2,
            }] += 1;
        }
        assert!(seen.iter().all(|count| *count > 20), "{seen:?}");
    }

    #[test]
    fn a_later_write_may_survive_an_earlier_one_and_a_file_may_grow_without_its_bytes() {
        let mut disk = platter(&[made(), Op::Sync { file: FILE }, root_synced()]);
        disk.apply(&write(0, 1, 512));
        disk.apply(&write(512, 2, 512));
        let cuts: Vec<Vec<u8>> =
            (0..SEEDS).map(|seed| disk.cut(seed).files.remove(Path::new("a")).expect("a name")).collect();
        assert!(cuts.iter().any(|bytes| bytes.len() == 1_024 && bytes[0] == 0 && bytes[600] == 2));
        assert!(cuts.iter().any(|bytes| bytes.len() == 1_024 && bytes.iter().all(|byte| *byte == 0)));
        assert!(cuts.iter().any(Vec::is_empty));
    }

    #[test]
    fn a_name_is_safe_when_its_directory_was_synced() {
        let inside = Op::Create { file: FILE, path: name("d/a") };
        let made = [Op::MakeDirectory { path: name("d") }, inside, write(0, 1, 9), Op::Sync { file: FILE }];
        let there = |disk: &Platter| {
            (0..SEEDS).filter(|seed| disk.cut(*seed).files.contains_key(Path::new("d/a"))).count() as u64
        };
        let mut disk = platter(&made);
        assert!((1..SEEDS).contains(&there(&disk)), "the file's own sync does not make its name safe");
        disk.apply(&Op::SyncDirectory { path: name("d") });
        assert!((1..SEEDS).contains(&there(&disk)), "the directory's own name is not safe");
        disk.apply(&root_synced());
        assert_eq!(there(&disk), SEEDS);
        disk.apply(&Op::Remove { path: name("d/a") });
        assert!((1..SEEDS).contains(&there(&disk)));
        disk.apply(&Op::SyncDirectory { path: name("d") });
        assert_eq!(there(&disk), 0);
    }

    #[test]
    fn a_rename_has_happened_or_has_not() {
        let mut disk = platter(&[made(), write(0, 7, 9), Op::Sync { file: FILE }, root_synced()]);
        disk.apply(&Op::Rename { from: name("a"), to: name("b") });
        let mut seen = [0; 2];
        for seed in 0..SEEDS {
            let files = disk.cut(seed).files;
            assert_eq!((files.len(), files.values().next()), (1, Some(&vec![7; 9])));
            seen[usize::from(files.contains_key(Path::new("b")))] += 1;
        }
        assert!(seen.iter().all(|count| *count > 20), "{seen:?}");
    }

    #[test]
    fn forgotten_syncs_make_nothing_safe() {
        let mut disk = Platter::default().with(Syncs::Forgotten);
        for op in [made(), write(0, 1, 9), Op::Sync { file: FILE }, root_synced()] {
            disk.apply(&op);
        }
        assert!((0..SEEDS).any(|seed| disk.cut(seed).files.is_empty()));
        assert_eq!(disk.whole().files[Path::new("a")], [1; 9]);
    }
}
