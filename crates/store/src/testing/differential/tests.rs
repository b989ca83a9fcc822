//! The differential test agrees with itself, and finds faults of kinds that a real backend could have.

use std::sync::Arc;

use signalpost_core::act::{Act, ActResult};
use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::delivery::Due;
use signalpost_core::event::{Event, Sequence};
use signalpost_core::id::{
    ActId, CredentialId, DeliveryId, EventId, OperatorAccountId, OperatorKeyId, OperatorSessionId,
    PortalSessionId, ReplayId, UserId, WebhookId, WorkspaceId,
};
use signalpost_core::id_form::Counter;
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
use signalpost_core::webhook::{Remembered, Webhook};
use signalpost_core::workspace::Workspace;

use super::operation::DIALECTS;
use super::*;
use crate::catalog::{
    Account, Catalog, CloseWorkspace, CreateUser, CreateWebhook, DeleteSigningKey, DeleteWebhook,
    EraseWorkspace, FanOut, HeldRight, LaneRecord, ListOperatorKeys, ListWebhooks, ListWorkspaces,
    OpenSession, RememberedWebhooks, RotateOperatorKey, UpdateWebhook, UpdateWorkspace, WebhookPage,
};
use crate::desk::{
    ActPage, Desk, ListActs, ListOperatorAccounts, ListOperatorSessions, OpenOperatorSession, OperatorLogin,
    UpdateOperatorAccount,
};
use crate::ledger::{
    AcceptEvent, Accepted, CommitListener, DeliveryPage, DeliveryRecord, DueLane, DueLanes, DuePage,
    EventKey, EventPage, Feed, Finished, Ledger, ListDeliveries, ListEvents, ReadFeed, Requeue, RequeueLost,
    Retain, Retained, Storage, Usage,
};
use crate::portal::{OpenPortalSession, Portal};
use crate::replays::{BusyReplays, ChangeReplay, ListReplays, PlanReplay, Replays, StepReplay, Stepped};
use crate::rollups::{FailingWebhook, FiguresBatch, FiguresPage, ListFigures, Rollups, TopFailing};
use crate::vault::{Resealed, Sealed, SealedPage, Vault};
use crate::{
    Answer, Cluster, Done, Effect, Named, Once, Ownership, Store, forward, forward_catalog, forward_desk,
    forward_portal, forward_replays, forward_rollups, forward_vault,
};

const EFFORT: Effort = Effort { seed: 1, sequences: 200 };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    ForgetsOnReopen,
    ForgetsIdentities,
    ForgetsCalls,
    ForgetsTheLastOutcomeOfACall,
    ForgetsHealth,
    RetriesBeyondCuts,
    CountsTriesTwice,
    PagesOutOfOrder,
    IgnoresStatus,
    ShowsAnybodyADelivery,
    FindsWebhooksOfOtherDialects,
    ForgetsTheEndOfAFeed,
    TellsNobody,
}

/// The memory model with one fault.
struct Faulty {
    inner: MemoryStore,
    fault: Fault,
}

impl Harness for Faulty {
    fn open(&self) -> Arc<dyn Store> {
        let inner = match self.fault {
            Fault::ForgetsOnReopen => MemoryStore::new(),
            _ => self.inner.reopen(),
        };
        Arc::new(Self { inner, fault: self.fault })
    }
}

impl Faulty {
    fn through<T>(&self, _verb: &'static str, call: impl FnOnce(&MemoryStore) -> Answer<T>) -> Answer<T> {
        call(&self.inner)
    }

    fn spoil(&self, finished: &mut Vec<Finished>) {
        match self.fault {
            Fault::ForgetsTheLastOutcomeOfACall if finished.len() > 1 => {
                finished.truncate(finished.len() - 1)
            }
            Fault::ForgetsHealth => finished.iter_mut().for_each(|one| one.health = None),
            Fault::RetriesBeyondCuts => finished.iter_mut().for_each(|one| one.due.born = Sequence(i64::MAX)),
            Fault::CountsTriesTwice => finished.iter_mut().for_each(|one| one.due.tries += 1),
            _ => {}
        }
    }
}

impl Catalog for Faulty {
    forward_catalog!(through);
}

impl Desk for Faulty {
    forward_desk!(through);
}

impl Portal for Faulty {
    forward_portal!(through);
}

impl Vault for Faulty {
    forward_vault!(through);
}

impl Rollups for Faulty {
    forward_rollups!(through);
}

impl Replays for Faulty {
    forward_replays!(through);
}

impl Ledger for Faulty {
    forward! { through
        fn requeue(params: Requeue) -> Due;
        fn requeue_lost(params: RequeueLost) -> usize;
        fn due_lanes(params: DueLanes) -> Vec<DueLane>;
        fn unattempted(deliveries: Vec<DeliveryId>) -> Vec<(Due, Arc<Event>)>;
        fn events_by_id(ids: Vec<EventId>) -> Vec<Arc<Event>>;
        fn event(workspace: WorkspaceId, key: EventKey) -> Option<Arc<Event>>;
        fn list_events(params: ListEvents) -> EventPage;
        fn upkeep(now: Timestamp) -> bool;
        fn retain(params: Retain) -> Retained;
        fn usage(workspace: WorkspaceId) -> Option<Usage>;
        fn storage() -> Storage;
        fn cluster() -> Cluster;
        fn probe(now: Timestamp) -> ();
        fn close() -> ();
    }

