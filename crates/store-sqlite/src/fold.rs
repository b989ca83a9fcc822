//! Folding the write-ahead log back into the database beside the writer, a little at a time.
//!
//! A thread of its own copies what has come to the log, while commits go on. It does so often: the disk makes commits wait for what
//! it copies, and a little is soon done. SQLite begins the log anew only when nothing is left to copy, and commits go on
//! meanwhile: now and then the writer copies the last of it. Where readers hold the log for long, the writer's
//! connection folds at its commits, from twice as many frames on, as SQLite does by itself.

use std::ffi::c_int;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::wal::CheckpointMode;

/// Of the frames at which SQLite folds in a commit, a part this small is worth copying: of 8,000 some 250, 2 MB, which the disk has
/// done in the time of two or three commits.
const FOLD_FROM_PART: c_int = 32;
/// At this part of them the log is begun anew.
const RENEW_FROM_PART: c_int = 2;
/// The writer asks how long the log is so many times until it is worth copying.
const LOOKS: c_int = 32;

/// What the writer and the thread that folds tell each other.
pub(crate) struct Folding {
    stage: Mutex<Stage>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Resting,
    Wanted,
    /// Folded back as far as the log went when it began.
    Done,
    Closed,
    Ended,
}

impl Folding {
    pub(crate) const fn new() -> Self {
        Self { stage: Mutex::new(Stage::Resting), changed: Condvar::new() }
    }

    /// Folds whenever that is wanted, until closed.
    pub(crate) fn run(&self, connection: Connection) {
        let _guard = EndGuard(self);
        let mut teller = Teller::default();
        while self.wait_until_wanted() {
            teller.tell(fold(&connection));
            self.pass(Stage::Wanted, Stage::Done);
        }
        // The connection goes before the guard says that the thread is gone.
        drop(connection);
    }

    pub(crate) fn close(&self) {
        let mut stage = self.lock();
        if *stage != Stage::Ended {
            *stage = Stage::Closed;
        }
        drop(stage);
        self.changed.notify_all();
    }

    pub(crate) fn wait_until_ended(&self) {
        let stage = self.changed.wait_while(self.lock(), |stage| *stage != Stage::Ended);
        drop(stage.unwrap_or_else(PoisonError::into_inner));
    }

    fn wait_until_wanted(&self) -> bool {
        let is_idle = |stage: &mut Stage| matches!(stage, Stage::Resting | Stage::Done);
        let stage = self.changed.wait_while(self.lock(), is_idle);
        *stage.unwrap_or_else(PoisonError::into_inner) == Stage::Wanted
    }

    /// Goes from one stage to another; `false` when it is in neither's place.
    fn pass(&self, from: Stage, to: Stage) -> bool {
        let mut stage = self.lock();
        if *stage != from {
            return false;
        }
        *stage = to;
        drop(stage);
        self.changed.notify_all();
        true
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets nobody wait for a thread that is gone, however it went.
struct EndGuard<'f>(&'f Folding);

impl Drop for EndGuard<'_> {
    fn drop(&mut self) {
        *self.0.lock() = Stage::Ended;
        self.0.changed.notify_all();
    }
}

/// The writer's side.
pub(crate) struct LogKeeper {
    folding: Arc<Folding>,
    teller: Teller,
    /// Frames that are worth copying.
    fold_from: c_int,
    /// Frames from which the log is begun anew.
    renew_from: c_int,
    commits_until_look: c_int,
}

impl LogKeeper {
    /// For a writer that folds at its commits itself when the log has this many frames.
    pub(crate) fn new(folds_itself_from: c_int) -> Self {
        Self {
            folding: Arc::new(Folding::new()),
            teller: Teller::default(),
            fold_from: folds_itself_from / FOLD_FROM_PART,
            renew_from: folds_itself_from / RENEW_FROM_PART,
            commits_until_look: 0,
        }
    }

    pub(crate) fn folding(&self) -> Arc<Folding> {
        Arc::clone(&self.folding)
    }

    /// After a commit.
    pub(crate) fn keep(&mut self, connection: &Connection) {
        if self.commits_until_look > 0 {
            self.commits_until_look -= 1;
            return;
        }
        self.commits_until_look = self.fold_from / LOOKS;
        let folding = &self.folding;
        let looked = connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::NOOP);
        let kept = looked.and_then(|(frames, folded)| {
            if folding.pass(Stage::Done, Stage::Resting) && frames >= self.renew_from {
                return fold(connection);
            }
            if frames - folded >= self.fold_from {
                folding.pass(Stage::Resting, Stage::Wanted);
            }
            Ok(())
        });
        self.teller.tell(kept);
    }
}

fn fold(connection: &Connection) -> rusqlite::Result<()> {
    connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::PASSIVE).map(|_frames| ())
}

/// Says that folding fails, once until it works again: not done is not lost, the log is kept.
#[derive(Default)]
struct Teller {
    has_told: bool,
}

impl Teller {
    fn tell(&mut self, folded: rusqlite::Result<()>) {
        match folded {
            Ok(()) => self.has_told = false,
            Err(error) if !self.has_told => {
                self.has_told = true;
                tracing::warn!(%error, "the write-ahead log could not be folded back");
            }
            Err(_) => {}
        }
    }
}
