//! What the engine remembers of workspaces: a cache in front of the catalogue, never the truth.
//!
//! A stale view does no harm: the store refuses events whose targets were chosen at an old version, and the
//! caller loads again. What else a view says may let somebody do something, so it is looked at again where this process may
//! have missed a change. The ids of a workspace are its own for ever.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use signalpost_core::error::Error;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::DIRECTORY_WORKSPACES_MAX;
use signalpost_core::policy::DeliveryPolicy;
use signalpost_core::profile::Profile;
use signalpost_core::workspace::Workspace;
use signalpost_store::Store;
use signalpost_store::catalog::{FanOut, ListWorkspaces};

use crate::profiles::Profiles;
use crate::subscriptions::Subscriptions;
use crate::trust::Trust;

/// A workspace with everything that accepting an event for it needs.
#[derive(Debug)]
pub struct View {
    pub workspace: Workspace,
    pub profile: Arc<Profile>,
    pub(crate) version: u64,
    subscriptions: Subscriptions,
}

impl View {
    fn new(fan_out: FanOut, profile: Arc<Profile>) -> Self {
        let FanOut { workspace, version, webhooks } = fan_out;
        Self { workspace, profile, version, subscriptions: Subscriptions::of(&webhooks) }
    }

    /// The rules in force for its webhooks, but for what each has of its own.
    pub fn policy(&self) -> DeliveryPolicy {
        self.profile.delivery.policy.with(&self.workspace.policy)
    }

    /// Who wants which events.
    pub(crate) const fn subscriptions(&self) -> &Subscriptions {
        &self.subscriptions
    }

    /// Whether a webhook of this workspace lives and is active.
    pub(crate) fn is_active(&self, webhook: WebhookId) -> bool {
        self.subscriptions.holds(webhook)
    }
}

/// The cache. Entries go when their workspace changes, all of them when there are too many.
pub(crate) struct Directory {
    store: Arc<dyn Store>,
    profiles: Arc<Profiles>,
    trust: Trust,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    views: HashMap<String, Arc<View>>,
    public_ids: HashMap<WorkspaceId, String>,
    /// Counts forgettings: a view that was being loaded meanwhile may be stale and is not kept.
    generation: u64,
}

impl Directory {
    pub(crate) fn new(store: Arc<dyn Store>, profiles: Arc<Profiles>, trust: Trust) -> Self {
        Self { store, profiles, trust, state: RwLock::default() }
    }

    /// The workspace with this public id, from memory if possible.
    pub(crate) async fn view(&self, public_id: &str) -> Result<Arc<View>, Error> {
        let (kept, generation) = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            (state.views.get(public_id).cloned(), state.generation)
        };
        if let Some(view) = kept
            && self.stands(&view).await?
        {
            return Ok(view);
        }
        let workspace = self.store.workspace_by_public_id(public_id.to_owned()).await?;
        let workspace = workspace.ok_or_else(|| Error::not_found("workspace"))?;
        self.load(workspace.id, generation).await
    }

    /// The workspace with this internal id, from memory if possible.
    pub(crate) async fn view_by_id(&self, id: WorkspaceId) -> Result<Arc<View>, Error> {
        let (kept, generation) = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            let kept = state.public_ids.get(&id).and_then(|public_id| state.views.get(public_id));
            (kept.cloned(), state.generation)
        };
        if let Some(view) = kept
            && self.stands(&view).await?
        {
            return Ok(view);
        }
        self.load(id, generation).await
    }

    /// The public id of a workspace, also of one whose dialect is not served here.
    pub(crate) async fn public_id(&self, id: WorkspaceId) -> Result<String, Error> {
        {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(public_id) = state.public_ids.get(&id) {
                return Ok(public_id.clone());
            }
        }
        let found = self.by_id(id).await?.pop();
        found.map(|workspace| workspace.public_id).ok_or_else(|| Error::not_found("workspace"))
    }

    /// Whether [`Self::id`] needs no store for this one, nor anybody to ask whether it still stands.
    pub(crate) fn knows(&self, public_id: &str) -> bool {
        let is_kept = self.state.read().unwrap_or_else(PoisonError::into_inner).views.contains_key(public_id);
        is_kept && self.trust.holds()
    }

    /// The inner id of a workspace, also of one whose dialect is not served here.
    pub(crate) async fn id(&self, public_id: &str) -> Result<WorkspaceId, Error> {
        {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(view) = state.views.get(public_id) {
                return Ok(view.workspace.id);
            }
        }
        let found = self.store.workspace_by_public_id(public_id.to_owned()).await?;
        found.map(|workspace| workspace.id).ok_or_else(|| Error::not_found("workspace"))
    }

    /// The one workspace with this id, or none: the list's first row after the id before it.
    pub(crate) async fn by_id(&self, id: WorkspaceId) -> Result<Vec<Workspace>, Error> {
        let after = Some(WorkspaceId::from_raw(id.raw() - 1));
        let mut found = self.store.list_workspaces(ListWorkspaces { after, limit: 1 }).await?;
        found.retain(|workspace| workspace.id == id);
        Ok(found)
    }

    /// Whether a view may be gone by. Who gets which events needs no look: the store judges that by the version.
    async fn stands(&self, view: &View) -> Result<bool, Error> {
        if self.trust.holds() {
            return Ok(true);
        }
        Ok(self.by_id(view.workspace.id).await?.contains(&view.workspace))
    }

    async fn load(&self, id: WorkspaceId, generation: u64) -> Result<Arc<View>, Error> {
        let fan_out = self.store.fan_out(id).await?.ok_or_else(|| Error::not_found("workspace"))?;
        let profile = self.profiles.get(&fan_out.workspace.dialect)?;
        let view = Arc::new(View::new(fan_out, profile));
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.generation == generation {
            if state.views.len() >= DIRECTORY_WORKSPACES_MAX {
                state.views.clear();
                state.public_ids.clear();
            }
            state.public_ids.insert(id, view.workspace.public_id.clone());
            state.views.insert(view.workspace.public_id.clone(), Arc::clone(&view));
        }
        Ok(view)
    }

    /// Forgets a workspace after it or one of its webhooks changed.
    pub(crate) fn forget(&self, id: WorkspaceId) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.generation += 1;
        if let Some(public_id) = state.public_ids.remove(&id) {
            state.views.remove(&public_id);
        }
    }

    pub(crate) fn forget_all(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.generation += 1;
        state.views.clear();
        state.public_ids.clear();
    }
}
