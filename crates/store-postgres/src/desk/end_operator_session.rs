//! `end_operator_session`: the row goes, its id is remembered as used.

use signalpost_core::id::OperatorSessionId;
use signalpost_core::operator_session::Opener;
use signalpost_store::StoreError;
use signalpost_store::change::Change;
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::meta;
use crate::session::Session;
use crate::write::Write;

pub(crate) const DELETE_OF_OPENER: &str =
    "DELETE FROM operator_session WHERE opener = $1 AND opener_id = $2 RETURNING id";
pub(crate) const DELETE: &str = "DELETE FROM operator_session WHERE id = ANY($1::bigint[])";

pub(super) async fn run(write: &mut Write<'_>, session: OperatorSessionId) -> Result<(), Failure> {
    // Whoever is faster has it; nobody else writes to the row.
    if remove(write, &[session.raw()]).await? == 0 {
        return Err(StoreError::Missing("operator session").into());
    }
    write.note_change(Change::OperatorSession(session));
    Ok(())
}

/// There are [`signalpost_core::limits::OPERATOR_SESSIONS_MAX`] as a rule.
pub(super) async fn remove_all_of(session: &Session, opener: Opener) -> Result<(), Failure> {
    let (opener, opener_id) = opener.parts();
    let gone = session
        .all(DELETE_OF_OPENER, &[&opener, &opener_id], |row| {
            Fields::new(row, "operator_session", 1).integer("id")
        })
        .await?;
    match gone.iter().max() {
        Some(highest) => meta::raise(session, meta::HIGHEST_DELETED_ID, *highest).await,
        None => Ok(()),
    }
}

/// How many of them were there.
pub(super) async fn remove(session: &Session, ids: &[i64]) -> Result<u64, Failure> {
    let gone = session.execute(DELETE, &[&ids]).await?;
    if let Some(highest) = ids.iter().max().filter(|_| gone > 0) {
        meta::raise(session, meta::HIGHEST_DELETED_ID, *highest).await?;
    }
    Ok(gone)
}
