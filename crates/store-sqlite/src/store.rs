//! The handle: how a verb reaches the writer or a reader, and how its answer comes back.

use std::path::Path;
use std::sync::Arc;

use futures_channel::oneshot;
use rusqlite::Connection;
use signalpost_store::ledger::Room;
use signalpost_store::{Answer, StoreError};

use crate::disk::Disk;
use crate::failure::Failure;
use crate::inline::Inline;
use crate::job::{Growth, Reply, job};
use crate::open::{Directory, OpenError, OpenOptions};
use crate::queue::{Admission, WriteQueue};
use crate::readers::ReadQueue;
use crate::threaded::{Others, run_writer};
use crate::write::Write;
use crate::writer::{Board, WriterState};

/// A store on one SQLite file. Dropping it finishes what waits and closes it in the background; `close` waits.
pub struct SqliteStore {
    writing: Writing,
    pub(crate) board: Arc<Board>,
    shell: Shell,
}

/// The way to the writer. Clones lead to the same one.
#[derive(Clone)]
pub(crate) struct Writing {
    queue: Arc<WriteQueue>,
    board: Arc<Board>,
    /// Set when there is no thread that writes.
    inline: Option<Arc<Inline>>,
}

/// Who does the work.
enum Shell {
    Threads(Arc<ReadQueue>),
    Inline(Arc<Inline>),
}

impl SqliteStore {
    /// Opens the store with a writer's thread and readers, and takes the directory's lock for as long as it works.
    ///
    /// The directory and the database are made when they are missing and brought to the newest schema.
    pub fn open(options: OpenOptions<'_>) -> Result<Self, OpenError> {
        let directory = Directory::open(&options.directory)?;
        let (path, space) = (options.directory.clone(), directory.disk().space());
        Self::open_threaded(directory, options).map_err(|error| error.on(&path, space))
    }

    fn open_threaded(directory: Directory, options: OpenOptions<'_>) -> Result<Self, OpenError> {
        let readers = options.readers.max(1);
        let disk = directory.disk();
        let state = WriterState::open(directory, disk)?;
        let connections = (0..readers)
            .map(|_| state.directory().connect_reader())
            .collect::<Result<Vec<Connection>, OpenError>>()?;
        let folder = state.directory().connect_folder()?;
        let keeper = state.log_keeper()?;
        let read_queue = Arc::new(ReadQueue::new(readers));
        let queue = Arc::new(WriteQueue::new());
        let board = state.board();
        for (number, connection) in connections.into_iter().enumerate() {
            let reads = Arc::clone(&read_queue);
            let body = Box::new(move || reads.run_reader(connection));
            options.threads.spawn(&format!("store-read-{number}"), body);
        }
        let folding = keeper.folding();
        let folds = Arc::clone(&folding);
        options.threads.spawn("store-fold", Box::new(move || folds.run(folder)));
        let (writes, others) = (Arc::clone(&queue), Others { readers: Arc::clone(&read_queue), folding });
        options.threads.spawn("store-write", Box::new(move || run_writer(state, keeper, &writes, &others)));
        let writing = Writing { queue, board: Arc::clone(&board), inline: None };
        Ok(Self { writing, board, shell: Shell::Threads(read_queue) })
    }

    /// Opens the store without any thread: verbs do their work where their futures are first polled.
    ///
    /// For simulations that must be deterministic; everything but the threads is the same.
    pub fn open_inline(directory: &Path) -> Result<Self, OpenError> {
        let directory = Directory::open(directory)?;
        let disk = directory.disk();
        Self::inline_on(directory, disk)
    }

    /// The same with a filesystem as the test wants it.
    #[cfg(test)]
    pub(crate) fn open_inline_on(directory: &Path, probe: crate::disk::Probe) -> Result<Self, OpenError> {
        let disk = Disk::new(probe, directory.join(crate::open::WAL_FILE));
        Self::inline_on(Directory::open(directory)?, disk)
    }

