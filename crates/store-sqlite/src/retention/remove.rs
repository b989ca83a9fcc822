//! Removing one event with everything that belongs to it, or its payload alone.

use rusqlite::{CachedStatement, params};
use signalpost_core::id::WorkspaceId;
use signalpost_core::time::Timestamp;

use super::candidate::{Candidate, Content, Ended, Payload};
use super::unlist;
use crate::failure::Failure;
use crate::ledger::finish::DELETE_DUE;
use crate::meta;
use crate::write::{IndexState, Write};
use signalpost_store::pack::pack_ids;

pub(crate) const DELETE_MESSAGE: &str = "DELETE FROM message WHERE id = ?1";
pub(crate) const DELETE_STEPS: &str = "DELETE FROM attempt WHERE event = ?1";
pub(crate) const DELETE_KEY: &str =
    "DELETE FROM event_key WHERE workspace = ?1 AND producer_id = ?2 AND event = ?3";
pub(crate) const DELETE_FEED: &str = "DELETE FROM feed WHERE workspace = ?1 AND sequence = ?2";
pub(crate) const DELETE_IX_EVENT: &str = "DELETE FROM ix_event WHERE workspace = ?1 AND event = ?2";
pub(crate) const DELETE_IX_DELIVERY: &str = "DELETE FROM ix_delivery WHERE webhook = ?1 AND event = ?2";
pub(crate) const EMPTY_MESSAGE: &str = "UPDATE message SET data = x'', payload_removed_at = ?2 WHERE id = ?1";

/// When an event's rows in the listing indexes go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    /// With it: for events of one workspace in order, whose rows lie together.
    Now,
    /// In sorted steps: for events in order of their ids, whoever's they are.
    Later,
}

/// The statements of one step, prepared once, and what is done at its end in one go.
pub(super) struct Remover<'c> {
    message: CachedStatement<'c>,
    steps: CachedStatement<'c>,
    ix_event: CachedStatement<'c>,
    /// Rows of `ix_delivery` to be deleted: in order they share pages.
    deliveries: Vec<(i64, i64)>,
    highest_event: Option<i64>,
}

impl<'c> Remover<'c> {
    pub(super) fn new(write: &Write<'c>) -> Result<Self, Failure> {
        Ok(Self {
            message: write.statement(DELETE_MESSAGE)?,
            steps: write.statement(DELETE_STEPS)?,
            ix_event: write.statement(DELETE_IX_EVENT)?,
            deliveries: Vec::new(),
            highest_event: None,
        })
    }

    /// Returns the number of rows that go with it. With [`Listing::Now`] it must stand in the listing indexes.
    pub(super) fn event(
        &mut self,
        write: &mut Write<'_>,
        candidate: &Candidate,
        ended: &Ended<'_>,
        listing: Listing,
    ) -> Result<usize, Failure> {
        let (id, workspace) = (candidate.id, candidate.workspace);
        let Ended { content, steps, steps_bytes, unswept } = ended;
        for (webhook, due_at) in unswept {
            write.statement(DELETE_DUE)?.execute([webhook.raw(), *due_at, id])?;
        }
        let mut rows = self.row_and_keys(write, workspace, id, content)? + steps + unswept.len();
        rows += match listing {
            Listing::Now => self.unlist(workspace, id, content)?,
            Listing::Later => unlist_later(write, workspace, id, content)?,
        };
        // Of a closed workspace nobody knows whether it had a feed.
        if write.has_feed(workspace)? || write.version(workspace)?.is_none() {
            write.statement(DELETE_FEED)?.execute([workspace.raw(), candidate.sequence.0])?;
            rows += 1;
        }
        write.expire(workspace, candidate.sequence)?;
        write.count(workspace, -1, -(candidate.bytes + steps_bytes))?;
        Ok(rows)
    }

    /// As [`Self::event`] of a workspace of which nothing is counted any more.
    pub(super) fn bare_event(
        &mut self,
        write: &Write<'_>,
        workspace: WorkspaceId,
        id: i64,
        content: &Content,
    ) -> Result<usize, Failure> {
        Ok(self.row_and_keys(write, workspace, id, content)? + self.unlist(workspace, id, content)?)
    }

    fn row_and_keys(
        &mut self,
        write: &Write<'_>,
        workspace: WorkspaceId,
        id: i64,
        content: &Content,
    ) -> Result<usize, Failure> {
        self.steps.execute([id])?;
        self.message.execute([id])?;
        if let Some(producer_id) = &content.producer_id {
            write.statement(DELETE_KEY)?.execute(params![workspace.raw(), producer_id, id])?;
        }
        self.highest_event = self.highest_event.max(Some(id));
        Ok(1 + usize::from(content.producer_id.is_some()))
    }

    fn unlist(&mut self, workspace: WorkspaceId, id: i64, content: &Content) -> Result<usize, Failure> {
        self.ix_event.execute([workspace.raw(), id])?;
        self.deliveries.extend(content.targets.iter().map(|webhook| (webhook.raw(), id)));
        Ok(1 + content.targets.len())
    }

    /// Empties a payload that is stored.
    pub(super) fn payload(
        write: &mut Write<'_>,
        candidate: &Candidate,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Payload::Stored { bytes } = candidate.payload else { return Ok(()) };
        write.statement(EMPTY_MESSAGE)?.execute([candidate.id, now.as_ms()])?;
        write.expire(candidate.workspace, candidate.sequence)?;
        write.count(candidate.workspace, 0, -bytes)
    }

    pub(super) fn finish(mut self, write: &mut Write<'_>) -> Result<(), Failure> {
        self.deliveries.sort_unstable();
        let mut delete = write.statement(DELETE_IX_DELIVERY)?;
        for (webhook, event) in &self.deliveries {
            delete.execute([webhook, event])?;
        }
        if let Some(highest) = self.highest_event {
            meta::raise(write.connection, meta::HIGHEST_REMOVED_EVENT, highest)?;
            write.caches.highest_removed_event = write.caches.highest_removed_event.max(Some(highest));
        }
        Ok(())
    }
}

/// What stands above the indexes was never in them.
fn unlist_later(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    id: i64,
    content: &Content,
) -> Result<usize, Failure> {
    let IndexState { mark, unindexed } = write.index_state()?;
    if id > mark {
        write.caches.index = Some(IndexState { mark, unindexed: unindexed.saturating_sub(1) });
        return Ok(0);
    }
    unlist::note(write, workspace, id, &pack_ids(content.targets.iter().map(|webhook| webhook.raw())))?;
    Ok(1)
}
