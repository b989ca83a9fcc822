//! `reseal`: each value only where the old one still stands.

use rusqlite::params;
use signalpost_core::id::WebhookId;
use signalpost_core::secret::SealedSecret;
use signalpost_store::vault::{AnswerKey, Resealed, SealedKey, replace_in};

use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::write::Write;
use signalpost_store::once;
use signalpost_store::pack_sealed::{pack_headers, pack_secrets};
use signalpost_store::row;
use signalpost_store::row::webhook_columns;

pub(crate) const UPDATE_KEY_CHECK: &str = "UPDATE key_check SET sealed = ?2 WHERE id = 1 AND sealed = ?1";
/// Deleted ones have nothing sealed.
pub(crate) const SELECT_WEBHOOK: &str =
    concat!("SELECT ", webhook_columns!(), " FROM webhook h WHERE h.id = ?1 AND h.deleted_at IS NULL");
pub(crate) const UPDATE_WEBHOOK: &str =
    "UPDATE webhook SET secret = ?2, previous_secrets = ?3, headers = ?4, login_password = ?5 WHERE id = ?1";
pub(crate) const UPDATE_SIGNING_KEY: &str =
    "UPDATE signing_key SET sealed = ?3 WHERE id = ?1 AND sealed = ?2";
pub(crate) const UPDATE_ANSWER: &str =
    "UPDATE once SET sealed = ?4 WHERE workspace = ?1 AND name = ?2 AND sealed = ?3";

pub(super) fn run(write: &mut Write<'_>, resealed: &[Resealed]) -> Result<usize, Failure> {
    let mut replaced = 0;
    for Resealed { key, old, new } in resealed {
        replaced += match key {
            SealedKey::KeyCheck => {
                write.statement(UPDATE_KEY_CHECK)?.execute(params![old.as_bytes(), new.as_bytes()])?
            }
            SealedKey::Webhook(id) => in_webhook(write, *id, old, new)?,
            SealedKey::SigningKey(id) => {
                let values = params![id.raw(), old.as_bytes(), new.as_bytes()];
                write.statement(UPDATE_SIGNING_KEY)?.execute(values)?
            }
            SealedKey::Answer(answer) => in_answer(write, *answer, old, new)?,
        };
    }
    Ok(replaced)
}

fn in_answer(
    write: &mut Write<'_>,
    AnswerKey { workspace, name }: AnswerKey,
    old: &SealedSecret,
    new: &SealedSecret,
) -> Result<usize, Failure> {
    let values = params![once::place(workspace), name, old.as_bytes(), new.as_bytes()];
    let replaced = write.statement(UPDATE_ANSWER)?.execute(values)?;
    if replaced > 0 {
        let length = |sealed: &SealedSecret| i64::try_from(sealed.as_bytes().len()).unwrap_or(i64::MAX);
        write.count_kept(workspace, length(new) - length(old))?;
    }
    Ok(replaced)
}

fn in_webhook(
    write: &Write<'_>,
    id: WebhookId,
    old: &SealedSecret,
    new: &SealedSecret,
) -> Result<usize, Failure> {
    let found = fetch_one(write.connection, SELECT_WEBHOOK, [id.raw()], row::webhook)?;
    let Some(mut webhook) = found else { return Ok(0) };
    if !replace_in(&mut webhook, old, new) {
        return Ok(0);
    }
    Ok(write.statement(UPDATE_WEBHOOK)?.execute(params![
        id.raw(),
        webhook.secret.as_ref().map(|secret| secret.as_bytes()),
        pack_secrets(&webhook.previous_secrets),
        pack_headers(&webhook.headers),
        webhook.login.password.as_ref().map(|password| password.as_bytes()),
    ])?)
}
