//! What a verb that writes works with: a transaction, what it knows of the workspaces that it has locked, and what to tell
//! after the commit.

mod known;

use std::collections::BTreeMap;
use std::ops::Deref;

use futures_util::future::{try_join, try_join3, try_join5};
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
use crate::ledger::{finish, owed, record, rows};
use crate::locks::{self, Locked};
use crate::nodes::fence;
use crate::session::{Session, Standing};
use crate::shared::Shared;
use crate::shown::{self, Since};
use known::{Head, Known, head};

pub(crate) use known::SELECT_HEADS;

const BEGIN: &str = "BEGIN";
const ROLLBACK: &str = "ROLLBACK";
/// Writes to the server's log alone, so that the commit behind it waits for whatever comes before it there.
const MARK_LOG: &str = "SELECT pg_logical_emit_message(true, 'signalpost', '')";

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

/// What is prepared on every connection, because it goes before a commit or behind a lock in one round trip.
pub(crate) const BEFORE_COMMIT: &[&str] = &[
    locks::LOCK,
    locks::SHARE,
    fence::SELECT_EPOCHS,
    fence::SELECT_COPIED,
    SELECT_HEADS,
    INSERT_PLACES,
    UPDATE_HEADS,
    INSERT_TALLIES,
    rows::INSERT_MESSAGES,
    rows::INSERT_KEYS,
    owed::INSERT,
    owed::INSERT_FEED,
    finish::SELECT_LEAVING,
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

impl<'s> Write<'s> {
    pub(crate) async fn begin(session: &'s Session, shared: &'s Shared) -> Result<Self, Failure> {
        let write = Self::new(session, shared);
        session.batch(BEGIN).await?;
        Ok(write)
    }

    /// The same with locks at once, in one round trip.
    pub(crate) async fn begin_locked(
        session: &'s Session,
        shared: &'s Shared,
        locked: &[Locked],
    ) -> Result<Self, Failure> {
        let (write, ()) = Self::begin_with(session, shared, locked, async { Ok(()) }).await?;
        Ok(write)
    }

    /// The same with first statements behind the locks, all of them among [`BEFORE_COMMIT`].
    pub(crate) async fn begin_with<T>(
        session: &'s Session,
        shared: &'s Shared,
        locked: &[Locked],
        first: impl Future<Output = Result<T, Failure>>,
    ) -> Result<(Self, T), Failure> {
        let mut write = Self::new(session, shared);
        let begun = session.batch(BEGIN);
        let ((), known, first) = try_join3(begun, write.lock_and_read(locked), first).await?;
        write.known = known;
        Ok((write, first))
    }

    fn new(session: &'s Session, shared: &'s Shared) -> Self {
        session.set_standing(Standing::Writing);
        let (known, tallies) = (Known::default(), BTreeMap::new());
        let news = News { since: Some(shared.shown.begin()), ..News::default() };
        Self { session, shared, known, tallies, changes: Vec::new(), news }
    }

    /// Locks a workspace, if it exists or not, before anything of it is read.
    pub(crate) async fn lock(&mut self, workspace: WorkspaceId) -> Result<(), Failure> {
        self.lock_all(&[Locked::Workspace(workspace)]).await
    }

    /// Takes locks. To be called once in a transaction, or with greater care than anybody has. `Moving` when a workspace among
    /// them is.
    pub(crate) async fn lock_all(&mut self, locked: &[Locked]) -> Result<(), Failure> {
        self.lock_moving_too(locked).await?;
        if self.known.moving.is_empty() { Ok(()) } else { Err(StoreError::Moving.into()) }
    }

    /// The same for whoever asks [`Self::is_moving`] before anything of a workspace's events is changed.
    pub(crate) async fn lock_moving_too(&mut self, locked: &[Locked]) -> Result<(), Failure> {
        let Known { heads, moving } = self.lock_and_read(locked).await?;
        self.known.heads.extend(heads);
        self.known.moving.extend(moving);
        Ok(())
    }

    /// Whether a workspace is going to another cell, or coming from one: its events must stay as they are. It must be locked.
    pub(crate) fn is_moving(&self, workspace: WorkspaceId) -> bool {
        self.known.moving.contains(&workspace)
    }

    async fn lock_and_read(&self, locked: &[Locked]) -> Result<Known, Failure> {
        let workspaces = locked.iter().filter_map(|one| match one {
            Locked::Workspace(id) => Some(id.raw()),
            _ => None,
        });
        let workspaces: Vec<i64> = workspaces.collect();
        if locked.is_empty() {
            return Ok(Known::default());
        }
        let taken = locks::take(self.session, self.shared.schema_key, locked);
        if workspaces.is_empty() {
            taken.await?;
            return Ok(Known::default());
        }
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&workspaces];
        let ((), rows) = try_join(taken, self.session.all(SELECT_HEADS, &params, head)).await?;
        let mut known = Known::default();
        for (workspace, head) in rows {
            match head {
                Some(head) => drop(known.heads.insert(workspace, head)),
                None => drop(known.moving.insert(workspace)),
            }
        }
        Ok(known)
    }

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

    /// Writes down what was counted and commits, in one round trip; what there is to tell.
    pub(crate) async fn commit(self) -> Result<News, Failure> {
        self.commit_after(async { Ok(()) }).await
    }

    /// The same where nothing was written: what others have committed before is on disk then, and on standbys.
    pub(crate) async fn commit_marked(self) -> Result<News, Failure> {
        self.session.batch(MARK_LOG).await?;
        self.commit().await
    }

    /// The same behind last statements that belong to the transaction, all of them among [`BEFORE_COMMIT`].
    pub(crate) async fn commit_after(
        self,
        last: impl Future<Output = Result<(), Failure>>,
    ) -> Result<News, Failure> {
        let written = async {
            // In the order in which they are sent: the lock on the numbers of changes comes after every other.
            let changed = note::insert(self.session, self.shared, &self.changes);
            let (places, heads, tallies) = (self.flush_places(), self.flush_heads(), self.flush_tallies());
            try_join5(last, places, heads, tallies, changed).await.map(|(.., changed)| changed)
        };
        // On the heap: it is large, and every level above would carry it.
        let changed = self.session.commit_behind(Box::pin(written)).await?;
        Ok(News { changed, ..self.news })
    }

    /// Undoes everything. When that fails the connection is left to be closed, which undoes it too.
    pub(crate) async fn roll_back(self) {
        match self.session.batch(ROLLBACK).await {
            Ok(()) => self.session.set_standing(Standing::Idle),
            Err(failure) => {
                tracing::debug!(problem = failure.describe(), "a transaction ends with its connection")
            }
        }
    }

    async fn flush_places(&self) -> Result<(), Failure> {
        let moved = self.known.heads.iter().filter(|(_, head)| head.moved);
        let (workspaces, sequences): (Vec<i64>, Vec<i64>) =
            moved.map(|(workspace, head)| (workspace.raw(), head.sequence)).unzip();
        if !workspaces.is_empty() {
            self.execute(INSERT_PLACES, &[&workspaces, &sequences]).await?;
        }
        Ok(())
    }

    async fn flush_heads(&self) -> Result<(), Failure> {
        let changed: Vec<_> = self.known.heads.iter().filter(|(_, head)| head.changed).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let workspaces: Vec<i64> = changed.iter().map(|(workspace, _)| workspace.raw()).collect();
        let versions: Vec<i64> = changed.iter().map(|(_, head)| head.version).collect();
        let expired: Vec<i64> = changed.iter().map(|(_, head)| head.expired_through).collect();
        self.execute(UPDATE_HEADS, &[&workspaces, &versions, &expired]).await?;
        Ok(())
    }

    async fn flush_tallies(&self) -> Result<(), Failure> {
        if self.tallies.is_empty() {
            return Ok(());
        }
        let column = |of: fn(&Tally) -> i64| self.tallies.values().map(of).collect::<Vec<i64>>();
        let places: Vec<i64> = self.tallies.keys().copied().collect();
        let (events, bytes) = (column(|tally| tally.events), column(|tally| tally.bytes));
        let kept = column(|tally| tally.kept_bytes);
        self.execute(INSERT_TALLIES, &[&places, &events, &bytes, &kept]).await?;
        Ok(())
    }

    fn living(&mut self, workspace: WorkspaceId) -> Result<&mut Head, StoreError> {
        self.known.heads.get_mut(&workspace).ok_or(StoreError::Missing("workspace"))
    }
}
