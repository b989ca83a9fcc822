//! Stores in temporary directories, and threads that can be waited for.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use signalpost_core::ports::Threads;
use signalpost_store::Store;
use signalpost_store::testing::conformance::Harness;
use signalpost_store_sqlite::{OpenError, OpenOptions, SqliteStore};
use signalpost_testkit::TempDir;

/// Threads of the system, remembered until they are joined.
#[derive(Default)]
pub(crate) struct SystemThreads(Mutex<Vec<JoinHandle<()>>>);

impl Threads for SystemThreads {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body).expect("a thread");
        self.0.lock().expect("no panic while locked").push(thread);
    }
}

impl SystemThreads {
    /// Waits for the end of all threads so far, and checks that none has panicked.
    pub(crate) fn join(&self) {
        let threads = std::mem::take(&mut *self.0.lock().expect("no panic while locked"));
        for thread in threads {
            thread.join().expect("no thread of the store panics");
        }
    }
}

/// One data directory with a writer's thread and readers for each opening.
pub(crate) struct Threaded {
    pub(crate) directory: TempDir,
    pub(crate) threads: SystemThreads,
}

impl Threaded {
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().expect("a directory"), threads: SystemThreads::default() }
    }

    pub(crate) fn try_open(&self) -> Result<SqliteStore, OpenError> {
        let directory = self.directory.path().to_owned();
        SqliteStore::open(OpenOptions { directory, threads: &self.threads, readers: 2 })
    }
}

impl Harness for Threaded {
    fn open(&self) -> Arc<dyn Store> {
        // A store that was dropped without a close finishes in the background.
        self.threads.join();
        Arc::new(self.try_open().expect("the store opens"))
    }
}

/// One data directory without any thread.
pub(crate) struct Inline {
    pub(crate) directory: TempDir,
}

impl Inline {
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().expect("a directory") }
    }

    pub(crate) fn open_store(&self) -> SqliteStore {
        SqliteStore::open_inline(self.directory.path()).expect("the store opens")
    }
}

impl Harness for Inline {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.open_store())
    }
}
