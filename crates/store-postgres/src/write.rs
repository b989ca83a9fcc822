//! What a verb that writes works with: a transaction, what it knows of the workspaces that it has locked, and what to tell
//! after the commit.

mod closing;
mod known;
mod opening;

use std::collections::BTreeMap;
use std::ops::Deref;

use signalpost_core::delivery::{CutReason, Due};
use signalpost_core::event::Sequence;
use signalpost_core::id::{DeliveryId, WebhookId, WorkspaceId};
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::change::Change;
use signalpost_store::ledger::Stored;

use crate::catalog::once;
use crate::changes::note::{self, Changed};
use crate::failure::Failure;
use crate::ledger::{owed, record, rows};
use crate::locks;
use crate::session::Session;
use crate::shared::Shared;
use crate::shown::{self, Since};
use known::{Head, Known};

pub(crate) use known::SELECT_HEADS;
pub(crate) use opening::Opening;

pub(crate) const INSERT_PLACES: &str =
    "INSERT INTO place (workspace, sequence) SELECT * FROM unnest($1::bigint[], $2::bigint[])";
pub(crate) const UPDATE_HEADS: &str =
    "UPDATE head SET version = k.version, expired_through = k.expired_through
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k (workspace, version, expired_through)
    WHERE head.workspace = k.workspace";
pub(crate) const INSERT_TALLIES: &str = "INSERT INTO tally (workspace, events, bytes, kept_bytes)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])";
pub(crate) const INSERT_CUT: &str = "INSERT INTO cut (webhook, n, upto, at, reason)
    SELECT $1, coalesce(max(n), 0) + 1, $2, $3, $4 FROM cut WHERE webhook = $1";
/// From the beginning, also when a sweep for an earlier cut is under way.
pub(crate) const INSERT_SWEEP: &str = "INSERT INTO sweep (webhook, due_at, event)
    VALUES ($1, -9223372036854775808, -9223372036854775808)
    ON CONFLICT (webhook) DO UPDATE SET due_at = excluded.due_at, event = excluded.event";

/// What is prepared on every connection, because it goes before a commit or behind a script in one round trip.
pub(crate) const BEFORE_COMMIT: &[&str] = &[
    locks::LOCK,
    rows::INSERT_MESSAGES,
    rows::INSERT_KEYS,
    owed::INSERT,
    owed::INSERT_FEED,
    record::INSERT,
    record::DELETE_DUE,
    once::DELETE_NAMED,
    once::INSERT,
    note::INSERT,
];

/// What has come and gone.
#[derive(Clone, Copy, Default)]
struct Tally {
    events: i64,
    bytes: i64,
    kept_bytes: i64,
}

/// What a commit has to tell.
#[derive(Default)]
pub(crate) struct News {
    pub(crate) accepted: Vec<Stored>,
    pub(crate) requeued: Vec<(Due, WorkspaceId)>,
    /// What has come to be the first of its key.
    pub(crate) released: Vec<Due>,
    pub(crate) highest_id: i64,
    /// Answers kept for calls that went before their time.
    pub(crate) answers_forgotten: u64,
    /// What such answers take more than before.
    pub(crate) kept_bytes: i64,
    /// What nodes remember that is not so any more, if there is any of it.
    pub(crate) changed: Option<Changed>,
    /// Whoever delivers knows already of what was shown since.
    pub(crate) since: Option<Since>,
}

impl News {
    /// Leaves out what was shown to whoever delivers since the transaction began.
    pub(crate) fn leave_out_shown(&mut self) {
        let shown = self.since.take().map(|since| since.rounds()).unwrap_or_default();
        if shown.is_empty() {
            return;
        }
        let is_new = |due: &Due| !shown.contains(&shown::round(*due));
        self.requeued.retain(|(due, _)| is_new(due));
        self.released.retain(is_new);
        for Stored { event, told_apart } in &mut self.accepted {
            let round =
                |webhook: &WebhookId| (DeliveryId { event: event.id, webhook: *webhook }, event.sequence);
            told_apart.extend(event.targets.iter().filter(|webhook| shown.contains(&round(webhook))));
        }
    }

    pub(crate) fn note_id(&mut self, raw: i64) {
        self.highest_id = self.highest_id.max(raw);
    }
}

