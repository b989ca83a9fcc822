//! `do_once`, `done_before`, and the rows by which calls are known that happen once.
//!
//! A row is looked up before an effect and written after it, in the effect's own transaction.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};
use signalpost_core::id::WorkspaceId;
use signalpost_core::idempotency::is_kept;
use signalpost_core::secret::SealedSecret;
use signalpost_store::{Done, Effect, Once, StoreError};

use super::{
    create_credential, create_operator_key, create_webhook, create_workspace, find, rotate_operator_key,
    update_webhook,
};
use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::ledger::requeue;
use crate::row::Fields;
use crate::write::Write;

pub(crate) const SELECT: &str =
    "SELECT id, at, request, accepted, sealed FROM once WHERE workspace = ?1 AND name = ?2";
/// Takes the place of one that is too old to count.
pub(crate) const INSERT: &str = "INSERT OR REPLACE INTO once
    (workspace, name, at, request, accepted, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// The answer to a call: as it was sealed, or as the ledger packed it.
pub(crate) enum Kept<'a> {
    Accepted(&'a [u8]),
    Sealed(&'a SealedSecret),
}

/// Whether an effect is something new, which a full disk refuses.
pub(super) const fn grows(effect: &Effect) -> bool {
    match effect {
        Effect::CreateWorkspace(_)
        | Effect::CreateWebhook(_)
        | Effect::CreateCredential(..)
        | Effect::CreateOperatorKey(..) => true,
        Effect::RotateOperatorKey(_) | Effect::UpdateWebhook(_) | Effect::Requeue(_) => false,
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
        Effect::CreateOperatorKey(key, hash) => create_operator_key::run(write, key, *hash)?,
        Effect::RotateOperatorKey(params) => rotate_operator_key::run(write, params)?,
        Effect::UpdateWebhook(params) => drop(update_webhook::run(write, params)?),
        Effect::Requeue(params) => drop(requeue::run(write, *params)?),
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
        if fields.value("request")? != ValueRef::Blob(&once.call.request) {
            return Err(StoreError::KeyReused);
        }
        read(&mut fields)?.map(Some).ok_or(StoreError::KeyReused)
    })?;
    Ok(found.flatten())
}

pub(crate) fn remember(write: &Write<'_>, once: Once, kept: Kept<'_>) -> Result<(), Failure> {
    let (accepted, sealed) = match kept {
        Kept::Accepted(packed) => (Some(packed), None),
        Kept::Sealed(answer) => (None, Some(answer.as_bytes())),
    };
    let (at, request) = (once.at.as_ms(), once.call.request);
    let values = params![place(once.workspace), once.call.name, at, request, accepted, sealed];
    write.statement(INSERT)?.execute(values)?;
    Ok(())
}

/// Ids of workspaces are above zero.
pub(crate) fn place(workspace: Option<WorkspaceId>) -> i64 {
    workspace.map_or(0, WorkspaceId::raw)
}
