//! `delivery`: one delivery with its event and its whole history.

use std::sync::Arc;

use signalpost_core::id::{DeliveryId, WorkspaceId};
use signalpost_store::ledger::{DeliveryRecord, EventKey};

use super::event;
use super::history::{Lanes, steps};
use crate::failure::Failure;
use crate::session::Session;
use signalpost_store::row::Brief;

pub(super) async fn run(
    session: &Session,
    workspace: WorkspaceId,
    id: DeliveryId,
) -> Result<Option<DeliveryRecord>, Failure> {
    let Some(event) = event::run(session, workspace, &EventKey::Ours(id.event)).await? else {
        return Ok(None);
    };
    if !event.targets.contains(&id.webhook) {
        return Ok(None);
    }
    let steps = steps(session, id).await?;
    let lanes = Lanes::of(session, std::iter::once(id.webhook)).await?;
    let summary = lanes.summary(&Brief::from(&*event), id.webhook, &steps);
    Ok(Some(DeliveryRecord { summary, event: Arc::clone(&event), steps }))
}
