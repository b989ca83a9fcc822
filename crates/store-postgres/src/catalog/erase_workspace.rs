//! `erase_workspace`: ends a tenant. The row stays, so that its public id stays taken.
//!
//! From the mark on no verb finds the workspace or anything of it. Its webhooks, its credentials, the rights of users on it
//! and the answers that may hold secrets go in bounded steps before the verb answers; what else it had is removed by retention.

use signalpost_core::delivery::CutReason;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::catalog::EraseWorkspace;
use signalpost_store::change::Change;
use signalpost_store::row::{Fields, right_key};

use super::once::{self, returning};
use super::{delete_webhook, revoke_right};
use crate::failure::Failure;
use crate::locks::Locked;
use crate::meta;
use crate::pool::Pool;
use crate::portal;
use crate::replays;
use crate::session::{Session, limit};
use crate::work;
use crate::write::Write;

pub(crate) const SELECT_WEBHOOKS: &str =
    "SELECT h.id FROM webhook h WHERE h.workspace = $1 AND h.deleted_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM leaving l WHERE l.webhook = h.id)
    ORDER BY h.id LIMIT $2";
pub(crate) const INSERT_CUTS: &str = "INSERT INTO cut (webhook, n, upto, at, reason)
    SELECT k, coalesce((SELECT max(c.n) FROM cut c WHERE c.webhook = k), 0) + 1, $2::bigint, $3::bigint, $4::text
    FROM unnest($1::bigint[]) AS k";
/// See [`crate::write::INSERT_SWEEP`].
pub(crate) const INSERT_SWEEPS: &str = "INSERT INTO sweep (webhook, due_at, event)
    SELECT k, -9223372036854775808, -9223372036854775808 FROM unnest($1::bigint[]) AS k
    ON CONFLICT (webhook) DO UPDATE SET due_at = excluded.due_at, event = excluded.event";
pub(crate) const SELECT_NEWEST_CREDENTIAL: &str =
    "SELECT coalesce(max(id), 0) FROM credential WHERE workspace = $1";
pub(crate) const DELETE_CREDENTIALS: &str = "DELETE FROM credential
    WHERE id IN (SELECT id FROM credential WHERE workspace = $1 ORDER BY id LIMIT $2)";
pub(crate) const SELECT_NEWEST_OPERATOR_KEY: &str =
    "SELECT coalesce(max(id), 0) FROM operator_key WHERE workspace = $1";
/// There are [`signalpost_core::limits::OPERATOR_KEYS_MAX`] at most.
pub(crate) const DELETE_OPERATOR_KEYS: &str = "DELETE FROM operator_key WHERE workspace = $1";
pub(crate) const SELECT_RIGHTS: &str =
    "SELECT id, \"user\" FROM user_right WHERE workspace = $1 ORDER BY id LIMIT $2";
/// Answers that may hold secrets. Nobody finds the others any more either.
pub(crate) const DELETE_SEALED: &str = concat!(
    "DELETE FROM once WHERE id IN (
        SELECT id FROM once WHERE workspace = $1 AND sealed IS NOT NULL LIMIT $2)",
    returning!()
);
/// There are [`signalpost_core::limits::SIGNING_KEYS_MAX`] at most.
pub(crate) const WIPE_SIGNING_KEYS: &str = "UPDATE signing_key
    SET sealed = NULL, deleted_at = (SELECT erased_at FROM workspace WHERE id = $1)
    WHERE workspace = $1 AND deleted_at IS NULL";
pub(crate) const UPDATE: &str = "UPDATE workspace SET erased_at = $2 WHERE id = $1";
pub(crate) const WIPE: &str = "UPDATE workspace
    SET name = '', features = '\\x00'::bytea, retry_schedule = NULL, timeout_ms = NULL,
        event_age_s = NULL, payload_age_s = NULL, bytes_max = NULL, hold_after_s = NULL, release_order = NULL
    WHERE id = $1";
pub(crate) const SELECT_ERASED_AT: &str = "SELECT id, erased_at FROM workspace WHERE id = $1";
/// Every verb that writes asks for the head: without it the workspace does not exist for them.
pub(crate) const DELETE_HEAD: &str = "DELETE FROM head WHERE workspace = $1";
pub(crate) const INSERT_REST: &str = "INSERT INTO rest (workspace) VALUES ($1)";

/// Webhooks buried in one commit, and again so many credentials, rights and answers.
pub(crate) const BURIED_MAX: usize = 500;

/// What one step has done.
pub(crate) struct Stepped {
    pub(crate) buried: Vec<WebhookId>,
    /// Credentials, rights and answers.
    stripped: usize,
}

impl Stepped {
    const fn is_last(&self) -> bool {
        self.buried.len() < BURIED_MAX && self.stripped < BURIED_MAX
    }
}

pub(super) async fn run(pool: &Pool, params: EraseWorkspace) -> Result<Vec<WebhookId>, StoreError> {
    let EraseWorkspace { workspace, at } = params;
    let begin = async |write: &mut Write<'_>| begin(write, workspace, at).await;
    let begun = work::transact(pool, &begin).await?;
    go_on(pool, workspace, begun).await
}

/// What must be locked before a step, as far as is known: the users whose rights it ends are those of a moment ago.
pub(super) async fn locks_of(session: &Session, workspace: WorkspaceId) -> Result<Vec<Locked>, Failure> {
    let page = session.all(SELECT_RIGHTS, &[&workspace.raw(), &limit(BURIED_MAX)], right_key).await?;
    let users = page.iter().map(|right| Locked::User(right.user));
    let own = [Locked::Workspace(workspace), Locked::OperatorKeys(Some(workspace))];
    Ok(own.into_iter().chain(users).collect())
}

