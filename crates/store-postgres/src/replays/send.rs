//! One delivery of a plan: owed once more, or passed over.

use signalpost_core::id::{DeliveryId, EventId};
use signalpost_core::limits::DELIVERY_STEPS_MAX;
use signalpost_store::StoreError;
use signalpost_store::replays::Sender;
use signalpost_store::row::sized_event;
use signalpost_store::weight;

use crate::failure::Failure;
use crate::ledger::requeue::{Found, begin_round, look};
use crate::write::Write;

/// No large column is read.
pub(crate) const SELECT_SIZE: &str =
    "SELECT id, targets, coalesce(length(attributes), 0) + length(data), payload_removed_at
    FROM message WHERE id = $1 AND workspace = $2";
pub(crate) const UPDATE: &str = "UPDATE message SET targets = $2 WHERE id = $1";

/// Whether it is owed once more. An event that cannot be read is passed over: it must not keep the others.
pub(super) async fn send(
    write: &mut Write<'_>,
    sender: &mut Sender,
    event: EventId,
) -> Result<bool, Failure> {
    let id = DeliveryId { event, webhook: sender.target };
    match found(write, sender, id).await {
        Ok(Some(found)) => {
            begin_round(write, sender.workspace, id, &found, sender.at).await?;
            Ok(true)
        }
        Ok(None) => Ok(false),
        Err(Failure::Refused(problem @ StoreError::Corrupt { .. })) => {
            tracing::error!(event = event.raw(), %problem, "an event cannot be read and is not replayed");
            Ok(false)
        }
        Err(failure) => Err(failure),
    }
}

/// What is to be sent; from here on its event is meant for the target.
async fn found(write: &mut Write<'_>, sender: &mut Sender, id: DeliveryId) -> Result<Option<Found>, Failure> {
    let found = match look(write, sender.workspace, id).await? {
        Some(found) if sender.which.sends(found.state) => Some(found),
        Some(_) => None,
        None if name_target(write, sender, id.event).await? => look(write, sender.workspace, id).await?,
        None => None,
    };
    Ok(found.filter(|found| found.payload_removed_at.is_none() && found.last_number < DELIVERY_STEPS_MAX))
}

/// Whether there is such an event with its payload, and room for a further target.
async fn name_target(write: &mut Write<'_>, sender: &mut Sender, event: EventId) -> Result<bool, Failure> {
    let sized = write.one(SELECT_SIZE, &[&event.raw(), &sender.workspace.raw()], sized_event).await?;
    let Some(packed) = sized.and_then(|sized| sender.named_in(sized)) else { return Ok(false) };
    write.execute(UPDATE, &[&event.raw(), &packed]).await?;
    write.count(sender.workspace, 0, weight::of_target());
    Ok(true)
}
