//! `update_workspace`: name, features and policy. A change for fan-out, whatever it changes.

use signalpost_core::workspace::Workspace;
use signalpost_store::StoreError;
use signalpost_store::catalog::UpdateWorkspace;
use signalpost_store::change::Change;
use signalpost_store::pack::pack_texts;
use signalpost_store::row::PolicyColumns;

use super::find;
use crate::failure::Failure;
use crate::write::Write;

pub(crate) const UPDATE: &str = "UPDATE workspace
    SET name = $2, features = $3, retry_schedule = $4, timeout_ms = $5,
        event_age_s = $6, payload_age_s = $7, bytes_max = $8, hold_after_s = $9, release_order = $10
    WHERE id = $1";

pub(super) async fn run(write: &mut Write<'_>, params: &UpdateWorkspace) -> Result<Workspace, Failure> {
    write.lock(params.workspace).await?;
    let found = find::workspace(write, params.workspace).await?;
    let mut workspace = found.ok_or(StoreError::Missing("workspace"))?;
    if let Some(name) = &params.name {
        workspace.name.clone_from(name);
    }
    if let Some(features) = &params.features {
        workspace.features.clone_from(features);
    }
    params.policy.apply_to(&mut workspace.policy);
    let policy = PolicyColumns::of(&workspace.policy);
    write.bump_version(workspace.id)?;
    write.note_change(Change::Workspace(workspace.id));
    write
        .execute(
            UPDATE,
            &[
                &workspace.id.raw(),
                &workspace.name,
                &pack_texts(&workspace.features),
                &policy.retry_schedule,
                &policy.timeout_ms,
                &policy.event_age_s,
                &policy.payload_age_s,
                &policy.bytes_max,
                &policy.hold_after_s,
                &policy.release_order,
            ],
        )
        .await?;
    Ok(workspace)
}
