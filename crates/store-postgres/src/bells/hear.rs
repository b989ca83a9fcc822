//! Hearing what others tell.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate's edge to the world: timers of a runtime of its own"
)]

use std::sync::PoisonError;
use std::time::Duration;

use futures_channel::mpsc::UnboundedReceiver;
use futures_util::StreamExt;
use signalpost_core::id::{DeliveryId, WebhookId};
use signalpost_core::lane_group::LaneGroup;
use signalpost_store::ledger::DueLane;

use super::Owed;
use super::message::{self, Message};
use crate::connect::Connector;
use crate::failure::Failure;
use crate::locks;
use crate::queue::Queues;
use crate::session::Session;
use crate::shared::Shared;

/// How often a connection on which nothing comes is used, so that one that only looks open is found out.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// Hears what others tell, until the store is closed.
pub(crate) async fn hear(connector: &Connector, shared: &Shared, queues: &Queues) {
    while !queues.is_closed() {
        match listen(connector, shared).await {
            Ok((session, told)) => {
                // Nobody knows what was told before.
                shared.board.ownership.tell();
                shared.bells.changed.notify_one();
                shared.bells.seen.notify_waiters();
                hear_on(&session, told, shared).await;
            }
            Err(failure) => tracing::debug!(problem = failure.describe(), "other nodes cannot be heard"),
        }
        tokio::time::sleep(RETRY_EVERY).await;
    }
}

async fn listen(
    connector: &Connector,
    shared: &Shared,
) -> Result<(Session, UnboundedReceiver<String>), Failure> {
    let (session, told) = connector.connect_to_hear().await?;
    session.batch(&format!("LISTEN {}", locks::channel(shared.schema_key))).await?;
    Ok((session, told))
}

/// Until the connection is lost.
async fn hear_on(session: &Session, mut told: UnboundedReceiver<String>, shared: &Shared) {
    loop {
        match tokio::time::timeout(LOOK_EVERY, told.next()).await {
            Ok(Some(text)) => match message::read(&text, shared.origin) {
                Some(Message::Owed(owed)) => ring_for(shared, owed),
                Some(Message::Changed) => shared.bells.changed.notify_one(),
                Some(Message::Seen) => shared.bells.seen.notify_waiters(),
                Some(Message::Given) => shared.board.groups_moved.notify_one(),
                None => {}
            },
            Ok(None) => return,
            Err(_elapsed) if session.answers().await => {}
            Err(_elapsed) => return,
        }
    }
}

/// Tells whoever delivers here of those webhooks that are ours.
fn ring_for(shared: &Shared, owed: Vec<(WebhookId, Owed)>) {
    let ownership = &shared.board.ownership;
    let listener = shared.board.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(listener) = listener else { return };
    // It is due, whatever the clock of whoever has committed it says.
    let first_due_at = shared.clock.now();
    let (mut lanes, mut deliveries) = (Vec::new(), Vec::new());
    for (webhook, owed) in owed {
        match owed {
            _ if ownership.epoch_of(LaneGroup::of(webhook)).is_none() => {}
            Owed::Something => lanes.push(DueLane { webhook, first_due_at }),
            Owed::Events(events) => {
                deliveries.extend(events.into_iter().map(|event| DeliveryId { event, webhook }));
            }
        }
    }
    if !lanes.is_empty() {
        listener.owed(lanes);
    }
    if !deliveries.is_empty() {
        listener.accepted_elsewhere(&deliveries);
    }
}
