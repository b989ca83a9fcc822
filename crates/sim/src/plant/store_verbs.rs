//! Every verb of the storage contract on [`PlantedStore`]: most go through as they are.

use std::future::ready;
use std::sync::Arc;

use futures_util::FutureExt;
use signalpost_core::act::{Act, ActResult};
use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::delivery::Due;
use signalpost_core::event::Event;
use signalpost_core::id::{
    ActId, CredentialId, DeliveryId, EventId, OperatorAccountId, OperatorKeyId, OperatorSessionId,
    PortalSessionId, ReplayId, UserId, WebhookId, WorkspaceId,
};
use signalpost_core::id_form::Counter;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::operator_session::OperatorSession;
use signalpost_core::order::OnExhausted;
use signalpost_core::password::PasswordHash;
use signalpost_core::portal_session::PortalSession;
use signalpost_core::replay::Replay;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::time::Timestamp;
use signalpost_core::user::{Right, Session, User};
use signalpost_core::webhook::{DisableReason, Remembered, Webhook};
use signalpost_core::workspace::Workspace;
use signalpost_store::catalog::{
    Account, Catalog, CloseWorkspace, CreateUser, CreateWebhook, DeleteSigningKey, DeleteWebhook,
    EraseWorkspace, FanOut, HeldRight, LaneRecord, ListOperatorKeys, ListWebhooks, ListWorkspaces,
    OpenSession, RememberedWebhooks, RotateOperatorKey, Switch, UpdateWebhook, UpdateWorkspace, WebhookPage,
};
use signalpost_store::desk::{
    ActPage, Desk, ListActs, ListOperatorAccounts, ListOperatorSessions, OpenOperatorSession, OperatorLogin,
    UpdateOperatorAccount,
};
use signalpost_store::ledger::{
    AcceptEvent, Accepted, CommitListener, DeliveryPage, DeliveryRecord, DueLane, DueLanes, DuePage,
    EventKey, EventPage, Feed, Finished, Ledger, ListDeliveries, ListEvents, ReadFeed, Requeue, RequeueLost,
    Retain, Retained, Storage, Usage,
};
use signalpost_store::portal::{OpenPortalSession, Portal};
use signalpost_store::replays::{
    BusyReplays, ChangeReplay, ListReplays, PlanReplay, Replays, StepReplay, Stepped,
};
use signalpost_store::rollups::{
    FailingWebhook, FiguresBatch, FiguresPage, ListFigures, Rollups, TopFailing,
};
use signalpost_store::vault::{Resealed, Sealed, SealedPage, Vault};
use signalpost_store::{
    Answer, Cluster, Done, Effect, Named, Once, Ownership, forward, forward_desk, forward_portal,
    forward_replays, forward_rollups, forward_vault,
};

use crate::plant::Plant;
use crate::plant::outcomes::pretend_ends;
use crate::plant::store::{
    PlantedStore, as_if_unchanged, bent, pretend, swapped, swapped_event, without_first,
};
use crate::trouble::Retention;

/// The part of all events that is missing in feeds, one in so many.
const HIDDEN_PARTS: i64 = 16;
/// How much earlier retries come that come early.
const EARLY_MS: i64 = 2_000;

impl Catalog for PlantedStore {
    forward! { through
        fn create_workspace(workspace: Workspace) -> ();
        fn workspace_by_public_id(public_id: String) -> Option<Workspace>;
        fn list_workspaces(params: ListWorkspaces) -> Vec<Workspace>;
        fn update_workspace(params: UpdateWorkspace) -> Workspace;
        fn erase_workspace(params: EraseWorkspace) -> Vec<WebhookId>;
        fn next_number(counter: Counter) -> i64;
        fn webhook(workspace: WorkspaceId, public_id: String) -> Option<Webhook>;
        fn list_webhooks(params: ListWebhooks) -> WebhookPage;
        fn create_signing_key(key: SigningKey) -> ();
        fn signing_key(workspace: WorkspaceId, public_id: String) -> Option<SigningKey>;
        fn list_signing_keys(workspace: WorkspaceId) -> Vec<SigningKey>;
        fn delete_signing_key(params: DeleteSigningKey) -> SigningKey;
        fn create_credential(credential: Credential, hash: CredentialHash) -> ();
        fn credential_by_hash(hash: CredentialHash) -> Option<Credential>;
        fn list_credentials(workspace: WorkspaceId) -> Vec<Credential>;
        fn revoke_credential(workspace: WorkspaceId, credential: CredentialId) -> ();
        fn create_user(params: CreateUser) -> ();
        fn grant_right(right: Right) -> ();
        fn list_rights(workspace: WorkspaceId) -> Vec<HeldRight>;
        fn revoke_right(workspace: WorkspaceId, right: CredentialId) -> UserId;
        fn user(dialect: String, public_id: String) -> Option<User>;
        fn account(dialect: String, username: String) -> Option<Account>;
        fn open_session(session: Session, hash: CredentialHash) -> ();
        fn session_by_hash(hash: CredentialHash) -> Option<OpenSession>;
        fn create_operator_key(key: OperatorKey, hash: CredentialHash) -> ();
        fn operator_key_by_hash(hash: CredentialHash) -> Option<OperatorKey>;
        fn operator_key(key: OperatorKeyId) -> Option<OperatorKey>;
        fn list_operator_keys(params: ListOperatorKeys) -> Vec<OperatorKey>;
        fn revoke_operator_key(key: OperatorKeyId) -> ();
        fn rotate_operator_key(params: RotateOperatorKey) -> ();
        fn do_once(effect: Effect, once: Once, answer: SealedSecret) -> Done<(), SealedSecret>;
        fn done_before(once: Once) -> Option<SealedSecret>;
        fn settle_changes() -> ();
    }

