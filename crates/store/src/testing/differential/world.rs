//! What the driver of a sequence remembers: which objects there are to choose from, the time, the next id.

use signalpost_core::delivery::Due;
use signalpost_core::id::{
    ActId, CredentialId, DeliveryId, OperatorAccountId, OperatorKeyId, OperatorSessionId, PortalSessionId,
    ReplayId, SigningKeyId, UserId, WebhookId, WorkspaceId,
};
use signalpost_core::idempotency::KeyedCall;
use signalpost_core::time::Timestamp;

use super::operation::{Call, Caller, Choice, IdOrder};
use crate::Once;
use crate::testing::sample;

/// Objects stay here when they have ended, so that verbs are tried on what is gone too.
#[derive(Default)]
pub(super) struct World {
    pub(super) workspaces: Vec<WorkspaceId>,
    pub(super) webhooks: Vec<(WorkspaceId, WebhookId)>,
    pub(super) signing_keys: Vec<(WorkspaceId, SigningKeyId)>,
    pub(super) credentials: Vec<(WorkspaceId, CredentialId)>,
    pub(super) users: Vec<UserId>,
    pub(super) rights: Vec<(WorkspaceId, CredentialId)>,
    pub(super) operator_keys: Vec<OperatorKeyId>,
    pub(super) operator_accounts: Vec<OperatorAccountId>,
    pub(super) operator_sessions: Vec<OperatorSessionId>,
    pub(super) portal_sessions: Vec<(WorkspaceId, PortalSessionId)>,
    pub(super) acts: Vec<ActId>,
    pub(super) deliveries: Vec<(WorkspaceId, DeliveryId)>,
    pub(super) replays: Vec<(WorkspaceId, ReplayId)>,
    pub(super) in_flight: Vec<(WorkspaceId, Due)>,
    passed_ms: i64,
    last_id: i64,
    /// When the last event was accepted whose id was the highest.
    last_accepted_at: Option<Timestamp>,
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

    /// When an event was accepted that is stored now: a late one when its id was minted, which is no later than those
    /// above it were.
    pub(super) fn accepted_at(&mut self, order: IdOrder, now: Timestamp) -> Timestamp {
        match order {
            IdOrder::Next => *self.last_accepted_at.insert(now),
            IdOrder::Late => self.last_accepted_at.unwrap_or(now),
        }
    }

    /// A call of a workspace, made at present.
    pub(super) fn once(&mut self, workspace: WorkspaceId, call: Call) -> Once {
        let call = KeyedCall { name: [call.name; 32], request: [call.said; 32] };
        Once { workspace: Some(workspace), call, at: self.now() }
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
