//! `reseal`: each value only where the old one still stands.

use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::secret::SealedSecret;
use signalpost_store::pack_sealed::{pack_headers, pack_secrets};
use signalpost_store::row::{self, Fields, webhook_columns};
use signalpost_store::vault::{AnswerKey, Resealed, SealedKey, replace_in};

use crate::failure::Failure;
use crate::locks::Locked;
use crate::session::Session;
use crate::write::Write;
use signalpost_store::once;

/// Whose webhooks and signing keys these are.
pub(crate) const SELECT_OWNERS: &str = "SELECT DISTINCT workspace FROM (
    SELECT h.workspace FROM unnest($1::bigint[]) AS k JOIN webhook h ON h.id = k
    UNION ALL SELECT s.workspace FROM unnest($2::bigint[]) AS k JOIN signing_key s ON s.id = k) AS owner";
pub(crate) const UPDATE_KEY_CHECK: &str = "UPDATE key_check SET sealed = $2 WHERE id = 1 AND sealed = $1";
/// Deleted ones have nothing sealed.
pub(crate) const SELECT_WEBHOOK: &str =
    concat!("SELECT ", webhook_columns!(), " FROM webhook h WHERE h.id = $1 AND h.deleted_at IS NULL");
pub(crate) const UPDATE_WEBHOOK: &str =
    "UPDATE webhook SET secret = $2, previous_secrets = $3, headers = $4, login_password = $5 WHERE id = $1";
pub(crate) const UPDATE_SIGNING_KEY: &str =
    "UPDATE signing_key SET sealed = $3 WHERE id = $1 AND sealed = $2";
pub(crate) const UPDATE_ANSWER: &str =
    "UPDATE once SET sealed = $4 WHERE workspace = $1 AND name = $2 AND sealed = $3";

pub(super) async fn run(write: &mut Write<'_>, resealed: &[Resealed]) -> Result<usize, Failure> {
    let locked = locked(write, resealed).await?;
    write.lock_all(&locked).await?;
    let mut replaced = 0;
    for Resealed { key, old, new } in resealed {
        let has_replaced = match key {
            SealedKey::KeyCheck => {
                write.execute(UPDATE_KEY_CHECK, &[&old.as_bytes(), &new.as_bytes()]).await? > 0
            }
            SealedKey::Webhook(id) => in_webhook(write, *id, old, new).await?,
            SealedKey::SigningKey(id) => {
                let changed =
                    write.execute(UPDATE_SIGNING_KEY, &[&id.raw(), &old.as_bytes(), &new.as_bytes()]).await?;
                changed > 0
            }
            SealedKey::Answer(answer) => in_answer(write, *answer, old, new).await?,
        };
        replaced += usize::from(has_replaced);
    }
    Ok(replaced)
}

/// What must be locked: whose the values are never changes.
async fn locked(session: &Session, resealed: &[Resealed]) -> Result<Vec<Locked>, Failure> {
    let (mut webhooks, mut signing_keys, mut locked) = (Vec::new(), Vec::new(), Vec::new());
    for Resealed { key, .. } in resealed {
        match key {
            SealedKey::KeyCheck => {}
            SealedKey::Webhook(id) => webhooks.push(id.raw()),
            SealedKey::SigningKey(id) => signing_keys.push(id.raw()),
            SealedKey::Answer(answer) => {
                locked.push(answer.workspace.map_or(Locked::OnceOutside, Locked::Workspace));
            }
        }
    }
    let owners = session
        .all(SELECT_OWNERS, &[&webhooks, &signing_keys], |row| {
            Fields::new(row, "webhook", 1).id("workspace").map(WorkspaceId::from_raw)
        })
        .await?;
    locked.extend(owners.into_iter().map(Locked::Workspace));
    Ok(locked)
}

async fn in_answer(
    write: &mut Write<'_>,
    AnswerKey { workspace, name }: AnswerKey,
    old: &SealedSecret,
    new: &SealedSecret,
) -> Result<bool, Failure> {
    let (place, name) = (once::place(workspace), name.as_slice());
    let replaced = write.execute(UPDATE_ANSWER, &[&place, &name, &old.as_bytes(), &new.as_bytes()]).await?;
    if replaced > 0 {
        let length = |sealed: &SealedSecret| i64::try_from(sealed.as_bytes().len()).unwrap_or(i64::MAX);
        write.count_kept(place, length(new) - length(old));
    }
    Ok(replaced > 0)
}

async fn in_webhook(
    write: &Write<'_>,
    id: WebhookId,
    old: &SealedSecret,
    new: &SealedSecret,
) -> Result<bool, Failure> {
    let found = write.one(SELECT_WEBHOOK, &[&id.raw()], row::webhook).await?;
    let Some(mut webhook) = found else { return Ok(false) };
    if !replace_in(&mut webhook, old, new) {
        return Ok(false);
    }
    let secret = webhook.secret.as_ref().map(|secret| secret.as_bytes());
    let password = webhook.login.password.as_ref().map(|password| password.as_bytes());
    let (previous, headers) = (pack_secrets(&webhook.previous_secrets), pack_headers(&webhook.headers));
    let changed =
        write.execute(UPDATE_WEBHOOK, &[&id.raw(), &secret, &previous, &headers, &password]).await?;
    Ok(changed > 0)
}
