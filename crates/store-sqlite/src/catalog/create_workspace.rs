//! `create_workspace`: a tenant with version 1 and an empty history.

use rusqlite::params;
use signalpost_core::profile::FeedRule;
use signalpost_core::retention::RetentionDefault;
use signalpost_core::workspace::Workspace;
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::fetch::exists;
use crate::write::Write;
use signalpost_store::pack::pack_texts;
use signalpost_store::row::PolicyColumns;

pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM workspace WHERE public_id = ?1";
pub(crate) const INSERT: &str = "INSERT INTO workspace
    (id, public_id, dialect, name, features, retry_schedule, timeout_ms, event_age_s, payload_age_s, bytes_max,
     feed, for_ever, created_at, hold_after_s, release_order)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
pub(crate) const INSERT_HEAD: &str = "INSERT INTO head (workspace, version, sequence) VALUES (?1, 1, 0)";

pub(super) fn run(write: &mut Write<'_>, workspace: &Workspace) -> Result<(), Failure> {
    if exists(write.connection, IS_TAKEN, [&workspace.public_id])? {
        return Err(StoreError::Taken("workspace id").into());
    }
    let policy = PolicyColumns::of(&workspace.policy);
    write.statement(INSERT)?.execute(params![
        workspace.id.raw(),
        workspace.public_id,
        workspace.dialect,
        workspace.name,
        pack_texts(&workspace.features),
        policy.retry_schedule,
        policy.timeout_ms,
        policy.event_age_s,
        policy.payload_age_s,
        policy.bytes_max,
        workspace.feed == FeedRule::Kept,
        workspace.retention == RetentionDefault::ForEver,
        workspace.created_at.as_ms(),
        policy.hold_after_s,
        policy.release_order,
    ])?;
    write.statement(INSERT_HEAD)?.execute([workspace.id.raw()])?;
    write.news.note_id(workspace.id.raw());
    Ok(())
}
