//! `end_operator_session`: the row goes, its id is remembered as used.

use signalpost_core::id::OperatorSessionId;
use signalpost_store::StoreError;
use signalpost_store::change::Change;

use crate::failure::Failure;
use crate::meta;
use crate::session::Session;
use crate::write::Write;

pub(crate) const DELETE: &str = "DELETE FROM operator_session WHERE id = ANY($1::bigint[])";

pub(super) async fn run(write: &mut Write<'_>, session: OperatorSessionId) -> Result<(), Failure> {
    // Whoever is faster has it; nobody else writes to the row.
    if remove(write, &[session.raw()]).await? == 0 {
        return Err(StoreError::Missing("operator session").into());
    }
    write.note_change(Change::OperatorSession(session));
    Ok(())
}

/// How many of them were there.
pub(super) async fn remove(session: &Session, ids: &[i64]) -> Result<u64, Failure> {
    let gone = session.execute(DELETE, &[&ids]).await?;
    if let Some(highest) = ids.iter().max().filter(|_| gone > 0) {
        meta::raise(session, meta::HIGHEST_DELETED_ID, *highest).await?;
    }
    Ok(gone)
}
