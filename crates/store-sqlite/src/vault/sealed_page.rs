//! `sealed_page`: first the key check, then webhooks by id, signing keys by id, then kept answers by workspace and name.

use rusqlite::{Connection, params};
use signalpost_core::id::WorkspaceId;
use signalpost_core::seal::KEY_CHECK_PLACE;
use signalpost_core::secret::SealedSecret;
use signalpost_store::vault::{AnswerKey, Sealed, SealedKey, SealedPage, sealed_in, sealed_in_key};

use super::key_check;
use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};
use signalpost_store::once;
use signalpost_store::row;
use signalpost_store::row::{Fields, signing_key_columns, webhook_columns};

pub(crate) const SELECT_WEBHOOKS: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhook h WHERE h.id > ?1 AND coalesce(h.secret, h.previous_secrets, h.headers, h.login_password) IS NOT NULL
      ORDER BY h.id LIMIT ?2"
);
pub(crate) const SELECT_SIGNING_KEYS: &str = concat!(
    "SELECT ",
    signing_key_columns!(),
    " FROM signing_key WHERE id > ?1 AND sealed IS NOT NULL ORDER BY id LIMIT ?2"
);
pub(crate) const SELECT_ANSWERS: &str = "SELECT workspace, name, sealed FROM once INDEXED BY once_sealed
    WHERE (workspace, name) > (?1, ?2) AND sealed IS NOT NULL ORDER BY workspace, name LIMIT ?3";

pub(super) fn run(connection: &Connection, params: SealedPage) -> Result<Vec<Sealed>, Failure> {
    let SealedPage { after, limit: rows_max } = params;
    let mut page = Vec::new();
    if after.is_none() {
        let check = key_check::read(connection)?;
        page.extend(check.map(|value| Sealed { key: SealedKey::KeyCheck, place: KEY_CHECK_PLACE, value }));
    }
    // Kinds follow one another: of one that lies behind nothing is wanted any more.
    let webhooks_after = match after {
        None | Some(SealedKey::KeyCheck) => Some(i64::MIN),
        Some(SealedKey::Webhook(id)) => Some(id.raw()),
        Some(SealedKey::SigningKey(_) | SealedKey::Answer(_)) => None,
    };
    if let Some(after) = webhooks_after {
        page.extend(webhooks(connection, after, rows_max.saturating_sub(page.len()))?);
    }
    let keys_after = match after {
        None | Some(SealedKey::KeyCheck | SealedKey::Webhook(_)) => Some(i64::MIN),
        Some(SealedKey::SigningKey(id)) => Some(id.raw()),
        Some(SealedKey::Answer(_)) => None,
    };
    if let Some(after) = keys_after {
        page.extend(signing_keys(connection, after, rows_max.saturating_sub(page.len()))?);
    }
    let after = match after {
        Some(SealedKey::Answer(answer)) => answer,
        _ => AnswerKey { workspace: None, name: [0; 32] },
    };
    page.extend(answers(connection, after, rows_max.saturating_sub(page.len()))?);
    Ok(page)
}

/// Those of one webhook stay together, so there may be more than are wanted.
fn webhooks(connection: &Connection, after: i64, rows_max: usize) -> Result<Vec<Sealed>, Failure> {
    let mut page = Vec::new();
    // No more webhooks than values are wanted: each has one at least.
    for webhook in fetch_all(connection, SELECT_WEBHOOKS, params![after, limit(rows_max)], row::webhook)? {
        if page.len() >= rows_max {
            break;
        }
        page.extend(sealed_in(&webhook));
    }
    Ok(page)
}

fn signing_keys(connection: &Connection, after: i64, rows_max: usize) -> Result<Vec<Sealed>, Failure> {
    let keys = fetch_all(connection, SELECT_SIGNING_KEYS, params![after, limit(rows_max)], row::signing_key)?;
    Ok(keys.iter().map(sealed_in_key).collect())
}

fn answers(connection: &Connection, after: AnswerKey, rows_max: usize) -> Result<Vec<Sealed>, Failure> {
    let values = params![once::place(after.workspace), after.name, limit(rows_max)];
    fetch_all(connection, SELECT_ANSWERS, values, |row| {
        let mut fields = Fields::new(row, "once", 1);
        let workspace = Some(fields.id("workspace")?).filter(|workspace| *workspace != 0);
        let name = fields.blob("name")?.try_into();
        let name = name.map_err(|_| fields.corrupt("name", "it is no hash".to_owned()))?;
        let answer = AnswerKey { workspace: workspace.map(WorkspaceId::from_raw), name };
        let value = SealedSecret::from_bytes(fields.blob("sealed")?.to_vec());
        Ok(Sealed { key: SealedKey::Answer(answer), place: answer.place(), value })
    })
}
