//! Reading what happened.

use std::sync::Arc;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::event::Event;
use signalpost_core::id::{DeliveryId, EventId, WorkspaceId};
use signalpost_core::profile::EventIdRule;
use signalpost_store::Named;
use signalpost_store::ledger::{
    DeliveryPage, DeliveryRecord, EventKey, EventPage, ListDeliveries, ListEvents,
};

use crate::Engine;
use crate::directory::View;

/// A delivery with the workspace that owns it.
#[derive(Debug)]
pub struct FoundDelivery {
    pub view: Arc<View>,
    pub record: DeliveryRecord,
}

impl Engine {
    /// One event by our id or by the producer's. Of several that a producer has called the same, be it in a dialect whose
    /// ids are labels or after the time for which one is kept, the newest.
    pub async fn event(&self, workspace: WorkspaceId, public_id: &str) -> Result<Arc<Event>, Error> {
        // A producer may have used a text that could be ours.
        let ours = match EventId::from_public(public_id) {
            Some(id) => self.store.event(workspace, EventKey::Ours(id)).await?,
            None => None,
        };
        let found = match ours {
            Some(event) => Some(event),
            None => self.store.event(workspace, EventKey::Producer(public_id.to_owned())).await?,
        };
        found.ok_or_else(|| Error::not_found("event"))
    }

    /// What the ids of producers mean in a workspace. Where its dialect is not served that is not known, and ours hold.
    pub async fn event_ids(&self, workspace: &str) -> Result<EventIdRule, Error> {
        match self.directory.view(workspace).await {
            Ok(view) => Ok(view.profile.event_id),
            Err(error) if error.code == ErrorCode::Unavailable => Ok(EventIdRule::Label),
            Err(error) => Err(error),
        }
    }

    pub async fn list_events(&self, params: ListEvents) -> Result<EventPage, Error> {
        Ok(self.store.list_events(params).await?)
    }

    pub async fn list_deliveries(&self, params: ListDeliveries) -> Result<DeliveryPage, Error> {
        Ok(self.store.list_deliveries(params).await?)
    }

    /// One delivery with its history, by its public id alone.
    pub async fn delivery(&self, public_id: &str) -> Result<FoundDelivery, Error> {
        let (id, workspace) = self.owned_delivery(public_id).await?;
        let record = self.store.delivery(workspace, id).await?.ok_or_else(|| Error::not_found("delivery"))?;
        Ok(FoundDelivery { view: self.directory.view_by_id(workspace).await?, record })
    }

    /// The workspace that a delivery belongs to, for callers that are bound to one.
    pub async fn owner_of(&self, public_id: &str) -> Result<WorkspaceId, Error> {
        Ok(self.owned_delivery(public_id).await?.1)
    }

    pub(crate) async fn owned_delivery(&self, public_id: &str) -> Result<(DeliveryId, WorkspaceId), Error> {
        let missing = || Error::not_found("delivery");
        let id = DeliveryId::from_public(public_id).ok_or_else(missing)?;
        let workspace = self.store.owner_of(Named::Delivery(id)).await?.ok_or_else(missing)?;
        Ok((id, workspace))
    }

    /// The workspace of a webhook, for callers who name the webhook alone. `NotFound` for one that does not exist, was
    /// deleted, or is of another dialect instance.
    pub async fn webhook_owner(&self, dialect: &str, public_id: &str) -> Result<Arc<View>, Error> {
        let (dialect, public_id) = (dialect.to_owned(), public_id.to_owned());
        self.owner_view(Named::Webhook { dialect, public_id }, "webhook").await
    }

    /// The workspace of a signing key, as [`Self::webhook_owner`].
    pub async fn signing_key_owner(&self, dialect: &str, public_id: &str) -> Result<Arc<View>, Error> {
        let (dialect, public_id) = (dialect.to_owned(), public_id.to_owned());
        self.owner_view(Named::SigningKey { dialect, public_id }, "signing key").await
    }

    /// `NotFound` of what is named also when its workspace ends in between.
    async fn owner_view(&self, named: Named, what: &'static str) -> Result<Arc<View>, Error> {
        let owner = self.store.owner_of(named).await?.ok_or_else(|| Error::not_found(what))?;
        match self.directory.view_by_id(owner).await {
            Err(error) if error.code == ErrorCode::NotFound => Err(Error::not_found(what)),
            view => view,
        }
    }
}
