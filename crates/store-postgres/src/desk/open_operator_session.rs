//! `open_operator_session`: one more, in place of the oldest of too many.
//!
//! A key is not locked: one that is revoked at the same moment takes the session along, for that is looked at with its key. An
//! account is, for its password may change at the same moment. Of two that are opened at once either may find one too many.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::OperatorSessionId;
use signalpost_core::limits::OPERATOR_SESSIONS_MAX;
use signalpost_core::operator_session::{Opener, OperatorSession};
use signalpost_core::password::PasswordHash;
use signalpost_core::role::Role;
use signalpost_store::StoreError;
use signalpost_store::change::Change;
use signalpost_store::row::{self, Fields, operator_account_columns};

use super::{MISSING_ACCOUNT, end_operator_session};
use crate::catalog::operator_key;
use crate::failure::Failure;
use crate::session::limit;
use crate::write::Write;

pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM operator_session WHERE hash = $1";
/// Until the end of the transaction it neither changes nor goes.
pub(crate) const LOCK_ACCOUNT: &str = concat!(
    "SELECT ",
    operator_account_columns!(),
    ", password FROM operator_account WHERE id = $1 FOR SHARE"
);
/// There is one as a rule.
pub(crate) const SELECT_CROWDED_OUT: &str = "SELECT id FROM operator_session
    WHERE opener = $1 AND opener_id = $2 ORDER BY id DESC LIMIT $3 OFFSET $3";
pub(crate) const INSERT: &str = "INSERT INTO operator_session
    (id, hash, opener, opener_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";

pub(super) async fn run(
    write: &mut Write<'_>,
    session: &OperatorSession,
    hash: CredentialHash,
    verified: Option<&PasswordHash>,
) -> Result<(), Failure> {
    let hash = hash.0.as_slice();
    if write.exists(IS_TAKEN, &[&hash]).await? {
        return Err(StoreError::Taken("operator session").into());
    }
    check_opener(write, session.opener, verified).await?;
    make_room(write, session.opener).await?;
    let (opener, opener_id) = session.opener.parts();
    let OperatorSession { id, created_at, expires_at, .. } = session;
    let (created_at, expires_at) = (created_at.as_ms(), expires_at.as_ms());
    write.execute(INSERT, &[&id.raw(), &hash, &opener, &opener_id, &created_at, &expires_at]).await?;
    write.news.note_id(id.raw());
    Ok(())
}

async fn check_opener(
    write: &Write<'_>,
    opener: Opener,
    verified: Option<&PasswordHash>,
) -> Result<(), Failure> {
    match opener {
        Opener::Root { .. } => {}
        Opener::Key(id) => {
            let key = operator_key::run(write, id).await?.ok_or(StoreError::Missing("operator key"))?;
            Role::of_scopes(&key.scopes).ok_or(StoreError::WrongState("the key may only publish"))?;
        }
        Opener::Account(id) => {
            let found = write.one(LOCK_ACCOUNT, &[&id.raw()], row::operator_login).await?;
            let known = found.ok_or(MISSING_ACCOUNT)?.password;
            verified.filter(|verified| **verified == known).ok_or(MISSING_ACCOUNT)?;
        }
    }
    Ok(())
}

async fn make_room(write: &mut Write<'_>, opener: Opener) -> Result<(), Failure> {
    let (opener, opener_id) = opener.parts();
    let crowded_out = write
        .all(SELECT_CROWDED_OUT, &[&opener, &opener_id, &limit(OPERATOR_SESSIONS_MAX - 1)], |row| {
            Fields::new(row, "operator_session", 1).integer("id")
        })
        .await?;
    if crowded_out.is_empty() {
        return Ok(());
    }
    end_operator_session::remove(write, &crowded_out).await?;
    for id in crowded_out {
        write.note_change(Change::OperatorSession(OperatorSessionId::from_raw(id)));
    }
    Ok(())
}
