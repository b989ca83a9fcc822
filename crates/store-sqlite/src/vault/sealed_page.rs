//! `sealed_page`: first the key check, then webhooks by id.

use rusqlite::{Connection, params};
use signalpost_core::id::WebhookId;
use signalpost_core::seal::{KEY_CHECK_PLACE, Place};
use signalpost_core::secret::SealedSecret;
use signalpost_core::webhook::SECRET_FIELD;
use signalpost_store::vault::{Sealed, SealedKey, SealedPage};

use super::key_check;
use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use crate::row::Fields;

pub(crate) const SELECT_WEBHOOKS: &str = "SELECT id, workspace, secret FROM webhook
    WHERE id > ?1 AND secret IS NOT NULL ORDER BY id LIMIT ?2";

pub(super) fn run(connection: &Connection, params: SealedPage) -> Result<Vec<Sealed>, Failure> {
    let SealedPage { after, limit: rows_max } = params;
    let mut page = Vec::new();
    if after.is_none() {
        let check = key_check::read(connection)?;
        page.extend(check.map(|value| Sealed { key: SealedKey::KeyCheck, place: KEY_CHECK_PLACE, value }));
    }
    let after = match after {
        None | Some(SealedKey::KeyCheck) => i64::MIN,
        Some(SealedKey::WebhookSecret(id)) => id.raw(),
    };
    let values = params![after, limit(rows_max.saturating_sub(page.len()))];
    page.extend(fetch_all(connection, SELECT_WEBHOOKS, values, |row| {
        let mut fields = Fields::new(row, "webhook", 1);
        let object = fields.id("id")?;
        let workspace = fields.id("workspace")?;
        let value = SealedSecret::from_bytes(fields.blob("secret")?.to_vec());
        let key = SealedKey::WebhookSecret(WebhookId::from_raw(object));
        Ok(Sealed { key, place: Place { workspace, object, field: SECRET_FIELD }, value })
    })?);
    Ok(page)
}
