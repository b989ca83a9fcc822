//! `do_once`, `done_before`, and the rows by which calls are known that happen once.
//!
//! A row is looked up before an effect and written after it, in the effect's own transaction. What is kept has a bound,
//! which the same transaction restores: the oldest rows go for a new one, as many as it takes.

use rusqlite::{Connection, Params, params};
use signalpost_core::id::WorkspaceId;
use signalpost_core::idempotency::{Crowded, is_kept};
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::secret::SealedSecret;
use signalpost_store::{Done, Effect, Once, StoreError};

use super::{
    create_credential, create_operator_key, create_user, create_webhook, create_workspace, find, grant_right,
    rotate_operator_key, update_webhook,
};
use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::job::Growth;
use crate::ledger::{PUBLISHED, requeue};
use crate::queue::Admission;
use crate::replays::create_replay;
use crate::write::Write;
use signalpost_store::once::{OUTSIDE, answer_bytes, place};
use signalpost_store::row::{Fields, Value};

/// What [`forget`] needs to know of a row that goes.
macro_rules! returning {
    () => {
        " RETURNING workspace, coalesce(length(accepted), length(sealed), 0)"
    };
}
pub(crate) use returning;

pub(crate) const SELECT: &str =
    "SELECT id, at, request, accepted, sealed FROM once WHERE workspace = ?1 AND name = ?2";