/// A transaction. Dropped without an end it leaves its connection unfit for others.
pub(crate) struct Write<'s> {
    session: &'s Session,
    pub(crate) shared: &'s Shared,
    known: Known,
    tallies: BTreeMap<i64, Tally>,
    changes: Vec<Change>,
    pub(crate) news: News,
}

impl Deref for Write<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session
    }
}

impl Write<'_> {
    /// The version of a workspace's webhooks, `None` when there is no such workspace (any more). It must be locked, here
    /// as everywhere below.
    pub(crate) fn version(&self, workspace: WorkspaceId) -> Option<u64> {
        self.known.heads.get(&workspace).map(|head| head.version.cast_unsigned())
    }

    /// The last place taken in a workspace's sequence; `Missing("workspace")`.
    pub(crate) fn sequence(&mut self, workspace: WorkspaceId) -> Result<Sequence, StoreError> {
        Ok(Sequence(self.living(workspace)?.sequence))
    }

    /// Takes the next place in a workspace's sequence; `Missing("workspace")`.
    pub(crate) fn next_sequence(&mut self, workspace: WorkspaceId) -> Result<Sequence, StoreError> {
        let head = self.living(workspace)?;
        head.sequence += 1;
        head.moved = true;
        Ok(Sequence(head.sequence))
    }

    /// Makes targets that were chosen before out of date; `Missing("workspace")`.
    pub(crate) fn bump_version(&mut self, workspace: WorkspaceId) -> Result<(), StoreError> {
        let head = self.living(workspace)?;
        head.version += 1;
        head.changed = true;
        Ok(())
    }

    /// Notes that the event with this place, or its payload, is removed.
    pub(crate) fn expire(&mut self, workspace: WorkspaceId, sequence: Sequence) {
        if let Some(head) = self.known.heads.get_mut(&workspace)
            && head.expired_through < sequence.0
        {
            head.expired_through = sequence.0;
            head.changed = true;
        }
    }

    /// Whether a workspace's events stand in `feed`; `false` for one that is gone.
    pub(crate) fn has_feed(&self, workspace: WorkspaceId) -> bool {
        self.known.heads.get(&workspace).is_some_and(|head| head.has_feed)
    }

    /// Adds to what a workspace has stored. Needs no lock.
    pub(crate) fn count(&mut self, workspace: WorkspaceId, events: i64, bytes: i64) {
        let tally = self.tallies.entry(workspace.raw()).or_default();
        tally.events += events;
        tally.bytes += bytes;
    }

    /// Adds to what answers take that are kept for calls of a place: a workspace, or the operator side, which is zero.
    pub(crate) fn count_kept(&mut self, place: i64, bytes: i64) {
        self.tallies.entry(place).or_default().kept_bytes += bytes;
        self.news.kept_bytes += bytes;
    }

    /// What of a place is counted in this transaction and not yet written.
    pub(crate) fn kept_unwritten(&self, place: i64) -> i64 {
        self.tallies.get(&place).map_or(0, |tally| tally.kept_bytes)
    }

    /// Notes what other nodes must know of; once is enough.
    pub(crate) fn note_change(&mut self, change: Change) {
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    /// When the workspace ends; its row is the caller's business.
    pub(crate) fn forget_head(&mut self, workspace: WorkspaceId) {
        self.known.heads.remove(&workspace);
    }

    /// Ends everything that is pending for a webhook.
    pub(crate) async fn cut(
        &mut self,
        webhook: WebhookId,
        upto: Sequence,
        at: Timestamp,
        reason: CutReason,
    ) -> Result<(), Failure> {
        self.execute(INSERT_CUT, &[&webhook.raw(), &upto.0, &at.as_ms(), &reason.name()]).await?;
        self.execute(INSERT_SWEEP, &[&webhook.raw()]).await?;
        // What came to be the first of its key a moment ago has ended with the rest.
        self.news.released.retain(|due| due.id.webhook != webhook || due.born > upto);
        Ok(())
    }

    /// Whether it takes something away that nodes remember; nothing when it changes none of that.
    pub(crate) fn revokes(&self) -> Option<bool> {
        (!self.changes.is_empty()).then(|| self.changes.iter().any(Change::revokes))
    }

    fn living(&mut self, workspace: WorkspaceId) -> Result<&mut Head, StoreError> {
        self.known.heads.get_mut(&workspace).ok_or(StoreError::Missing("workspace"))
    }
}
