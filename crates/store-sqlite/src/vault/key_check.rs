//! `key_check` and `set_key_check`: the value by which the right master key is recognised.

use rusqlite::{Connection, params};
use signalpost_core::secret::SealedSecret;

use crate::failure::Failure;
use crate::fetch::fetch_one;
use crate::write::Write;
use signalpost_store::row::Fields;

pub(crate) const SELECT: &str = "SELECT id, sealed FROM key_check WHERE id = 1";
pub(crate) const REPLACE: &str = "INSERT OR REPLACE INTO key_check (id, sealed) VALUES (1, ?1)";

pub(super) fn read(connection: &Connection) -> Result<Option<SealedSecret>, Failure> {
    fetch_one(connection, SELECT, [], |row| {
        let mut fields = Fields::new(row, "key_check", 1);
        fields.skip();
        Ok(SealedSecret::from_bytes(fields.blob("sealed")?.to_vec()))
    })
}

pub(super) fn set(write: &Write<'_>, sealed: &SealedSecret) -> Result<(), Failure> {
    write.statement(REPLACE)?.execute(params![sealed.as_bytes()])?;
    Ok(())
}
