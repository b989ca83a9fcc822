//! Wiping secrets whose time has passed: a part of `upkeep`.

use rusqlite::params;
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::rotation::{first_expiry, wipe_expired};
use signalpost_core::time::Timestamp;

use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use crate::write::Write;
use signalpost_store::pack_sealed::pack_secrets;
use signalpost_store::row;
use signalpost_store::row::webhook_columns;

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhook h WHERE h.secret_expires_at <= ?1 ORDER BY h.secret_expires_at LIMIT ?2"
);
pub(crate) const UPDATE: &str =
    "UPDATE webhook SET previous_secrets = ?2, secret_expires_at = ?3 WHERE id = ?1";

/// One bounded step; `true` when there may be more. The webhooks get the same events as before, so this is no
/// change for fan-out, and lanes judge expiry by themselves.
pub(crate) fn step(write: &Write<'_>, now: Timestamp) -> Result<bool, Failure> {
    let values = params![now.as_ms(), limit(UPKEEP_ROWS_MAX)];
    let mut webhooks = fetch_all(write.connection, SELECT, values, row::webhook)?;
    for webhook in &mut webhooks {
        wipe_expired(webhook, now);
        let left = &webhook.previous_secrets;
        let first = first_expiry(left).map(Timestamp::as_ms);
        write.statement(UPDATE)?.execute(params![webhook.id.raw(), pack_secrets(left), first])?;
    }
    Ok(webhooks.len() == UPKEEP_ROWS_MAX)
}
