//! What the driver of a sequence remembers: which objects there are to choose from, the time, the next id.

use signalpost_core::delivery::Due;
use signalpost_core::id::{CredentialId, DeliveryId, WebhookId, WorkspaceId};
use signalpost_core::time::Timestamp;

use super::operation::{Caller, Choice, IdOrder};
use crate::testing::sample;

/// Objects stay here when they have ended, so that verbs are tried on what is gone too.
#[derive(Default)]
pub(super) struct World {
    pub(super) workspaces: Vec<WorkspaceId>,
    pub(super) webhooks: Vec<(WorkspaceId, WebhookId)>,
    pub(super) credentials: Vec<(WorkspaceId, CredentialId)>,
    pub(super) deliveries: Vec<(WorkspaceId, DeliveryId)>,
    pub(super) in_flight: Vec<(WorkspaceId, Due)>,
    passed_ms: i64,
    last_id: i64,
}

impl World {
    /// The present; it grows with each look at it.
    pub(super) fn now(&mut self) -> Timestamp {
        self.passed_ms += 1;
        sample::at(self.passed_ms)
    }

    pub(super) fn wait(&mut self, ms: i64) {
        self.passed_ms += ms;
    }

    /// Ids in steps of ten; a late one lies five below the one before.
    pub(super) fn mint(&mut self, order: IdOrder) -> i64 {
        self.last_id += 10;
        match order {
            IdOrder::Next => self.last_id,
            IdOrder::Late => self.last_id - 15,
        }
    }

    /// The caller's workspace for an object of `owner`.
    pub(super) fn caller(&self, owner: WorkspaceId, caller: Caller) -> WorkspaceId {
        let strangers = || self.workspaces.iter().copied().find(|workspace| *workspace != owner);
        match caller {
            Caller::Owner => owner,
            Caller::Stranger => strangers().unwrap_or(WorkspaceId::from_raw(1)),
        }
    }
}

/// One of the known objects of a kind, the newest for zero; `None` while there are none.
pub(super) fn choose<T: Copy>(known: &[T], choice: Choice) -> Option<T> {
    place(known, choice).map(|place| known[place])
}

pub(super) fn place<T>(known: &[T], choice: Choice) -> Option<usize> {
    let back = usize::from(choice).checked_rem(known.len())?;
    Some(known.len() - 1 - back)
}
