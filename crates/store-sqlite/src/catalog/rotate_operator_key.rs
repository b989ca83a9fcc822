//! `rotate_operator_key`: a successor, and an end for the key before it.

use rusqlite::params;
use signalpost_store::StoreError;
use signalpost_store::catalog::RotateOperatorKey;

use super::{create_operator_key, operator_key};
use crate::failure::Failure;
use crate::write::Write;

pub(crate) const UPDATE: &str = "UPDATE operator_key SET expires_at = ?2 WHERE id = ?1";

pub(super) fn run(write: &mut Write<'_>, params: &RotateOperatorKey) -> Result<(), Failure> {
    let RotateOperatorKey { previous, seen_expires_at, ends_at, next, hash } = params;
    let found = operator_key::run(write.connection, *previous)?;
    let found = found.ok_or(StoreError::Missing("operator key"))?;
    if found.expires_at != *seen_expires_at {
        return Err(StoreError::WrongState("the operator key has changed meanwhile").into());
    }
    create_operator_key::run(write, next, *hash)?;
    let ends_at = seen_expires_at.map_or(*ends_at, |seen| seen.min(*ends_at));
    write.statement(UPDATE)?.execute(params![previous.raw(), ends_at.as_ms()])?;
    Ok(())
}
