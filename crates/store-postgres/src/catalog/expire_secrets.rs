//! Wiping secrets whose time has passed: a part of `upkeep`.

use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::rotation::{first_expiry, wipe_expired};
use signalpost_core::time::Timestamp;
use signalpost_store::pack_sealed::pack_secrets;
use signalpost_store::row;
use signalpost_store::row::{Fields, webhook_columns};

use crate::failure::Failure;
use crate::locks::Locked;
use crate::session::limit;
use crate::write::Write;

pub(crate) const SELECT_EXPIRED: &str = "SELECT id, workspace FROM webhook
    WHERE secret_expires_at <= $1 ORDER BY secret_expires_at LIMIT $2";
pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhook h WHERE h.id = ANY($2::bigint[]) AND h.secret_expires_at <= $1"
);
pub(crate) const UPDATE: &str =
    "UPDATE webhook SET previous_secrets = k.previous, secret_expires_at = k.expires_at
    FROM unnest($1::bigint[], $2::bytea[], $3::bigint[]) AS k (id, previous, expires_at)
    WHERE webhook.id = k.id";

/// One bounded step; `true` when there may be more. The webhooks get the same events as before, so this is no
/// change for fan-out, and lanes judge expiry by themselves.
pub(crate) async fn step(write: &mut Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let expired = write
        .all(SELECT_EXPIRED, &[&now.as_ms(), &limit(UPKEEP_ROWS_MAX)], |row| {
            let mut fields = Fields::new(row, "webhook", 1);
            Ok((fields.id("id")?, WorkspaceId::from_raw(fields.id("workspace")?)))
        })
        .await?;
    let (expired, workspaces): (Vec<i64>, Vec<WorkspaceId>) = expired.into_iter().unzip();
    if expired.is_empty() {
        return Ok(false);
    }
    // No secret outlives its use because its workspace is moving: webhooks are copied last.
    write.lock_moving_too(&workspaces.into_iter().map(Locked::Workspace).collect::<Vec<_>>()).await?;
    let mut webhooks = write.all(SELECT, &[&now.as_ms(), &expired], row::webhook).await?;
    webhooks.iter_mut().for_each(|webhook| wipe_expired(webhook, now));
    let left = webhooks.iter().map(|webhook| &webhook.previous_secrets);
    let previous: Vec<Option<Vec<u8>>> = left.clone().map(|secrets| pack_secrets(secrets)).collect();
    let first: Vec<Option<i64>> = left.map(|secrets| first_expiry(secrets).map(Timestamp::as_ms)).collect();
    let ids: Vec<i64> = webhooks.iter().map(|webhook| webhook.id.raw()).collect();
    write.execute(UPDATE, &[&ids, &previous, &first]).await?;
    Ok(expired.len() == UPKEEP_ROWS_MAX)
}
