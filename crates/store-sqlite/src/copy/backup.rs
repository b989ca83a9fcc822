//! `back_up`: a copy of a store as it was between two commits, taken while it may be working.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::{
    COUNT_EVENTS, COUNT_OWED, COUNT_WORKSPACES, CopyError, PARTIAL, Progress, connect_to_look, digest,
    failed, make_empty, number, or_remove, put_in_place,
};
use crate::open::{DATABASE_FILE, Existing, create_private};
use crate::schema;

/// Pages copied between two reports of progress: 8 MiB.
const PAGES_A_STEP: i32 = 1_024;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    pub bytes: u64,
    pub sha256: [u8; 32],
    /// Newest migration of the copied schema.
    pub schema: i64,
    pub workspaces: u64,
    pub events: u64,
    /// Deliveries that were owed at that moment.
    pub owed: u64,
}

/// Copies the database of the data directory `from` into the directory `to`, which must be empty or missing.
///
/// Needs no lock: one read transaction sees the state after one commit and before the next, whatever a running
/// process does meanwhile. Its write-ahead log cannot be emptied until the copy is complete. After an error `to` is as
/// empty as it was, so that the same call may be made again.
pub fn back_up(
    from: &Path,
    to: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<BackupReport, CopyError> {
    let source = connect_to_look(&from.join(DATABASE_FILE))?;
    make_empty(to)?;
    // The first read fixes the state that every later one sees.
    source.execute_batch("BEGIN")?;
    let schema = schema::recognise(&source)?;
    let partial = to.join(PARTIAL);
    let report = or_remove(&partial, || {
        create_private(&partial, Existing::Refused).map_err(failed(&partial))?;
        copy(&source, &partial, progress)?;
        let workspaces = number(&source, COUNT_WORKSPACES)?;
        let events = number(&source, COUNT_EVENTS)?;
        let owed = number(&source, COUNT_OWED)?;
        let (sha256, bytes) = digest(&partial)?;
        Ok(BackupReport { bytes, sha256, schema, workspaces, events, owed })
    })?;
    put_in_place(&partial, &to.join(DATABASE_FILE))?;
    Ok(report)
}

fn copy(source: &Connection, partial: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), CopyError> {
    let mut target = Connection::open(partial)?;
    // Nobody reads it before it is complete and synced, so it needs neither a journal nor a sync for each page.
    target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    let page_bytes = number(source, "PRAGMA page_size")?;
    let backup = Backup::new(source, &mut target)?;
    loop {
        let step = backup.step(PAGES_A_STEP)?;
        let pages = backup.progress();
        let bytes = |pages: i32| u64::try_from(pages).unwrap_or(0) * page_bytes;
        let total_bytes = bytes(pages.pagecount);
        progress(Progress { done_bytes: total_bytes - bytes(pages.remaining), total_bytes });
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Only a writer of the target could hold it, and nobody knows that file.
            _ => {
                let problem = "another process holds it".to_owned();
                return Err(CopyError::Damaged { path: partial.to_owned(), problem });
            }
        }
    }
}