/// Marks the workspace and does the first step.
pub(super) async fn begin(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    at: Timestamp,
) -> Result<Stepped, Failure> {
    let locked = locks_of(write, workspace).await?;
    write.lock_all(&locked).await?;
    if write.version(workspace).is_none() {
        return Err(StoreError::Missing("workspace").into());
    }
    hide(write, workspace, at).await?;
    leave_rest(write, workspace).await?;
    step(write, workspace).await
}

/// From here on no verb finds the workspace. Its operator keys, sessions at its portal and replays go with the mark; what goes in later
/// steps opens nothing by then, so this is all that other nodes must know.
pub(crate) async fn hide(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    at: Timestamp,
) -> Result<(), Failure> {
    let id = workspace.raw();
    for newest in [SELECT_NEWEST_CREDENTIAL, SELECT_NEWEST_OPERATOR_KEY] {
        let newest = write.number(newest, &[&id]).await?;
        meta::raise(write, meta::HIGHEST_DELETED_ID, newest).await?;
    }
    write.execute(DELETE_OPERATOR_KEYS, &[&id]).await?;
    portal::remove::all_of(write, workspace).await?;
    replays::end::erase(write, workspace).await?;
    write.execute(UPDATE, &[&id, &at.as_ms()]).await?;
    write.execute(DELETE_HEAD, &[&id]).await?;
    write.forget_head(workspace);
    write.note_change(Change::Erased(workspace));
    Ok(())
}

/// Wipes what its owner wrote and leaves everything else to retention. Nothing may be stored for the workspace any more.
pub(crate) async fn leave_rest(session: &Session, workspace: WorkspaceId) -> Result<(), Failure> {
    for sql in [WIPE_SIGNING_KEYS, WIPE, INSERT_REST] {
        session.execute(sql, &[&workspace.raw()]).await?;
    }
    Ok(())
}

/// Does what an erasure does before it is answered for a workspace that was hidden otherwise.
pub(crate) async fn bury_hidden(pool: &Pool, workspace: WorkspaceId) -> Result<(), StoreError> {
    let begun = Stepped { buried: Vec::new(), stripped: BURIED_MAX };
    go_on(pool, workspace, begun).await.map(drop)
}

/// Does the rest, each step in a transaction of its own.
pub(super) async fn go_on(
    pool: &Pool,
    workspace: WorkspaceId,
    mut stepped: Stepped,
) -> Result<Vec<WebhookId>, StoreError> {
    let step = async |write: &mut Write<'_>| {
        let locked = locks_of(write, workspace).await?;
        write.lock_all(&locked).await?;
        step(write, workspace).await
    };
    let mut ended = Vec::new();
    loop {
        let is_last = stepped.is_last();
        ended.append(&mut stepped.buried);
        if is_last {
            return Ok(ended);
        }
        stepped = work::transact(pool, &step).await?;
    }
}

/// The workspace is locked, here and below.
pub(super) async fn step(write: &mut Write<'_>, workspace: WorkspaceId) -> Result<Stepped, Failure> {
    let buried = bury(write, workspace).await?;
    Ok(Stepped { buried, stripped: strip(write, workspace).await? })
}

/// Wipes up to [`BURIED_MAX`] credentials, rights of users, and answers that may hold secrets, of an erased workspace; fewer
/// when there are no more.
pub(crate) async fn strip(write: &mut Write<'_>, workspace: WorkspaceId) -> Result<usize, Failure> {
    let id = workspace.raw();
    let credentials = write.execute(DELETE_CREDENTIALS, &[&id, &limit(BURIED_MAX)]).await?;
    let credentials = usize::try_from(credentials).unwrap_or(BURIED_MAX);
    let rights = end_rights(write, workspace, BURIED_MAX.saturating_sub(credentials)).await?;
    let left = limit(BURIED_MAX.saturating_sub(credentials + rights));
    let answers = once::forget(write, DELETE_SEALED, &[&id, &left]).await?;
    Ok(credentials + rights + answers)
}

/// Users whose last rights they were go too.
async fn end_rights(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    rights_max: usize,
) -> Result<usize, Failure> {
    let page = write.all(SELECT_RIGHTS, &[&workspace.raw(), &limit(rights_max)], right_key).await?;
    revoke_right::remove(write, &page).await?;
    Ok(page.len())
}

/// Buries up to [`BURIED_MAX`] webhooks of an erased workspace; fewer when there are no more.
pub(crate) async fn bury(write: &mut Write<'_>, workspace: WorkspaceId) -> Result<Vec<WebhookId>, Failure> {
    let webhooks = write
        .all(SELECT_WEBHOOKS, &[&workspace.raw(), &limit(BURIED_MAX)], |row| {
            Fields::new(row, "webhook", 1).integer("id")
        })
        .await?;
    if webhooks.is_empty() {
        return Ok(Vec::new());
    }
    let at = erased_at(write, workspace).await?.as_ms();
    // Nothing of theirs will be born any more, so the cut may stand above everything.
    let (upto, nobody) = (i64::MAX, None::<String>);
    write.execute(delete_webhook::UPDATE, &[&webhooks, &at, &upto, &nobody]).await?;
    write.execute(INSERT_CUTS, &[&webhooks, &upto, &at, &CutReason::Deleted.name()]).await?;
    write.execute(INSERT_SWEEPS, &[&webhooks]).await?;
    Ok(webhooks.into_iter().map(WebhookId::from_raw).collect())
}

async fn erased_at(session: &Session, workspace: WorkspaceId) -> Result<Timestamp, Failure> {
    let at = session
        .one(SELECT_ERASED_AT, &[&workspace.raw()], |row| {
            let mut fields = Fields::new(row, "workspace", 1);
            fields.skip();
            fields.time("erased_at")
        })
        .await?;
    Ok(at.ok_or(StoreError::Missing("workspace"))?)
}
