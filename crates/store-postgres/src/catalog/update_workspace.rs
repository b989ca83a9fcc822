//! `update_workspace`: name, features and policy. A change for fan-out, whatever it changes.

use std::time::Duration;

use signalpost_core::health::ReleaseOrder;
use signalpost_core::policy::PolicyOverrides;
use signalpost_core::retention::RetentionOverrides;
use signalpost_core::workspace::Workspace;
use signalpost_store::StoreError;
use signalpost_store::catalog::UpdateWorkspace;
use signalpost_store::pack::pack_texts;
use signalpost_store::row::write_schedule;

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
    let [event_age_s, payload_age_s, bytes_max] = retention_columns(&workspace.policy.retention);
    write.bump_version(workspace.id)?;
    write
        .execute(
            UPDATE,
            &[
                &workspace.id.raw(),
                &workspace.name,
                &pack_texts(&workspace.features),
                &workspace.policy.retry.as_ref().map(write_schedule),
                &timeout_ms(&workspace.policy),
                &event_age_s,
                &payload_age_s,
                &bytes_max,
                &hold_after_s(&workspace.policy),
                &workspace.policy.release.map(ReleaseOrder::name),
            ],
        )
        .await?;
    Ok(workspace)
}

/// Limits are whole milliseconds, see [`signalpost_core::policy::check_timeout_ms`].
pub(super) fn timeout_ms(policy: &PolicyOverrides) -> Option<i64> {
    policy.timeout.map(|timeout| i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX))
}

/// See [`signalpost_core::health::HoldAfter::from_seconds`].
pub(super) fn hold_after_s(policy: &PolicyOverrides) -> Option<i64> {
    policy.hold_after.map(|after| i64::try_from(after.as_seconds()).unwrap_or(i64::MAX))
}

/// `event_age_s`, `payload_age_s` and `bytes_max`. Ages are whole seconds, see
/// [`signalpost_core::retention::check_age_s`].
pub(super) fn retention_columns(own: &RetentionOverrides) -> [Option<i64>; 3] {
    let seconds = |age: Option<Duration>| age.map(|age| age.as_secs());
    [seconds(own.event_age_max), seconds(own.payload_age_max), own.bytes_max]
        .map(|number| number.map(|number| i64::try_from(number).unwrap_or(i64::MAX)))
}
