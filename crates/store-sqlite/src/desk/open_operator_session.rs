//! `open_operator_session`: one more, in place of the oldest of too many.

use rusqlite::params;
use signalpost_core::credential::CredentialHash;
use signalpost_core::limits::OPERATOR_SESSIONS_MAX;
use signalpost_core::operator_session::{Opener, OperatorSession};
use signalpost_core::password::PasswordHash;
use signalpost_core::role::Role;
use signalpost_store::StoreError;
use signalpost_store::row::Fields;

use super::{MISSING_ACCOUNT, end_operator_session, operator_account};
use crate::catalog::operator_key;
use crate::failure::Failure;
use crate::fetch::{exists, fetch_all, limit};
use crate::write::Write;

pub(crate) const IS_TAKEN: &str = "SELECT 1 FROM operator_session WHERE hash = ?1";
/// There is one at most, unless fewer were permitted before.
pub(crate) const SELECT_CROWDED_OUT: &str = "SELECT id FROM operator_session
    WHERE opener = ?1 AND opener_id = ?2 ORDER BY id DESC LIMIT ?3 OFFSET ?3";
pub(crate) const INSERT: &str = "INSERT INTO operator_session
    (id, hash, opener, opener_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

pub(super) fn run(
    write: &mut Write<'_>,
    session: &OperatorSession,
    hash: CredentialHash,
    verified: Option<&PasswordHash>,
) -> Result<(), Failure> {
    if exists(write.connection, IS_TAKEN, [hash.0])? {
        return Err(StoreError::Taken("operator session").into());
    }
    check_opener(write, session.opener, verified)?;
    let (opener, opener_id) = session.opener.parts();
    let values = params![opener, opener_id, limit(OPERATOR_SESSIONS_MAX - 1)];
    let crowded_out = fetch_all(write.connection, SELECT_CROWDED_OUT, values, |row| {
        Fields::new(row, "operator_session", 1).integer("id")
    })?;
    for id in crowded_out {
        end_operator_session::remove(write, id)?;
    }
    let OperatorSession { id, created_at, expires_at, .. } = session;
    let values = params![id.raw(), hash.0, opener, opener_id, created_at.as_ms(), expires_at.as_ms()];
    write.statement(INSERT)?.execute(values)?;
    write.news.note_id(id.raw());
    Ok(())
}

fn check_opener(write: &Write<'_>, opener: Opener, verified: Option<&PasswordHash>) -> Result<(), Failure> {
    match opener {
        Opener::Root { .. } => {}
        Opener::Key(id) => {
            let key = operator_key::run(write.connection, id)?.ok_or(StoreError::Missing("operator key"))?;
            Role::of_scopes(&key.scopes).ok_or(StoreError::WrongState("the key may only publish"))?;
        }
        Opener::Account(id) => {
            let found = operator_account::run(write.connection, id)?.ok_or(MISSING_ACCOUNT)?;
            verified.filter(|verified| **verified == found.password).ok_or(MISSING_ACCOUNT)?;
        }
    }
    Ok(())
}