    fn listen(&self, listener: Arc<dyn CommitListener>) {
        if self.fault != Fault::TellsNobody {
            self.inner.listen(listener);
        }
    }

    fn highest_id(&self) -> i64 {
        self.inner.highest_id()
    }

    fn ownership(&self) -> Arc<Ownership> {
        self.inner.ownership()
    }

    fn accept(&self, mut events: Vec<AcceptEvent>) -> Answer<Vec<Accepted>> {
        if self.fault == Fault::ForgetsIdentities {
            events.iter_mut().for_each(|event| event.dedupe = None);
        }
        self.inner.accept(events)
    }

    fn accept_once(
        &self,
        events: Vec<AcceptEvent>,
        once: Once,
    ) -> Answer<Done<Vec<Accepted>, Vec<Accepted>>> {
        if self.fault == Fault::ForgetsCalls {
            let accepted = self.inner.accept(events);
            return Box::pin(async { Ok(Done::Now(accepted.await?)) });
        }
        self.inner.accept_once(events, once)
    }

    fn finish(&self, finished: Arc<Vec<Finished>>) -> Answer<()> {
        let mut finished = (*finished).clone();
        self.spoil(&mut finished);
        self.inner.finish(Arc::new(finished))
    }

    fn due_page(&self, params: DuePage) -> Answer<Vec<Due>> {
        let mut page = block_on(self.inner.due_page(params));
        if let (Ok(rows), Fault::PagesOutOfOrder) = (&mut page, self.fault) {
            rows.reverse();
        }
        Box::pin(std::future::ready(page))
    }

    fn list_deliveries(&self, mut params: ListDeliveries) -> Answer<DeliveryPage> {
        if self.fault == Fault::IgnoresStatus {
            params.status = None;
        }
        self.inner.list_deliveries(params)
    }

    fn feed(&self, params: ReadFeed) -> Answer<Option<Feed>> {
        let mut answer = block_on(self.inner.feed(params));
        if let (Ok(Some(Feed::Page { events, .. })), Fault::ForgetsTheEndOfAFeed) = (&mut answer, self.fault)
        {
            events.pop();
        }
        Box::pin(std::future::ready(answer))
    }

    fn owner_of(&self, named: Named) -> Answer<Option<WorkspaceId>> {
        match (named, self.fault) {
            (Named::Webhook { public_id, .. }, Fault::FindsWebhooksOfOtherDialects) => {
                let of = |dialect: &str| Named::Webhook {
                    dialect: dialect.to_owned(),
                    public_id: public_id.clone(),
                };
                let mut owners = DIALECTS.iter().map(|dialect| block_on(self.inner.owner_of(of(dialect))));
                Box::pin(std::future::ready(owners.find_map(Result::transpose).transpose()))
            }
            (named, _) => self.inner.owner_of(named),
        }
    }

    fn delivery(&self, workspace: WorkspaceId, id: DeliveryId) -> Answer<Option<DeliveryRecord>> {
        let anybody = self.fault == Fault::ShowsAnybodyADelivery;
        let owner = block_on(self.inner.owner_of(Named::Delivery(id)))
            .expect("the model is open")
            .filter(|_| anybody);
        self.inner.delivery(owner.unwrap_or(workspace), id)
    }
}

/// The shortest sequence by which the fault shows.
fn found(fault: Fault) {
    let (operations, what) = find_difference(EFFORT, || Faulty { inner: MemoryStore::new(), fault })
        .unwrap_or_else(|| panic!("{fault:?} was not found"));
    assert!(
        operations.len() <= 12,
        "{fault:?} did not shrink to {}: {operations:#?}\n{what}",
        operations.len()
    );
}

#[test]
fn the_model_is_like_itself() {
    assert_like_the_model(EFFORT, MemoryStore::new);
}

#[test]
fn what_is_lost_is_found() {
    found(Fault::ForgetsOnReopen);
    found(Fault::ForgetsTheLastOutcomeOfACall);
    found(Fault::ForgetsHealth);
    found(Fault::TellsNobody);
}

#[test]
fn what_is_remembered_wrongly_is_found() {
    found(Fault::ForgetsIdentities);
    found(Fault::ForgetsCalls);
    found(Fault::RetriesBeyondCuts);
    found(Fault::CountsTriesTwice);
}

#[test]
fn what_is_read_wrongly_is_found() {
    found(Fault::PagesOutOfOrder);
    found(Fault::IgnoresStatus);
    found(Fault::ShowsAnybodyADelivery);
    found(Fault::FindsWebhooksOfOtherDialects);
    found(Fault::ForgetsTheEndOfAFeed);
}
