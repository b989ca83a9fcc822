//! What is left of erased workspaces: webhooks, signing keys, kept answers, what is owed, events, histories. In the end only
//! the workspace's own row stays.

use signalpost_core::id::{UserId, WorkspaceId};
use signalpost_store::StoreError;
use signalpost_store::row::{Fields, Row};

use super::candidate::{Candidate, candidate, candidate_columns};
use super::{Progress, Step, remove};
use crate::catalog::erase_workspace::{BURIED_MAX, bury, strip};
use crate::catalog::once::{forget, returning};
use crate::failure::Failure;
use crate::locks::Locked;
use crate::meta;
use crate::rollups::forget_figures;
use crate::session::{Session, limit};
use crate::work::{read, transact};
use crate::write::Write;

pub(crate) const SELECT_FIRST: &str = "SELECT workspace FROM rest ORDER BY workspace LIMIT 1";
/// Whose rights an erasure that was cut off has left.
pub(crate) const SELECT_USERS: &str =
    "SELECT \"user\" FROM user_right WHERE workspace = $1 ORDER BY id LIMIT $2";
pub(crate) const DELETE_CALLS: &str = concat!(
    "DELETE FROM once WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM once WHERE workspace = $1 ORDER BY id LIMIT $2))",
    returning!()
);
pub(crate) const DELETE_FEED: &str = "DELETE FROM feed WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM feed WHERE workspace = $1 ORDER BY sequence LIMIT $2))";
pub(crate) const SELECT_EVENTS: &str = concat!(
    "SELECT ",
    candidate_columns!(),
    " FROM message m WHERE m.workspace = $1 ORDER BY m.id + 0 LIMIT $2"
);
/// They were buried.
pub(crate) const SELECT_WEBHOOKS: &str =
    "SELECT id FROM webhook WHERE workspace = $1 AND deleted_at IS NOT NULL ORDER BY id LIMIT $2";
pub(crate) const DELETE_DUE: &str = "DELETE FROM due WHERE ctid = ANY(ARRAY(
    SELECT d.ctid FROM unnest($1::bigint[]) AS k CROSS JOIN LATERAL (
        SELECT d.ctid FROM due d WHERE d.webhook = k LIMIT $2) AS d LIMIT $2))";
pub(crate) const SELECT_DELIVERIES: &str =
    "SELECT DISTINCT a.webhook, a.event FROM unnest($1::bigint[]) AS k CROSS JOIN LATERAL (
        SELECT a.webhook, a.event FROM attempt a WHERE a.webhook = k LIMIT $2) AS a LIMIT $2";
pub(crate) const DELETE_DROPPED: &str = "DELETE FROM dropped WHERE ctid = ANY(ARRAY(
    SELECT d.ctid FROM unnest($1::bigint[]) AS k CROSS JOIN LATERAL (
        SELECT d.ctid FROM dropped d WHERE d.webhook = k LIMIT $2) AS d LIMIT $2))";
pub(crate) const DELETE_CUTS: &str = "DELETE FROM cut WHERE webhook = ANY($1::bigint[])";
pub(crate) const DELETE_SWEEPS: &str = "DELETE FROM sweep WHERE webhook = ANY($1::bigint[])";
pub(crate) const DELETE_WEBHOOKS: &str = "DELETE FROM webhook WHERE id = ANY($1::bigint[])";
pub(crate) const DELETE_SIGNING_KEYS: &str = "DELETE FROM signing_key WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM signing_key WHERE workspace = $1 ORDER BY public_id LIMIT $2))
    RETURNING id";
pub(crate) const DELETE: &str = "DELETE FROM rest WHERE workspace = $1";

/// Rows of one kind that are deleted in one go, and webhooks that are emptied together.
const ROWS_MAX: usize = 64;

pub(super) async fn step(step: &mut Step<'_>) -> Result<Progress, StoreError> {
    while !step.is_spent() {
        let Some(workspace) = read(step.pool, first).await? else { return Ok(Progress::Ended) };
        let work = async |write: &mut Write<'_>| remove_some(write, workspace).await;
        step.spend(transact(step.pool, &work).await?.max(1));
    }
    Ok(Progress::Paused)
}

async fn first(session: &Session) -> Result<Option<WorkspaceId>, Failure> {
    session
        .one(SELECT_FIRST, &[], |row| Fields::new(row, "rest", 1).id("workspace").map(WorkspaceId::from_raw))
        .await
}

