//! `rotate_operator_key`: a successor, and an end for the key before it.

use rusqlite::params;
use signalpost_store::StoreError;
use signalpost_store::catalog::RotateOperatorKey;

use super::{create_operator_key, operator_key};
use crate::failure::Failure;
use crate::write::Write;

pub(crate) const UPDATE: &str = "UPDATE operator_key SET expires_at = ?2, successor = ?3 WHERE id = ?1";

pub(super) fn run(write: &mut Write<'_>, params: &RotateOperatorKey) -> Result<(), Failure> {
    let RotateOperatorKey { previous, ends_at, next, hash } = params;
    let found = operator_key::run(write.connection, *previous)?;
    let found = found.ok_or(StoreError::Missing("operator key"))?;
    if found.successor.is_some() {
        return Err(StoreError::WrongState("the operator key was rotated before").into());
    }
    create_operator_key::run(write, next, *hash)?;
    let ends_at = found.expires_at.map_or(*ends_at, |end| end.min(*ends_at));
    write.statement(UPDATE)?.execute(params![previous.raw(), ends_at.as_ms(), next.id.raw()])?;
    Ok(())
}
