//! `accept_once`: as `accept`, with the answer kept for whoever makes the same call again.

use signalpost_store::ledger::Accepted;
use signalpost_store::pack_accepted::{pack_accepted, unpack_accepted};
use signalpost_store::{Once, StoreError};

use crate::catalog::once::{self, Kept};
use crate::failure::Failure;
use crate::session::Session;
use crate::write::Write;

/// The first answer to a call, if it is one that happens once and was made; or the refusal of it.
pub(super) async fn before(
    session: &Session,
    once: Option<Once>,
) -> Result<Result<Option<Vec<Accepted>>, StoreError>, Failure> {
    let Some(once) = once else { return Ok(Ok(None)) };
    let found = once::recall(session, once, |fields| {
        let Some(blob) = fields.optional_blob("accepted")? else { return Ok(None) };
        unpack_accepted(blob).map(Some).map_err(|problem| fields.corrupt("accepted", problem))
    });
    match found.await {
        Ok(found) => Ok(Ok(found)),
        Err(Failure::Refused(refusal)) => Ok(Err(refusal)),
        Err(failure) => Err(failure),
    }
}

pub(super) async fn remember(
    write: &mut Write<'_>,
    once: Once,
    accepted: &[Accepted],
) -> Result<(), Failure> {
    once::remember(write, once, Kept::Accepted(&pack_accepted(accepted))).await
}
