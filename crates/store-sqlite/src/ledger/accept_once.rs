//! `accept_once`: as `accept`, with the answer kept for whoever makes the same call again.

use rusqlite::Connection;
use signalpost_store::ledger::Accepted;
use signalpost_store::{Done, Once, StoreError};

use super::accept::{self, Incoming};
use crate::catalog::once::{Kept, recall, remember};
use crate::failure::Failure;
use crate::write::Write;
use signalpost_store::pack_accepted::{pack_accepted, unpack_accepted};

pub(super) fn run(
    write: &mut Write<'_>,
    incoming: &mut [Incoming],
    once: Once,
) -> Result<Done<Vec<Accepted>, Vec<Accepted>>, Failure> {
    if let Some(before) = accepted_before(write.connection, once)? {
        return Ok(Done::Before(before));
    }
    let accepted = accept::run(write, incoming)?;
    remember(write, once, Kept::Accepted(&pack_accepted(&accepted)))?;
    Ok(Done::Now(accepted))
}

/// The first answer, or the refusal of a full disk when there is none.
pub(super) fn before(
    connection: &Connection,
    once: Once,
) -> Result<Done<Vec<Accepted>, Vec<Accepted>>, Failure> {
    let before = accepted_before(connection, once)?;
    Ok(Done::Before(before.ok_or(StoreError::Full)?))
}

fn accepted_before(connection: &Connection, once: Once) -> Result<Option<Vec<Accepted>>, Failure> {
    recall(connection, once, |fields| {
        let Some(blob) = fields.optional_blob("accepted")? else { return Ok(None) };
        unpack_accepted(blob).map(Some).map_err(|problem| fields.corrupt("accepted", problem))
    })
}