    fn inline_on(directory: Directory, disk: Disk) -> Result<Self, OpenError> {
        let state = WriterState::open(directory, disk)?;
        let board = state.board();
        let queue = Arc::new(WriteQueue::new());
        let inline = Arc::new(Inline::new(state));
        let writing = Writing { queue, board: Arc::clone(&board), inline: Some(Arc::clone(&inline)) };
        Ok(Self { writing, board, shell: Shell::Inline(inline) })
    }

    /// Queues work for the writer that is taken for as long as anything can be written.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        admission: Admission,
        bytes: usize,
        work: impl FnMut(&mut Write<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<T> {
        self.writing.write((admission, Growth::Needed), bytes, work)
    }

    /// The same for work of whose end nobody waits to hear: it goes with what others commit, soon.
    pub(crate) fn write_patiently<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnMut(&mut Write<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<T> {
        let (job, reply) = job(Growth::Needed, work);
        match self.writing.queue.push_patient(job, bytes) {
            Ok(()) => self.writing.answer(reply),
            Err(refusal) => Box::pin(std::future::ready(Err(refusal))),
        }
    }

    pub(crate) const fn writing(&self) -> &Writing {
        &self.writing
    }

    /// Queues a read, now; it sees everything that was answered before.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<T> {
        match &self.shell {
            Shell::Threads(readers) => match readers.push(work) {
                Ok(reply) => Box::pin(settled(reply)),
                Err(refusal) => Box::pin(std::future::ready(Err(refusal))),
            },
            Shell::Inline(inline) => {
                let (inline, queue) = (Arc::clone(inline), Arc::clone(&self.writing.queue));
                Box::pin(async move { inline.read(&queue, work) })
            }
        }
    }

    pub(crate) fn close_and_wait(&self) -> Answer<()> {
        let queue = &self.writing.queue;
        let ended = queue.ended();
        match &self.shell {
            Shell::Threads(_) => queue.close(),
            Shell::Inline(inline) => inline.close(queue),
        }
        Box::pin(async move {
            // The end is told by dropping the sender.
            let _: Result<(), oneshot::Canceled> = ended.await;
            Ok(())
        })
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if let Shell::Threads(_) = self.shell {
            self.writing.queue.close();
        }
    }
}

impl Writing {
    /// Queues work for the writer, now; the future only waits for the answer. `bytes` is its weight in a commit.
    /// `Full` for what grows while the disk is full.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        (admission, growth): (Admission, Growth),
        bytes: usize,
        work: impl FnMut(&mut Write<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<T> {
        if growth == Growth::Grows && self.board.disk.room() == Room::Full {
            return Box::pin(std::future::ready(Err(StoreError::Full)));
        }
        let (job, reply) = job(growth, work);
        match self.queue.push(admission, job, bytes) {
            Ok(()) => self.answer(reply),
            Err(refusal) => Box::pin(std::future::ready(Err(refusal))),
        }
    }

    /// Queues work for the writer's idle time, or for a share of what it does under load.
    pub(crate) fn write_in_background<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Write<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<T> {
        let (job, reply) = job(Growth::Needed, work);
        match self.queue.push_background(job) {
            Ok(()) => self.answer(reply),
            Err(refusal) => Box::pin(std::future::ready(Err(refusal))),
        }
    }

    fn answer<T: Send + 'static>(&self, reply: Reply<T>) -> Answer<T> {
        match &self.inline {
            None => Box::pin(settled(reply)),
            Some(inline) => {
                let (inline, queue) = (Arc::clone(inline), Arc::clone(&self.queue));
                Box::pin(async move {
                    inline.drain(&queue);
                    settled(reply).await
                })
            }
        }
    }
}

async fn settled<T>(reply: Reply<T>) -> Result<T, StoreError> {
    let lost = |_canceled| Err(StoreError::Unavailable("the operation was abandoned".to_owned()));
    reply.await.unwrap_or_else(lost)
}
