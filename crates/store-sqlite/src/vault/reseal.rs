//! `reseal`: each value only where the old one still stands.

use rusqlite::params;
use signalpost_store::vault::{AnswerKey, Resealed, SealedKey};

use crate::catalog::once;
use crate::failure::Failure;
use crate::write::Write;

pub(crate) const UPDATE_KEY_CHECK: &str = "UPDATE key_check SET sealed = ?2 WHERE id = 1 AND sealed = ?1";
pub(crate) const UPDATE_WEBHOOK: &str = "UPDATE webhook SET secret = ?3 WHERE id = ?1 AND secret = ?2";
pub(crate) const UPDATE_ANSWER: &str =
    "UPDATE once SET sealed = ?4 WHERE workspace = ?1 AND name = ?2 AND sealed = ?3";

pub(super) fn run(write: &Write<'_>, resealed: &[Resealed]) -> Result<usize, Failure> {
    let mut replaced = 0;
    for Resealed { key, old, new } in resealed {
        let (old, new) = (old.as_bytes(), new.as_bytes());
        replaced += match key {
            SealedKey::KeyCheck => write.statement(UPDATE_KEY_CHECK)?.execute(params![old, new])?,
            SealedKey::WebhookSecret(id) => {
                write.statement(UPDATE_WEBHOOK)?.execute(params![id.raw(), old, new])?
            }
            SealedKey::Answer(AnswerKey { workspace, name }) => {
                let values = params![once::place(*workspace), name, old, new];
                write.statement(UPDATE_ANSWER)?.execute(values)?
            }
        };
    }
    Ok(replaced)
}