pub(crate) const INSERT: &str = "INSERT INTO once
    (workspace, name, at, request, accepted, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
/// One of the same name, which is too old to count.
pub(crate) const DELETE_NAMED: &str =
    concat!("DELETE FROM once WHERE workspace = ?1 AND name = ?2", returning!());
pub(crate) const DELETE_OLDEST: &str =
    concat!("DELETE FROM once WHERE id = (SELECT id FROM once ORDER BY id LIMIT 1)", returning!());
pub(crate) const DELETE_OLDEST_OF: &str = concat!(
    "DELETE FROM once WHERE id = (SELECT id FROM once WHERE workspace = ?1 ORDER BY id LIMIT 1)",
    returning!()
);

/// The answer to a call: as it was sealed, or as the ledger packed it.
pub(crate) enum Kept<'a> {
    Accepted(&'a [u8]),
    Sealed(&'a SealedSecret),
}

/// How an effect is admitted: as the verb of its name.
pub(super) const fn terms(effect: &Effect) -> (Admission, Growth) {
    match effect {
        Effect::CreateWorkspace(_)
        | Effect::CreateWebhook(_)
        | Effect::CreateCredential(..)
        | Effect::CreateUser(_)
        | Effect::GrantRight(_)
        | Effect::CreateOperatorKey(..)
        | Effect::CreateReplay(_) => (Admission::Always, Growth::Grows),
        Effect::RotateOperatorKey(_) | Effect::UpdateWebhook(_) => (Admission::Always, Growth::Needed),
        Effect::Requeue(_) => PUBLISHED,
    }
}

pub(super) fn run(
    write: &mut Write<'_>,
    effect: &Effect,
    once: Once,
    answer: &SealedSecret,
) -> Result<Done<(), SealedSecret>, Failure> {
    if let Some(before) = done_before(write.connection, once)? {
        return Ok(Done::Before(before));
    }
    match effect {
        Effect::CreateWorkspace(workspace) => create_workspace::run(write, workspace)?,
        Effect::CreateWebhook(params) => create_webhook::run(write, params)?,
        Effect::CreateCredential(credential, hash) => create_credential::run(write, credential, *hash)?,
        Effect::CreateUser(params) => create_user::run(write, params)?,
        Effect::GrantRight(right) => grant_right::run(write, right)?,
        Effect::CreateOperatorKey(key, hash) => create_operator_key::run(write, key, *hash)?,
        Effect::RotateOperatorKey(params) => rotate_operator_key::run(write, params)?,
        Effect::UpdateWebhook(params) => drop(update_webhook::run(write, params)?),
        Effect::Requeue(params) => drop(requeue::run(write, *params)?),
        Effect::CreateReplay(replay) => create_replay::run(write, replay)?,
    }
    remember(write, once, Kept::Sealed(answer))?;
    Ok(Done::Now(()))
}

pub(super) fn done_before(connection: &Connection, once: Once) -> Result<Option<SealedSecret>, Failure> {
    recall(connection, once, |fields| {
        fields.skip();
        Ok(fields.optional_blob("sealed")?.map(|bytes| SealedSecret::from_bytes(bytes.to_vec())))
    })
}

/// What is kept for a call that was made before; `read` starts at the column `accepted` and gives `None` when the
/// answer is of the other kind, as for a call that asked for something else.
pub(crate) fn recall<T>(
    connection: &Connection,
    once: Once,
    read: impl FnOnce(&mut Fields<'_>) -> Result<Option<T>, StoreError>,
) -> Result<Option<T>, Failure> {
    if let Some(workspace) = once.workspace
        && !find::workspace_lives(connection, workspace)?
    {
        return Ok(None);
    }
    let found = fetch_one(connection, SELECT, params![place(once.workspace), once.call.name], |row| {
        let mut fields = Fields::new(row, "once", 1);
        fields.skip();
        if !is_kept(fields.time("at")?, once.at) {
            return Ok(None);
        }
        if fields.value("request")? != Value::Blob(&once.call.request) {
            return Err(StoreError::KeyReused);
        }
        read(&mut fields)?.map(Some).ok_or(StoreError::KeyReused)
    })?;
    Ok(found.flatten())
}

/// Keeps the answer to a call that was not made before, or so long ago that its row does not count.
pub(crate) fn remember(write: &mut Write<'_>, once: Once, kept: Kept<'_>) -> Result<(), Failure> {
    let (accepted, sealed) = match kept {
        Kept::Accepted(packed) => (Some(packed), None),
        Kept::Sealed(answer) => (None, Some(answer.as_bytes())),
    };
    let (at, request, workspace) = (once.at.as_ms(), once.call.request, place(once.workspace));
    forget(write, DELETE_NAMED, params![workspace, once.call.name])?;
    let values = params![workspace, once.call.name, at, request, accepted, sealed];
    write.statement(INSERT)?.execute(values)?;
    write.count_kept(once.workspace, answer_bytes(accepted.or(sealed).map_or(0, <[u8]>::len)))?;
    make_room(write, once.workspace)
}

/// Forgets the oldest answers until the bounds on them are kept, a step's worth at most: a database that was written
/// when there were no bounds comes to keep them call by call.
fn make_room(write: &mut Write<'_>, workspace: Option<WorkspaceId>) -> Result<(), Failure> {
    for _ in 0..UPKEEP_ROWS_MAX {
        let Some(crowded) = write.kept(workspace)?.crowded() else { return Ok(()) };
        let gone = match crowded {
            Crowded::Place => forget(write, DELETE_OLDEST_OF, [place(workspace)])?,
            Crowded::Everybody => forget(write, DELETE_OLDEST, [])?,
        };
        if gone == 0 {
            // The count is wrong; `db check` says so, and no call fails for it.
            return Ok(());
        }
        write.news.answers_forgotten += 1;
    }
    Ok(())
}

/// Deletes rows by a statement that ends in [`returning`], and counts them out; how many they were.
pub(crate) fn forget(write: &mut Write<'_>, sql: &str, values: impl Params) -> Result<usize, Failure> {
    let mut delete = write.statement(sql)?;
    let rows = delete.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let gone = rows.collect::<rusqlite::Result<Vec<(i64, i64)>>>()?;
    for (place, answer) in &gone {
        let workspace = Some(*place).filter(|place| *place != OUTSIDE).map(WorkspaceId::from_raw);
        write.count_kept(workspace, -answer_bytes(usize::try_from(*answer).unwrap_or(0)))?;
    }
    Ok(gone.len())
}
