//! One delivery of a plan: owed once more, or passed over.

use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_core::limits::{DELIVERY_STEPS_MAX, REPLAY_EVENT_TARGETS_MAX, REPLAY_STEP_BYTES_MAX};
use signalpost_core::replay::{Replay, Which};
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::pack::pack_ids;
use signalpost_store::row::{Fields, targets};
use signalpost_store::weight;

use crate::failure::Failure;
use crate::ledger::requeue::{Found, begin_round, look};
use crate::session::Session;
use crate::write::Write;

/// No large column is read.
pub(crate) const SELECT_SIZE: &str =
    "SELECT id, targets, coalesce(length(attributes), 0) + length(data), payload_removed_at
    FROM message WHERE id = $1 AND workspace = $2";
pub(crate) const UPDATE: &str = "UPDATE message SET targets = $2 WHERE id = $1";

pub(super) struct Sender {
    workspace: WorkspaceId,
    target: WebhookId,
    which: Which,
    at: Timestamp,
    /// Bytes of events that were written anew.
    written: usize,
}

/// An event as far as naming a further target goes.
struct Sized {
    targets: Vec<WebhookId>,
    bytes: usize,
    payload_removed_at: Option<Timestamp>,
}

impl Sender {
    pub(super) const fn of(replay: &Replay, at: Timestamp) -> Self {
        let Replay { workspace, target, selection, .. } = replay;
        Self { workspace: *workspace, target: *target, which: selection.which, at, written: 0 }
    }

    /// Whoever publishes to the workspace waits for what is written.
    pub(super) const fn has_written_enough(&self) -> bool {
        self.written >= REPLAY_STEP_BYTES_MAX
    }

    /// Whether it is owed once more. An event that cannot be read is passed over: it must not keep the others.
    pub(super) async fn send(&mut self, write: &mut Write<'_>, event: EventId) -> Result<bool, Failure> {
        let id = DeliveryId { event, webhook: self.target };
        match self.found(write, id).await {
            Ok(Some(found)) => {
                begin_round(write, self.workspace, id, &found, self.at).await?;
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
    async fn found(&mut self, write: &mut Write<'_>, id: DeliveryId) -> Result<Option<Found>, Failure> {
        let found = match look(write, self.workspace, id).await? {
            Some(found) if self.which.sends(found.state) => Some(found),
            Some(_) => None,
            None if self.name_target(write, id.event).await? => look(write, self.workspace, id).await?,
            None => None,
        };
        Ok(found.filter(|found| found.payload_removed_at.is_none() && found.last_number < DELIVERY_STEPS_MAX))
    }

    /// Whether there is such an event with its payload, and room for a further target.
    async fn name_target(&mut self, write: &mut Write<'_>, event: EventId) -> Result<bool, Failure> {
        let Some(mut sized) = sized(write, self.workspace, event).await? else { return Ok(false) };
        if sized.payload_removed_at.is_some() || sized.targets.len() >= REPLAY_EVENT_TARGETS_MAX {
            return Ok(false);
        }
        sized.targets.push(self.target);
        let packed = pack_ids(sized.targets.iter().map(|webhook| webhook.raw()));
        self.written += sized.bytes + packed.len();
        write.execute(UPDATE, &[&event.raw(), &packed]).await?;
        write.count(self.workspace, 0, weight::of_target());
        Ok(true)
    }
}

async fn sized(session: &Session, workspace: WorkspaceId, event: EventId) -> Result<Option<Sized>, Failure> {
    session
        .one(SELECT_SIZE, &[&event.raw(), &workspace.raw()], |row| {
            let mut fields = Fields::new(row, "message", 1);
            fields.skip();
            let targets = targets(&mut fields)?;
            let bytes = fields.count("data")?;
            Ok(Sized { targets, bytes, payload_removed_at: fields.optional_time("payload_removed_at")? })
        })
        .await
}
