//! What the memory model holds, and the few questions that every verb asks of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use signalpost_core::act::Act;
use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::delivery::{Cut, CutReason, Due, Step};
use signalpost_core::event::{Event, Sequence};
use signalpost_core::figures::{Figures, FiguresKey};
use signalpost_core::id::{
    ActId, CredentialId, DeliveryId, EventId, OperatorAccountId, OperatorKeyId, OperatorSessionId,
    PortalSessionId, ReplayId, SigningKeyId, UserId, WebhookId, WorkspaceId,
};
use signalpost_core::id_form::Counter;
use signalpost_core::idempotency::kept_bytes;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::operator_session::OperatorSession;
use signalpost_core::password::PasswordHash;
use signalpost_core::portal_session::PortalSession;
use signalpost_core::replay::Replay;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::time::Timestamp;
use signalpost_core::user::{Right, Session, User};
use signalpost_core::webhook::{Tombstone, Webhook};
use signalpost_core::workspace::Workspace;

use crate::ledger::Accepted;

/// What the answer to one event is thought to take.
const ACCEPTED_BYTES: usize = 16;

#[derive(Clone, Default)]
pub(super) struct Data {
    pub(super) workspaces: BTreeMap<WorkspaceId, WorkspaceRow>,
    /// Public ids of workspaces that were ever used.
    pub(super) workspace_names: BTreeSet<String>,
    /// The last number taken of each.
    pub(super) counters: BTreeMap<Counter, i64>,
    pub(super) webhooks: BTreeMap<WebhookId, WebhookRow>,
    pub(super) signing_keys: BTreeMap<SigningKeyId, SigningKeyRow>,
    pub(super) credentials: BTreeMap<CredentialId, (Credential, CredentialHash)>,
    pub(super) users: BTreeMap<UserId, (User, PasswordHash)>,
    pub(super) rights: BTreeMap<CredentialId, Right>,
    pub(super) sessions: BTreeMap<UserId, (Session, CredentialHash)>,
    pub(super) operator_keys: BTreeMap<OperatorKeyId, (OperatorKey, CredentialHash)>,
    pub(super) operator_accounts: BTreeMap<OperatorAccountId, (OperatorAccount, PasswordHash)>,
    pub(super) operator_sessions: BTreeMap<OperatorSessionId, (OperatorSession, CredentialHash)>,
    pub(super) portal_sessions: BTreeMap<PortalSessionId, (PortalSession, CredentialHash)>,
    pub(super) acts: BTreeMap<ActId, Act>,
    /// Calls that happen once, by their workspace and name.
    pub(super) once: BTreeMap<OnceKey, OnceRow>,
    /// Calls kept so far, those that are gone too.
    pub(super) calls: u64,
    /// Of those, how many went before their time.
    pub(super) calls_forgotten: u64,
    pub(super) events: BTreeMap<EventId, EventRow>,
    /// History of each delivery by number.
    pub(super) steps: BTreeMap<DeliveryId, BTreeMap<u32, Step>>,
    pub(super) due: BTreeMap<DeliveryId, Due>,
    /// Those of `due` that were given up and block their keys.
    pub(super) blocked: BTreeSet<DeliveryId>,
    /// What has come to be owed as the first of its key, until the listener was told.
    pub(super) released: Vec<Due>,
    /// Webhooks of closed workspaces, each with the last event that it waits for.
    pub(super) leaving: BTreeMap<WebhookId, EventId>,
    pub(super) replays: BTreeMap<ReplayId, ReplayRow>,
    pub(super) figures: BTreeMap<FiguresKey, Figures>,
    pub(super) highest_id: i64,
    pub(super) key_check: Option<SealedSecret>,
}

#[derive(Clone)]
pub(super) struct WorkspaceRow {
    pub(super) workspace: Workspace,
    /// Grows with every change that may change who receives an event.
    pub(super) version: u64,
    /// The last number that an event or a requeue took.
    pub(super) sequence: Sequence,
    /// The highest place of what retention has removed, an event or its payload.
    pub(super) expired_through: Sequence,
    /// Links to the portal of this instant or before it open nothing.
    pub(super) portal_ended_at: Option<Timestamp>,
    pub(super) life: Life,
}

#[derive(Clone)]
pub(super) struct WebhookRow {
    pub(super) webhook: Webhook,
    pub(super) cuts: Vec<Cut>,
    pub(super) life: Life,
    /// What is left of one that was deleted by itself.
    pub(super) tombstone: Option<Tombstone>,
}

