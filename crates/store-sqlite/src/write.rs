//! What a verb that writes works with: the connection, the writer's memory, and what to tell after the commit.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use signalpost_core::delivery::{CutReason, Due};
use signalpost_core::event::Sequence;
use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
use signalpost_core::limits::DIRECTORY_WORKSPACES_MAX;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::ledger::{Stored, Usage};

use crate::failure::Failure;
use crate::kept::KeptSums;
use crate::meta;
use crate::retention::{Frontiers, Places, Walk};

const SELECT_HEAD: &str =
    "SELECT h.version, h.sequence, h.events, h.bytes, h.kept_bytes, h.expired_through, w.feed
    FROM head h CROSS JOIN workspace w ON w.id = h.workspace WHERE h.workspace = ?1";
const UPDATE_HEAD: &str =
    "UPDATE head SET version = ?2, sequence = ?3, events = ?4, bytes = ?5, kept_bytes = ?6,
        expired_through = ?7
    WHERE workspace = ?1";
const EVENT_EXISTS: &str = "SELECT 1 FROM message WHERE id = ?1";
const INSERT_CUT: &str = "INSERT INTO cut (webhook, n, upto, at, reason)
    SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3, ?4 FROM cut WHERE webhook = ?1";
/// From the beginning, also when a sweep for an earlier cut is under way.
const INSERT_SWEEP: &str = "INSERT OR REPLACE INTO sweep (webhook, due_at, event)
    VALUES (?1, -9223372036854775808, -9223372036854775808)";

/// A workspace's `head` row, and whether it has a feed.
#[derive(Clone, Copy)]
struct Head {
    version: i64,
    sequence: i64,
    events: i64,
    bytes: i64,
    /// Of answers kept for its calls.
    kept_bytes: i64,
    expired_through: i64,
    has_feed: bool,
    /// Differs from its row, so it stands in [`Caches::touched`].
    touched: bool,
}

/// What the only writer knows without asking. Dropped whole after a rollback.
#[derive(Default)]
pub(crate) struct Caches {
    heads: BTreeMap<WorkspaceId, Head>,
    /// Workspaces whose head differs from its row, in order of their first change.
    touched: Vec<WorkspaceId>,
    pub(crate) index: Option<IndexState>,
    /// The highest id of an event that retention has removed, once it was asked for.
    pub(crate) highest_removed_event: Option<i64>,
    /// Where retention stands in its walk.
    pub(crate) walk: Option<Walk>,
    pub(crate) places: Places,
    pub(crate) frontiers: Frontiers,
    /// Removed events that are still in the listing indexes, once they were counted.
    pub(crate) unlisted: Option<u64>,
    /// Webhooks of closed workspaces, once they were counted.
    pub(crate) leaving: Option<u64>,
    /// What answers kept for calls take, once it was read.
    pub(crate) kept: Option<KeptSums>,
    /// The log was told that the store is over its bound of bytes although nothing more can go.
    pub(crate) overfull_told: bool,
}

/// How far the listing indexes are filled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexState {
    /// Every event up to this id is in them.
    pub(crate) mark: i64,
    /// Events above the mark.
    pub(crate) unindexed: u64,
}

/// What a commit has to tell.
#[derive(Default)]
pub(crate) struct News {
    pub(crate) accepted: Vec<Stored>,
    pub(crate) requeued: Vec<(Due, WorkspaceId)>,
    /// What has come to be the first of its key.
    pub(crate) released: Vec<Due>,
    pub(crate) highest_id: i64,
    /// Rows that work in the background has touched.
    pub(crate) background_rows: usize,
    /// Answers kept for calls that went before their time.
    pub(crate) answers_forgotten: u64,
}

impl News {
    pub(crate) fn note_id(&mut self, raw: i64) {
        self.highest_id = self.highest_id.max(raw);
    }
}

/// Statements of the hot path, prepared once per commit instead of once per row.
#[derive(Default)]
pub(crate) struct HotStatements<'c> {
    pub(crate) insert_message: Option<CachedStatement<'c>>,
    pub(crate) insert_due: Option<CachedStatement<'c>>,
    pub(crate) insert_feed: Option<CachedStatement<'c>>,
    pub(crate) delete_due: Option<CachedStatement<'c>>,
    pub(crate) insert_attempt: Option<CachedStatement<'c>>,
}