    fn close_workspace(&self, params: CloseWorkspace) -> Answer<Option<Accepted>> {
        self.unsynced.touch();
        if self.plant != Plant::ForgetFarewell {
            return self.inner.close_workspace(params);
        }
        let AcceptEvent { workspace, accepted_at: at, .. } = params.farewell;
        let erased = self.inner.erase_workspace(EraseWorkspace { workspace, at });
        Box::pin(erased.map(|erased| erased.map(|_| None)))
    }

    fn create_webhook(&self, mut params: CreateWebhook) -> Answer<()> {
        self.unsynced.touch();
        if self.plant == Plant::ForgetToBlock {
            params.webhook.order.on_exhausted = OnExhausted::Skip;
        }
        self.inner.create_webhook(params)
    }

    fn remembered_webhooks(&self, params: RememberedWebhooks) -> Answer<Vec<Remembered>> {
        let webhooks = self.inner.remembered_webhooks(params);
        if self.plant != Plant::ForgetChanges {
            return webhooks;
        }
        bent(webhooks, |webhooks| webhooks.into_iter().map(as_if_unchanged).collect())
    }

    fn update_webhook(&self, mut params: UpdateWebhook) -> Answer<Webhook> {
        self.unsynced.touch();
        let paused = Some(Switch::Disable(DisableReason::Paused));
        if self.plant == Plant::DropOnDisable && params.switch == paused {
            params.switch = Some(Switch::Disable(DisableReason::ByOwner));
        }
        if self.plant == Plant::ForgetToBlock {
            params.order.on_exhausted = Some(OnExhausted::Skip);
        }
        self.inner.update_webhook(params)
    }

    fn delete_webhook(&self, params: DeleteWebhook) -> Answer<Webhook> {
        self.unsynced.touch();
        if self.plant != Plant::ForgetCut {
            return self.inner.delete_webhook(params);
        }
        let nothing = UpdateWebhook::nothing(params.workspace, params.webhook, params.at);
        let switch = Some(Switch::Disable(DisableReason::Paused));
        self.inner.update_webhook(UpdateWebhook { switch, ..nothing })
    }

    fn lane(&self, webhook: WebhookId) -> Answer<Option<LaneRecord>> {
        let (plant, lanes) = (self.plant, Arc::clone(&self.lanes));
        bent(self.inner.lane(webhook), move |fresh| lanes.bend(plant, webhook, fresh))
    }

    fn fan_out(&self, workspace: WorkspaceId) -> Answer<Option<FanOut>> {
        let fan_out = self.inner.fan_out(workspace);
        let forget: fn(&mut Webhook) = match self.plant {
            Plant::IgnoreSubject => |webhook| webhook.subject = None,
            Plant::IgnoreFilters => |webhook| webhook.filter = None,
            Plant::IgnoreOrder => |webhook| webhook.order.by_key = false,
            _ => return fan_out,
        };
        bent(fan_out, move |mut fan_out| {
            let webhooks = fan_out.iter_mut().flat_map(|fan_out| fan_out.webhooks.iter_mut());
            webhooks.for_each(forget);
            fan_out
        })
    }
}

impl Desk for PlantedStore {
    forward_desk!(through);
}

impl Portal for PlantedStore {
    forward_portal!(through);
}

impl Vault for PlantedStore {
    forward_vault!(through);
}

impl Rollups for PlantedStore {
    forward_rollups!(through);
}

impl Replays for PlantedStore {
    forward_replays!(through);
}

impl Ledger for PlantedStore {
    forward! { through
        fn requeue(params: Requeue) -> Due;
        fn requeue_lost(params: RequeueLost) -> usize;
        fn unattempted(deliveries: Vec<DeliveryId>) -> Vec<(Due, Arc<Event>)>;
        fn events_by_id(ids: Vec<EventId>) -> Vec<Arc<Event>>;
        fn event(workspace: WorkspaceId, key: EventKey) -> Option<Arc<Event>>;
        fn list_deliveries(params: ListDeliveries) -> DeliveryPage;
        fn delivery(workspace: WorkspaceId, delivery: DeliveryId) -> Option<DeliveryRecord>;
        fn owner_of(named: Named) -> Option<WorkspaceId>;
        fn upkeep(now: Timestamp) -> bool;
        fn usage(workspace: WorkspaceId) -> Option<Usage>;
        fn storage() -> Storage;
        fn cluster() -> Cluster;
        fn probe(now: Timestamp) -> ();
    }

