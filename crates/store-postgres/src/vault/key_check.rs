//! `key_check` and `set_key_check`: the value by which the right master key is recognised.

use signalpost_core::secret::SealedSecret;
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::session::Session;
use crate::write::Write;

pub(crate) const SELECT: &str = "SELECT id, sealed FROM key_check WHERE id = 1";
pub(crate) const REPLACE: &str = "INSERT INTO key_check (id, sealed) VALUES (1, $1)
    ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed";

pub(crate) async fn read(session: &Session) -> Result<Option<SealedSecret>, Failure> {
    session
        .one(SELECT, &[], |row| {
            let mut fields = Fields::new(row, "key_check", 1);
            fields.skip();
            Ok(SealedSecret::from_bytes(fields.blob("sealed")?.to_vec()))
        })
        .await
}

pub(super) async fn set(write: &Write<'_>, sealed: &SealedSecret) -> Result<(), Failure> {
    write.execute(REPLACE, &[&sealed.as_bytes()]).await?;
    Ok(())
}
