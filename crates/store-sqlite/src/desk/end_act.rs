//! `end_act`: what came of an act.

use rusqlite::params;
use signalpost_core::act::ActResult;
use signalpost_core::id::ActId;
use signalpost_store::StoreError;
use signalpost_store::desk::check_end;
use signalpost_store::row::{self, Fields};

use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::write::Write;

pub(crate) const SELECT: &str = "SELECT id, result, status FROM operator_act WHERE id = ?1";
pub(crate) const UPDATE: &str = "UPDATE operator_act SET result = ?2, status = ?3 WHERE id = ?1";

pub(super) fn run(write: &Write<'_>, act: ActId, result: ActResult) -> Result<(), Failure> {
    let found = fetch_one(write.connection, SELECT, [act.raw()], |row| {
        let mut fields = Fields::new(row, "operator_act", 1);
        fields.skip();
        row::act_result(&mut fields)
    })?;
    check_end(found.ok_or(StoreError::Missing("act"))?, result)?;
    let (name, status) = result.parts();
    write.statement(UPDATE)?.execute(params![act.raw(), name, status])?;
    Ok(())
}