/// Removes some rows of the first kind of which there are any; with none left the workspace has no rest any more. How many
/// rows went.
async fn remove_some(write: &mut Write<'_>, workspace: WorkspaceId) -> Result<usize, Failure> {
    let locked = locks_of(write, workspace).await?;
    write.lock_all(&locked).await?;
    // Only after an erasure that was cut off: else they were buried before it was answered.
    let buried = bury(write, workspace).await?.len();
    if buried > 0 {
        return Ok(3 * buried);
    }
    let stripped = strip(write, workspace).await?;
    if stripped > 0 {
        return Ok(2 * stripped);
    }
    let forgotten = forget(write, DELETE_CALLS, &[&workspace.raw(), &limit(ROWS_MAX)]).await?;
    if forgotten > 0 {
        return Ok(2 * forgotten);
    }
    // A feed goes before what it names, and everything before its webhook. What is owed was cut: nobody looks for its event.
    let rows = write.execute(DELETE_FEED, &[&workspace.raw(), &limit(ROWS_MAX)]).await?;
    if rows > 0 {
        return Ok(count(rows));
    }
    let rows = remove_events(write, workspace).await?;
    if rows > 0 { Ok(rows) } else { remove_others(write, workspace).await }
}

fn count(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

async fn locks_of(session: &Session, workspace: WorkspaceId) -> Result<Vec<Locked>, Failure> {
    let users = session
        .all(SELECT_USERS, &[&workspace.raw(), &limit(BURIED_MAX)], |row| {
            Fields::new(row, "user_right", 0).id("user").map(UserId::from_raw)
        })
        .await?;
    Ok(users.into_iter().map(Locked::User).chain([Locked::Workspace(workspace)]).collect())
}

/// What is left when no event is: webhooks with what hangs on them, some at a time, and what else there is.
async fn remove_others(write: &Write<'_>, workspace: WorkspaceId) -> Result<usize, Failure> {
    let id = |row: &Row<'_>| Fields::new(row, "webhook", 1).integer("id");
    let webhooks = write.all(SELECT_WEBHOOKS, &[&workspace.raw(), &limit(ROWS_MAX)], id).await?;
    let Some(highest) = webhooks.last() else {
        let mut rows = remove_signing_keys(write, workspace).await?;
        if rows == 0 {
            rows = count(forget_figures::of_erased(write, workspace, ROWS_MAX).await?);
        }
        if rows == 0 {
            write.execute(DELETE, &[&workspace.raw()]).await?;
        }
        return Ok(rows);
    };
    let rows = empty(write, &webhooks).await?;
    if rows > 0 {
        return Ok(rows);
    }
    for sql in [DELETE_CUTS, DELETE_SWEEPS, DELETE_WEBHOOKS] {
        write.execute(sql, &[&webhooks]).await?;
    }
    meta::raise(write, meta::HIGHEST_DELETED_ID, *highest).await?;
    Ok(3 * webhooks.len())
}

/// Removes some rows of one kind of what these webhooks have; none when they have nothing any more.
pub(crate) async fn empty(write: &Write<'_>, webhooks: &[i64]) -> Result<usize, Failure> {
    for sql in [DELETE_DUE, DELETE_DROPPED] {
        let rows = write.execute(sql, &[&webhooks, &limit(ROWS_MAX)]).await?;
        if rows > 0 {
            return Ok(count(rows));
        }
    }
    let deliveries = write
        .all(SELECT_DELIVERIES, &[&webhooks, &limit(ROWS_MAX)], |row| {
            let mut fields = Fields::new(row, "attempt", 2);
            Ok((fields.integer("webhook")?, fields.integer("event")?))
        })
        .await?;
    Ok(remove::steps(write, &deliveries).await?.len())
}

/// Their histories go by their webhooks.
pub(crate) async fn remove_events(write: &Write<'_>, workspace: WorkspaceId) -> Result<usize, Failure> {
    let events = write.all(SELECT_EVENTS, &[&workspace.raw(), &limit(ROWS_MAX)], candidate).await?;
    let events: Vec<&Candidate> = events.iter().collect();
    remove::rows_and_keys(write, &events).await?;
    Ok(2 * events.len())
}

/// Nothing refers to them any more.
async fn remove_signing_keys(write: &Write<'_>, workspace: WorkspaceId) -> Result<usize, Failure> {
    let keys = write
        .all(DELETE_SIGNING_KEYS, &[&workspace.raw(), &limit(ROWS_MAX)], |row| {
            Fields::new(row, "signing_key", 1).integer("id")
        })
        .await?;
    let Some(highest) = keys.iter().max() else { return Ok(0) };
    meta::raise(write, meta::HIGHEST_DELETED_ID, *highest).await?;
    Ok(keys.len())
}
