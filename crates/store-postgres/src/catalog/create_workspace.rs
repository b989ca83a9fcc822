//! `create_workspace`: a tenant with version 1 and an empty history.

use signalpost_core::profile::FeedRule;
use signalpost_core::retention::RetentionDefault;
use signalpost_core::workspace::Workspace;
use signalpost_store::StoreError;
use signalpost_store::pack::pack_texts;
use signalpost_store::row::PolicyColumns;

use crate::failure::Failure;
use crate::write::Write;

/// By one that is coming from another cell as well.
pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM workspace WHERE public_id = $1
    UNION ALL SELECT 1 FROM moving WHERE public_id = $1";
pub(crate) const INSERT: &str = "INSERT INTO workspace
    (id, public_id, dialect, name, features, retry_schedule, timeout_ms, event_age_s, payload_age_s, bytes_max,
     feed, for_ever, created_at, hold_after_s, release_order)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
pub(crate) const INSERT_HEAD: &str = "INSERT INTO head (workspace, version) VALUES ($1, 1)";

pub(super) async fn run(write: &mut Write<'_>, workspace: &Workspace) -> Result<(), Failure> {
    write.lock(workspace.id).await?;
    if write.exists(IS_TAKEN, &[&workspace.public_id]).await? {
        return Err(StoreError::Taken("workspace id").into());
    }
    let policy = PolicyColumns::of(&workspace.policy);
    write
        .execute(
            INSERT,
            &[
                &workspace.id.raw(),
                &workspace.public_id,
                &workspace.dialect,
                &workspace.name,
                &pack_texts(&workspace.features),
                &policy.retry_schedule,
                &policy.timeout_ms,
                &policy.event_age_s,
                &policy.payload_age_s,
                &policy.bytes_max,
                &i64::from(workspace.feed == FeedRule::Kept),
                &i64::from(workspace.retention == RetentionDefault::ForEver),
                &workspace.created_at.as_ms(),
                &policy.hold_after_s,
                &policy.release_order,
            ],
        )
        .await?;
    write.execute(INSERT_HEAD, &[&workspace.id.raw()]).await?;
    write.news.note_id(workspace.id.raw());
    Ok(())
}
