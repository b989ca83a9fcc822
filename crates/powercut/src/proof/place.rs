//! Where a course takes place: a watched folder, and a store in it that is opened as ever.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use signalpost_core::ports::Threads;
use signalpost_store::Store;
use signalpost_store::testing::conformance::Harness;
use signalpost_store_sqlite::{OpenOptions, SqliteStore};
use signalpost_testkit::TempDir;

use crate::{Keep, Pragma, Settings, Watch};

/// What becomes of syncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syncing {
    AsEver,
    /// They are asked for and do nothing.
    Ignored,
    /// SQLite does not even ask. The store believes that it does.
    SwitchedOff,
}

/// So small a log is folded back every few commits, and cut off each time.
const SMALL_LOG: [Pragma; 2] = [
    Pragma { name: c"wal_autocheckpoint", value: c"24", answer: None },
    Pragma { name: c"journal_size_limit", value: c"65536", answer: None },
];
const NO_SYNCS: Pragma = Pragma { name: c"synchronous", value: c"OFF", answer: Some(c"2") };

pub(super) struct Place {
    pub(super) watch: Watch,
    threads: SystemThreads,
    /// Last, so that it goes after all others.
    folder: TempDir,
}

/// The data directory inside a folder. The store makes it: its own name has to be safe as well.
pub(super) fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

impl Place {
    pub(super) fn new(syncing: Syncing) -> Self {
        let folder = TempDir::new().expect("the system has a temporary folder");
        Self::at(folder, syncing)
    }

    /// A folder that holds something already, which is safe.
    pub(super) fn at(folder: TempDir, syncing: Syncing) -> Self {
        let mut pragmas = SMALL_LOG.to_vec();
        if syncing == Syncing::SwitchedOff {
            pragmas.push(NO_SYNCS);
        }
        let settings = Settings { keep: Keep::Log, pragmas };
        let watch = Watch::begin(folder.path(), settings).expect("the folder is there");
        Self { watch, threads: SystemThreads::default(), folder }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn open_inline(&self) -> SqliteStore {
        SqliteStore::open_inline(&data(self.folder())).expect("the store opens")
    }

    /// With its threads. What an opening before has left behind is waited for.
    pub(super) fn open_threaded(&self) -> SqliteStore {
        self.threads.join();
        let directory = data(self.folder());
        SqliteStore::open(OpenOptions { directory, threads: &self.threads, readers: 1 })
            .expect("the store opens")
    }

    /// Waits for the end of all threads.
    pub(super) fn rest(&self) {
        self.threads.join();
    }
}

impl Harness for Place {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.open_inline())
    }
}

/// Threads of the system, remembered until they are joined.
#[derive(Default)]
struct SystemThreads(Mutex<Vec<JoinHandle<()>>>);

impl Threads for SystemThreads {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body).expect("a thread");
        self.0.lock().expect("nobody panics while pushing").push(thread);
    }
}

impl SystemThreads {
    fn join(&self) {
        let threads = std::mem::take(&mut *self.0.lock().expect("nobody panics while taking"));
        for thread in threads {
            thread.join().expect("no thread of the store panics");
        }
    }
}
