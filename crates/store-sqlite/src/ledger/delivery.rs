//! `delivery`: one delivery with its event and its whole history.

use std::sync::Arc;

use rusqlite::Connection;
use signalpost_core::id::{DeliveryId, WorkspaceId};
use signalpost_store::ledger::{DeliveryRecord, EventKey};

use super::event;
use super::history::{Lanes, steps};
use crate::failure::Failure;
use signalpost_store::row::Brief;

pub(super) fn run(
    connection: &Connection,
    workspace: WorkspaceId,
    id: DeliveryId,
) -> Result<Option<DeliveryRecord>, Failure> {
    let Some(event) = event::run(connection, workspace, &EventKey::Ours(id.event))? else { return Ok(None) };
    if !event.targets.contains(&id.webhook) {
        return Ok(None);
    }
    let steps = steps(connection, id)?;
    let summary = Lanes::default().summary_of(connection, &Brief::from(&*event), id.webhook, &steps)?;
    Ok(Some(DeliveryRecord { summary, event: Arc::clone(&event), steps }))
}