#[derive(Clone)]
pub(super) struct SigningKeyRow {
    pub(super) key: SigningKey,
    pub(super) life: Life,
}

#[derive(Clone)]
pub(super) struct EventRow {
    pub(super) event: Arc<Event>,
    /// Set when the producer's id identifies the event.
    pub(super) fingerprint: Option<[u8; 32]>,
}

#[derive(Clone)]
pub(super) struct ReplayRow {
    pub(super) replay: Replay,
    /// Empty when it has ended.
    pub(super) plan: BTreeSet<EventId>,
}

/// The workspace of a call, and its name.
pub(super) type OnceKey = (Option<WorkspaceId>, [u8; 32]);

#[derive(Clone)]
pub(super) struct OnceRow {
    /// Its place in order of arrival.
    pub(super) number: u64,
    pub(super) at: Timestamp,
    pub(super) request: [u8; 32],
    pub(super) answer: OnceAnswer,
}

#[derive(Clone)]
pub(super) enum OnceAnswer {
    Accepted(Vec<Accepted>),
    Sealed(SealedSecret),
}

/// Ended rows stay: their public ids are taken and their deliveries keep their names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Living,
    Ended,
}

impl OnceRow {
    pub(super) fn bytes(&self) -> u64 {
        kept_bytes(match &self.answer {
            OnceAnswer::Accepted(accepted) => ACCEPTED_BYTES * accepted.len(),
            OnceAnswer::Sealed(sealed) => sealed.as_bytes().len(),
        })
    }
}

impl WorkspaceRow {
    pub(super) fn next_sequence(&mut self) -> Sequence {
        self.sequence.0 += 1;
        self.sequence
    }
}

impl WebhookRow {
    /// Whether a round that began at `born` was ended by one of the cuts.
    pub(super) fn has_ended(&self, born: Sequence) -> bool {
        self.cuts.iter().any(|cut| cut.upto >= born)
    }
}

impl Data {
    pub(super) fn note_id(&mut self, raw: i64) {
        self.highest_id = self.highest_id.max(raw);
    }

    pub(super) fn living_workspace(&self, id: WorkspaceId) -> Option<&WorkspaceRow> {
        self.workspaces.get(&id).filter(|row| row.life == Life::Living)
    }

    pub(super) fn living_workspace_mut(&mut self, id: WorkspaceId) -> Option<&mut WorkspaceRow> {
        self.workspaces.get_mut(&id).filter(|row| row.life == Life::Living)
    }

    /// A webhook of this workspace that was not deleted. Erasing a workspace deletes all of its webhooks.
    pub(super) fn living_webhook(&self, workspace: WorkspaceId, id: WebhookId) -> Option<&WebhookRow> {
        let row = self.webhooks.get(&id)?;
        (row.webhook.workspace == workspace && row.life == Life::Living).then_some(row)
    }

    pub(super) fn living_webhook_mut(
        &mut self,
        workspace: WorkspaceId,
        id: WebhookId,
    ) -> Option<&mut WebhookRow> {
        let row = self.webhooks.get_mut(&id)?;
        (row.webhook.workspace == workspace && row.life == Life::Living).then_some(row)
    }

    pub(super) fn living_webhooks_of(&self, workspace: WorkspaceId) -> impl Iterator<Item = &WebhookRow> {
        self.webhooks
            .values()
            .filter(move |row| row.webhook.workspace == workspace && row.life == Life::Living)
    }

    /// Events of a living workspace, oldest first.
    pub(super) fn events_of(&self, workspace: WorkspaceId) -> impl DoubleEndedIterator<Item = &EventRow> {
        let found = self.living_workspace(workspace).is_some();
        self.events.values().filter(move |row| found && row.event.workspace == workspace)
    }

    pub(super) fn bump_version(&mut self, workspace: WorkspaceId) {
        self.workspaces.get_mut(&workspace).expect("its webhooks exist").version += 1;
    }

    /// The last number that the workspace of a webhook has taken.
    pub(super) fn sequence_of(&self, workspace: WorkspaceId) -> Sequence {
        self.workspaces[&workspace].sequence
    }

    /// Ends everything that is pending for a webhook at this moment.
    pub(super) fn cut(&mut self, id: WebhookId, at: Timestamp, reason: CutReason) {
        let row = self.webhooks.get_mut(&id).expect("the caller has found it");
        let upto = self.workspaces[&row.webhook.workspace].sequence;
        row.cuts.push(Cut { upto, at, reason });
        // What came to be the first of its key a moment ago has ended with the rest.
        self.released.retain(|due| due.id.webhook != id || due.born > upto);
    }
}
