//! Where the data of a world stays between its processes: in the memory model, or in the real store's file, on a disk that
//! may lose its power.

use std::cell::RefCell;
use std::sync::Arc;

use signalpost_powercut::{Keep, Pragma, Settings, Syncs, Watch, install};
use signalpost_store::Store;
use signalpost_store::testing::memory::MemoryStore;
use signalpost_store_sqlite::SqliteStore;
use signalpost_testkit::TempDir;

use crate::chance::Chance;

/// Worlds with a file, in a thousand. They take longer, so they are the smaller part.
const FILE_PERMILLE: u64 = 150;
/// Processes to be killed that end by a power loss in the middle of what they write, in a thousand.
const FUSE_PERMILLE: u64 = 400;
/// Other ends, however they came, after which the power is lost.
const AFTERWARDS_PERMILLE: u64 = 100;
/// Changes of the disk that a fuse lets through: a few commits, with a checkpoint among them.
const FUSE_MAX: u64 = 60;
/// So small a log is folded back many times in a short life.
const OFTEN: Pragma = Pragma { name: c"wal_autocheckpoint", value: c"40", answer: None };

/// What keeps a world's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// As the seed draws it: memory, or a file on a disk that sometimes loses its power.
    Drawn,
    Memory,
    File,
    /// The file of a store that does not sync: a world that does not notice proves nothing.
    FileUnsynced,
}

pub(crate) struct Shelf {
    /// Empty when there is a file.
    model: MemoryStore,
    file: Option<OnFile>,
}

struct OnFile {
    chance: RefCell<Chance>,
    watch: Watch,
    /// Last, so that it goes after whoever watches it.
    folder: TempDir,
}

/// How the data fared when a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fared {
    Untouched,
    PowerLost,
}

/// Whether the power will go after some changes more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fuse {
    None,
    Lit,
}

impl Fared {
    /// What it adds to the line that tells of the end.
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::Untouched => "",
            Self::PowerLost => ", and the power is lost",
        }
    }
}

impl Shelf {
    pub(crate) fn new(seed: u64, keeps: Keeps) -> Self {
        let mut chance = Chance::new(seed, "shelf");
        let drawn = chance.permille(FILE_PERMILLE);
        let file = match keeps {
            Keeps::Drawn if drawn => Some(OnFile::new(chance, Syncs::Honoured)),
            Keeps::Drawn | Keeps::Memory => None,
            Keeps::File => Some(OnFile::new(chance, Syncs::Honoured)),
            Keeps::FileUnsynced => Some(OnFile::new(chance, Syncs::Forgotten)),
        };
        Self { model: MemoryStore::new(), file }
    }

    pub(crate) const fn is_file(&self) -> bool {
        self.file.is_some()
    }

    pub(crate) const fn model(&self) -> &MemoryStore {
        &self.model
    }

    /// The store as a process finds it that starts: the file, or else what it takes for the memory.
    pub(crate) fn open(&self, memory: &MemoryStore) -> Arc<dyn Store> {
        let Some(file) = &self.file else { return Arc::new(memory.reopen()) };
        let opened = SqliteStore::open_inline(file.folder.path());
        Arc::new(opened.expect("a store opens, whatever has befallen it"))
    }

    /// Before a process is killed: the power may go in the middle of what it writes.
    pub(crate) fn light_fuse(&self) -> Fuse {
        let Some(file) = &self.file else { return Fuse::None };
        let mut chance = file.chance.borrow_mut();
        if !chance.permille(FUSE_PERMILLE) {
            return Fuse::None;
        }
        file.watch.light_fuse(chance.between(0, FUSE_MAX));
        Fuse::Lit
    }

    /// Whether a fuse has burnt down.
    pub(crate) fn is_dark(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.watch.is_dark())
    }

    /// Ends a process, which writes nothing more: `end` drops what it had.
    pub(crate) fn end_process(&self, end: impl FnOnce()) -> Fared {
        let Some(file) = &self.file else {
            end();
            return Fared::Untouched;
        };
        let mut chance = file.chance.borrow_mut();
        let lost = file.watch.is_dark() || chance.permille(AFTERWARDS_PERMILLE);
        file.watch.end_process(end);
        if !lost {
            return Fared::Untouched;
        }
        file.watch.lose_power(chance.between(0, u64::MAX - 1)).expect("the folder can be written to");
        Fared::PowerLost
    }
}

impl OnFile {
    fn new(chance: Chance, syncs: Syncs) -> Self {
        install();
        let folder = TempDir::new().expect("the system has a temporary folder");
        let settings = Settings { keep: Keep::Platter(syncs), pragmas: vec![OFTEN] };
        let watch = Watch::begin(folder.path(), settings).expect("the folder is there");
        Self { chance: RefCell::new(chance), watch, folder }
    }
}