    fn listen(&self, listener: Arc<dyn CommitListener>) {
        self.hear(&listener);
        self.inner.listen(listener);
    }

    fn highest_id(&self) -> i64 {
        self.inner.highest_id()
    }

    fn ownership(&self) -> Arc<Ownership> {
        self.inner.ownership()
    }

    fn accept(&self, events: Vec<AcceptEvent>) -> Answer<Vec<Accepted>> {
        self.unsynced.touch();
        match self.plant {
            Plant::LoseAcknowledged if self.hit(20) => Box::pin(ready(Ok(pretend(&events)))),
            Plant::SwapSequences => bent(self.inner.accept(events), swapped),
            Plant::TellEarly => self.told_early(&events.clone(), self.inner.accept(events)),
            _ => self.inner.accept(events),
        }
    }

    fn accept_once(
        &self,
        events: Vec<AcceptEvent>,
        once: Once,
    ) -> Answer<Done<Vec<Accepted>, Vec<Accepted>>> {
        self.unsynced.touch();
        match self.plant {
            Plant::ForgetCalls => Box::pin(self.inner.accept(events).map(|done| done.map(Done::Now))),
            Plant::TellEarly => self.told_early(&events.clone(), self.inner.accept_once(events, once)),
            Plant::SwapSequences => bent(self.inner.accept_once(events, once), |done| match done {
                Done::Now(accepted) => Done::Now(swapped(accepted)),
                Done::Before(accepted) => Done::Before(swapped(accepted)),
            }),
            _ => self.inner.accept_once(events, once),
        }
    }

    fn finish(&self, finished: Arc<Vec<Finished>>) -> Answer<()> {
        self.take_outcomes(finished)
    }

    fn due_lanes(&self, params: DueLanes) -> Answer<Vec<DueLane>> {
        let first_page = params.after.is_none();
        let lanes = self.inner.due_lanes(params);
        match self.plant {
            Plant::SkipLane if first_page => bent(lanes, without_first),
            Plant::LookRarely if first_page && !self.hit(30) => bent(lanes, |_| Vec::new()),
            _ => lanes,
        }
    }

    fn due_page(&self, params: DuePage) -> Answer<Vec<Due>> {
        let rows = self.inner.due_page(params);
        match self.plant {
            Plant::ForgetRetryRow => bent(rows, |mut rows| {
                rows.retain(|due| due.tries == 0);
                rows
            }),
            Plant::RetryEarly => bent(rows, |mut rows| {
                let retries = rows.iter_mut().filter(|due| due.tries > 0);
                retries.for_each(|due| due.due_at = due.due_at.plus_ms(-EARLY_MS));
                rows
            }),
            Plant::TryEndedAgain => {
                let mut ended = self.outcomes.take_ended(params.webhook);
                bent(rows, move |mut rows| {
                    rows.append(&mut ended);
                    rows
                })
            }
            _ => rows,
        }
    }

    fn feed(&self, params: ReadFeed) -> Answer<Option<Feed>> {
        let feed = self.inner.feed(params);
        if self.plant != Plant::HideFromFeed {
            return feed;
        }
        bent(feed, |mut feed| {
            if let Some(Feed::Page { events, .. }) = &mut feed {
                events.retain(|event| event.sequence.0 % HIDDEN_PARTS != 0);
            }
            feed
        })
    }

    fn list_events(&self, params: ListEvents) -> Answer<EventPage> {
        let page = self.inner.list_events(params);
        if self.plant != Plant::SwapSequences {
            return page;
        }
        bent(page, |page| EventPage { rows: page.rows.iter().map(swapped_event).collect(), ..page })
    }

    fn retain(&self, params: Retain) -> Answer<Retained> {
        self.unsynced.touch();
        let (inner, works) = (Arc::clone(&self.inner), self.trouble.retention() == Retention::Works);
        if self.plant != Plant::RemovePending || !works {
            return inner.retain(params);
        }
        Box::pin(async move {
            pretend_ends(inner.as_ref(), &params).await?;
            inner.retain(params).await
        })
    }

    fn close(&self) -> Answer<()> {
        self.unsynced.touch();
        let (plant, closed, unsynced) = (self.plant, self.inner.close(), Arc::clone(&self.unsynced));
        Box::pin(async move {
            closed.await?;
            if plant == Plant::AcknowledgeEarly {
                unsynced.sync();
            }
            Ok(())
        })
    }
}