/// Fills a slot of [`HotStatements`] on first use.
pub(crate) fn hot<'s, 'c>(
    slot: &'s mut Option<CachedStatement<'c>>,
    connection: &'c Connection,
    sql: &str,
) -> rusqlite::Result<&'s mut CachedStatement<'c>> {
    match slot {
        Some(statement) => Ok(statement),
        None => Ok(slot.insert(connection.prepare_cached(sql)?)),
    }
}

pub(crate) struct Write<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) caches: &'c mut Caches,
    pub(crate) hot: HotStatements<'c>,
    pub(crate) news: News,
    /// Rows that a background verb may touch in this commit.
    pub(crate) allowance: usize,
}

impl<'c> Write<'c> {
    pub(crate) fn new(connection: &'c Connection, caches: &'c mut Caches, allowance: usize) -> Self {
        Self { connection, caches, hot: HotStatements::default(), news: News::default(), allowance }
    }

    pub(crate) fn statement(&self, sql: &str) -> rusqlite::Result<CachedStatement<'c>> {
        self.connection.prepare_cached(sql)
    }

    /// The version of a workspace's webhooks, `None` when there is no such workspace (any more).
    pub(crate) fn version(&mut self, workspace: WorkspaceId) -> Result<Option<u64>, Failure> {
        Ok(self.head(workspace)?.map(|head| head.version.cast_unsigned()))
    }

    /// The last place taken in a workspace's sequence; `Missing("workspace")`.
    pub(crate) fn sequence(&mut self, workspace: WorkspaceId) -> Result<Sequence, Failure> {
        Ok(Sequence(self.living_head(workspace)?.sequence))
    }

    /// Takes the next place in a workspace's sequence; `Missing("workspace")`.
    pub(crate) fn next_sequence(&mut self, workspace: WorkspaceId) -> Result<Sequence, Failure> {
        let mut head = self.living_head(workspace)?;
        head.sequence += 1;
        self.set_head(workspace, head);
        Ok(Sequence(head.sequence))
    }

    /// Makes targets that were chosen before out of date; `Missing("workspace")`.
    pub(crate) fn bump_version(&mut self, workspace: WorkspaceId) -> Result<(), Failure> {
        let mut head = self.living_head(workspace)?;
        head.version += 1;
        self.set_head(workspace, head);
        Ok(())
    }

    /// Adds to what a workspace has stored; of one that is gone nothing is counted any more.
    pub(crate) fn count(&mut self, workspace: WorkspaceId, events: i64, bytes: i64) -> Result<(), Failure> {
        let Some(mut head) = self.head(workspace)? else { return Ok(()) };
        head.events = head.events.saturating_add(events);
        head.bytes = head.bytes.saturating_add(bytes);
        self.set_head(workspace, head);
        Ok(())
    }

    /// Notes that the event with this place, or its payload, is removed.
    pub(crate) fn expire(&mut self, workspace: WorkspaceId, sequence: Sequence) -> Result<(), Failure> {
        let Some(mut head) = self.head(workspace)? else { return Ok(()) };
        if head.expired_through < sequence.0 {
            head.expired_through = sequence.0;
            self.set_head(workspace, head);
        }
        Ok(())
    }

    /// Whether a workspace's events stand in `feed`; `false` for one that is gone.
    pub(crate) fn has_feed(&mut self, workspace: WorkspaceId) -> Result<bool, Failure> {
        Ok(self.head(workspace)?.is_some_and(|head| head.has_feed))
    }

    /// What a workspace has stored, this transaction included.
    pub(crate) fn usage(&mut self, workspace: WorkspaceId) -> Result<Option<Usage>, Failure> {
        let unsigned = |count: i64| u64::try_from(count).unwrap_or(0);
        let usage = |head: Head| Usage { events: unsigned(head.events), bytes: unsigned(head.bytes) };
        Ok(self.head(workspace)?.map(usage))
    }

    /// Bytes of answers that are kept for a workspace's calls; none when it is gone.
    pub(crate) fn kept_of(&mut self, workspace: WorkspaceId) -> Result<i64, Failure> {
        Ok(self.head(workspace)?.map_or(0, |head| head.kept_bytes))
    }

    /// Adds to them, if the workspace is there.
    pub(crate) fn add_kept_of(&mut self, workspace: WorkspaceId, bytes: i64) -> Result<(), Failure> {
        let Some(mut head) = self.head(workspace)? else { return Ok(()) };
        head.kept_bytes = head.kept_bytes.saturating_add(bytes);
        self.set_head(workspace, head);
        Ok(())
    }

    /// Whether an event was removed by retention. Costs a look at its row only when later ones were.
    pub(crate) fn is_removed(&mut self, event: EventId) -> Result<bool, Failure> {
        let highest = match self.caches.highest_removed_event {
            Some(highest) => highest,
            None => meta::read(self.connection, meta::HIGHEST_REMOVED_EVENT)?,
        };
        self.caches.highest_removed_event = Some(highest);
        Ok(event.raw() <= highest && !self.statement(EVENT_EXISTS)?.exists([event.raw()])?)
    }

    /// When the workspace ends; its row is the caller's business.
    pub(crate) fn forget_head(&mut self, workspace: WorkspaceId) {
        self.caches.heads.remove(&workspace);
        self.caches.places.forget(workspace);
    }

    /// Ends everything that is pending for a webhook.
    pub(crate) fn cut(
        &mut self,
        webhook: WebhookId,
        upto: Sequence,
        at: Timestamp,
        reason: CutReason,
    ) -> Result<(), Failure> {
        let values = params![webhook.raw(), upto.0, at.as_ms(), reason.name()];
        self.statement(INSERT_CUT)?.execute(values)?;
        self.statement(INSERT_SWEEP)?.execute([webhook.raw()])?;
        // What came to be the first of its key a moment ago has ended with the rest.
        self.news.released.retain(|due| due.id.webhook != webhook || due.born > upto);
        Ok(())
    }

    /// How far the listing indexes are filled; read once, then known.
    pub(crate) fn index_state(&mut self) -> Result<IndexState, Failure> {
        if let Some(state) = self.caches.index {
            return Ok(state);
        }
        let state = meta::read_index_state(self.connection)?;
        self.caches.index = Some(state);
        Ok(state)
    }

    /// How many removed events are still in the listing indexes; counted once, then known.
    pub(crate) fn unlisted(&mut self) -> Result<u64, Failure> {
        let count = match self.caches.unlisted {
            Some(count) => count,
            None => meta::count_unlisted(self.connection)?,
        };
        self.caches.unlisted = Some(count);
        Ok(count)
    }

    /// How many webhooks of closed workspaces there are; counted once, then known.
    pub(crate) fn leaving(&mut self) -> Result<u64, Failure> {
        let count = match self.caches.leaving {
            Some(count) => count,
            None => meta::count_leaving(self.connection)?,
        };
        self.caches.leaving = Some(count);
        Ok(count)
    }

    /// Writes back what is remembered: the last thing before a commit.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.flush_kept()?;
        if self.caches.touched.is_empty() {
            return Ok(());
        }
        let mut update = self.statement(UPDATE_HEAD)?;
        for workspace in self.caches.touched.drain(..) {
            if let Some(head) = self.caches.heads.get_mut(&workspace) {
                let Head { version, sequence, events, bytes, kept_bytes, expired_through, .. } = *head;
                update.execute([
                    workspace.raw(),
                    version,
                    sequence,
                    events,
                    bytes,
                    kept_bytes,
                    expired_through,
                ])?;
                head.touched = false;
            }
        }
        Ok(())
    }

    fn living_head(&mut self, workspace: WorkspaceId) -> Result<Head, Failure> {
        self.head(workspace)?.ok_or_else(|| StoreError::Missing("workspace").into())
    }

    fn head(&mut self, workspace: WorkspaceId) -> Result<Option<Head>, Failure> {
        if let Some(head) = self.caches.heads.get(&workspace) {
            return Ok(Some(*head));
        }
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Head {
                version: row.get(0)?,
                sequence: row.get(1)?,
                events: row.get(2)?,
                bytes: row.get(3)?,
                kept_bytes: row.get(4)?,
                expired_through: row.get(5)?,
                has_feed: row.get(6)?,
                touched: false,
            })
        };
        let head = self.statement(SELECT_HEAD)?.query_row([workspace.raw()], read).optional()?;
        if let Some(head) = head {
            self.caches.heads.insert(workspace, head);
        }
        Ok(head)
    }

    fn set_head(&mut self, workspace: WorkspaceId, head: Head) {
        self.caches.heads.insert(workspace, Head { touched: true, ..head });
        if !head.touched {
            self.caches.touched.push(workspace);
        }
    }
}

impl Caches {
    /// Keeps the memory bounded; only between commits.
    pub(crate) fn trim(&mut self) {
        if self.heads.len() > DIRECTORY_WORKSPACES_MAX {
            self.heads.clear();
        }
    }
}
