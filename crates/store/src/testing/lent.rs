//! A store that can be taken away from whoever holds it, as the end of a process takes it: for simulations in which
//! something of a process that was killed may be left, and must reach nothing any more.

use std::sync::{Arc, Mutex, PoisonError};

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
use signalpost_core::password::PasswordHash;
use signalpost_core::portal_session::PortalSession;
use signalpost_core::replay::Replay;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::time::Timestamp;
use signalpost_core::user::{Right, Session, User};
use signalpost_core::webhook::{Remembered, Webhook};
use signalpost_core::workspace::Workspace;

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
    Answer, Cluster, Done, Effect, Named, Once, Ownership, Store, StoreError, forward_catalog, forward_desk,
    forward_ledger, forward_portal, forward_replays, forward_rollups, forward_vault,
};

/// Any store, until it is taken.
pub struct Lent(Mutex<Option<Arc<dyn Store>>>);

impl Lent {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(Mutex::new(Some(store)))
    }

    /// Takes the store away. From then on every verb answers that it is gone.
    pub fn take(&self) -> Option<Arc<dyn Store>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn store(&self) -> Option<Arc<dyn Store>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn through<T: Send + 'static>(
        &self,
        verb: &'static str,
        call: impl FnOnce(&dyn Store) -> Answer<T>,
    ) -> Answer<T> {
        match self.store() {
            Some(store) => call(&*store),
            None => {
                let gone = StoreError::Unavailable(format!("{verb}: the store was taken away"));
                Box::pin(std::future::ready(Err(gone)))
            }
        }
    }
}

impl Catalog for Lent {
    forward_catalog!(through);
}

impl Desk for Lent {
    forward_desk!(through);
}

impl Portal for Lent {
    forward_portal!(through);
}

impl Vault for Lent {
    forward_vault!(through);
}

impl Rollups for Lent {
    forward_rollups!(through);
}

impl Replays for Lent {
    forward_replays!(through);
}

impl Ledger for Lent {
    fn listen(&self, listener: Arc<dyn CommitListener>) {
        if let Some(store) = self.store() {
            store.listen(listener);
        }
    }

    fn highest_id(&self) -> i64 {
        self.store().map_or(0, |store| store.highest_id())
    }

    fn ownership(&self) -> Arc<Ownership> {
        self.store().map_or_else(|| Arc::new(Ownership::of_none()), |store| store.ownership())
    }

    forward_ledger!(through);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::block_on::block_on;
    use crate::testing::memory::MemoryStore;
    use crate::testing::sample;

    #[test]
    fn a_store_that_was_taken_is_reached_no_more() {
        let lent = Lent::new(Arc::new(MemoryStore::new()));
        block_on(lent.create_workspace(sample::workspace(1))).expect("it is there");
        assert_eq!(lent.highest_id(), 1);
        let store = lent.take().expect("it is taken once");
        assert!(lent.take().is_none());
        let late = block_on(lent.create_workspace(sample::workspace(2)));
        assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
        assert_eq!((lent.highest_id(), store.highest_id()), (0, 1));
    }
}
