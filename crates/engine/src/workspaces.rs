//! Making, changing and ending tenants.

use std::sync::Arc;

use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::id::WorkspaceId;
use signalpost_core::id_form::Counter;
use signalpost_core::policy::{PolicyChange, PolicyOverrides};
use signalpost_core::profile::Profile;
use signalpost_core::workspace::{Workspace, check_name};
use signalpost_store::catalog::{EraseWorkspace, ListWorkspaces, UpdateWorkspace};
use signalpost_store::{Done, Effect, StoreError};

use crate::Engine;
use crate::directory::View;
use crate::once::{Keep, NotDone};

/// Attempts to find a free id. A second is needed once in 2^90 with random ones; with numbers when an operator gives a
/// workspace the one that was just taken for another.
pub(crate) const MINTS_MAX: usize = 4;

#[derive(Clone, Debug)]
pub struct NewWorkspace {
    pub dialect: String,
    pub name: String,
    /// An id in the dialect's form, for a tenant that has one already.
    pub id: Option<String>,
    /// All that the dialect knows when `None`.
    pub features: Option<Vec<String>>,
    pub policy: PolicyOverrides,
}

/// `None` leaves a property as it is.
#[derive(Clone, Debug, Default)]
pub struct WorkspaceChange {
    pub name: Option<String>,
    pub features: Option<Vec<String>>,
    pub policy: PolicyChange,
}

impl Engine {
    /// `Conflict` for an id that was ever used.
    pub async fn create_workspace(
        &self,
        new: NewWorkspace,
        keep: Option<Keep<'_, Workspace>>,
    ) -> Result<Done<Workspace, Vec<u8>>, Error> {
        let profile = self.profiles.named(&new.dialect)?;
        let mut errors = FieldErrors::default();
        errors.take("name", check_name(&new.name));
        errors.take(
            "features",
            new.features.as_deref().map_or(Ok(()), |features| check_features(&profile, features)),
        );
        errors.take("id", new.id.as_deref().map_or(Ok(()), |id| profile.workspace_id.check(id)));
        errors.into_result()?;
        let mint = || self.mint_public_id(&profile.workspace_id, Counter::Workspace);
        let mut workspace = Workspace {
            id: WorkspaceId::from_raw(self.mint_id()),
            public_id: match &new.id {
                Some(id) => id.clone(),
                None => mint().await?,
            },
            dialect: new.dialect,
            name: new.name,
            features: new.features.unwrap_or_else(|| profile.features.clone()),
            policy: new.policy,
            feed: profile.feed,
            retention: profile.retention,
            created_at: self.clock.now(),
        };
        for _ in 0..MINTS_MAX {
            let effect = Effect::CreateWorkspace(workspace.clone());
            match self.carry_out(None, effect, &workspace, keep.as_ref()).await {
                Ok(done) => return Ok(done.map_now(|()| workspace)),
                Err(NotDone::Refused(StoreError::Taken(_))) if new.id.is_none() => {
                    workspace.public_id = mint().await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::new(ErrorCode::Internal, "no free workspace id was found"))
    }

    /// A workspace with its profile, from memory if possible.
    pub async fn workspace(&self, public_id: &str) -> Result<Arc<View>, Error> {
        self.directory.view(public_id).await
    }

    /// A workspace as it is stored, also one whose dialect is not served here.
    pub async fn stored_workspace(&self, public_id: &str) -> Result<Workspace, Error> {
        let found = self.store.workspace_by_public_id(public_id.to_owned()).await?;
        found.ok_or_else(|| Error::not_found("workspace"))
    }

    /// The inner id of a workspace, also of one whose dialect is not served here.
    pub async fn workspace_id(&self, public_id: &str) -> Result<WorkspaceId, Error> {
        self.directory.id(public_id).await
    }

    /// The public id of a workspace; `None` when it is gone.
    pub async fn public_id_of(&self, id: WorkspaceId) -> Result<Option<String>, Error> {
        match self.directory.public_id(id).await {
            Err(error) if error.code == ErrorCode::NotFound => Ok(None),
            found => found.map(Some),
        }
    }

    /// Oldest first, after `after`; only `bound` when the caller knows of no other.
    pub async fn list_workspaces(
        &self,
        bound: Option<WorkspaceId>,
        after: Option<WorkspaceId>,
        limit: usize,
    ) -> Result<Vec<Workspace>, Error> {
        let Some(bound) = bound else {
            return Ok(self.store.list_workspaces(ListWorkspaces { after, limit }).await?);
        };
        let mut found = self.directory.by_id(bound).await?;
        found.retain(|workspace| after.is_none_or(|after| workspace.id > after));
        Ok(found)
    }

    /// Applies to attempts that start after this returns. Of a workspace whose dialect is not served here everything
    /// but its features can be changed: `Unavailable` for those.
    pub async fn update_workspace(
        &self,
        public_id: &str,
        change: WorkspaceChange,
    ) -> Result<Workspace, Error> {
        let workspace = self.directory.id(public_id).await?;
        let mut errors = FieldErrors::default();
        errors.take("name", change.name.as_deref().map_or(Ok(()), check_name));
        if let Some(features) = &change.features {
            let view = self.directory.view(public_id).await?;
            errors.take("features", check_features(&view.profile, features));
        }
        errors.into_result()?;
        let WorkspaceChange { name, features, policy } = change;
        let updated =
            self.store.update_workspace(UpdateWorkspace { workspace, name, features, policy }).await;
        self.apply_workspace_change(workspace).await;
        self.retention_bell.push_all([()]);
        Ok(updated?)
    }

    /// Ends a tenant, also one whose dialect is not served here. When this returns no attempt of it starts any more, but
    /// for the last event that its dialect may have: that goes out to those who want it.
    pub async fn erase_workspace(&self, public_id: &str) -> Result<(), Error> {
        self.take_away(self.erase(public_id)).await
    }

    async fn erase(&self, public_id: &str) -> Result<(), Error> {
        let found = self.store.workspace_by_public_id(public_id.to_owned()).await?;
        let found = found.ok_or_else(|| Error::not_found("workspace"))?;
        let workspace = found.id;
        let profile = self.profiles.look_up(&found.dialect);
        let erased = match profile.as_ref().and_then(|profile| profile.farewell.as_ref()) {
            Some(farewell) => self.say_farewell(found, farewell).await,
            None => {
                self.store.erase_workspace(EraseWorkspace { workspace, at: self.clock.now() }).await.map(drop)
            }
        };
        self.credentials.forget(|known| known.workspace == workspace);
        self.sessions.forget(|known| known.has_right_on(workspace));
        self.operator_keys.forget(|known| known.workspace == Some(workspace));
        self.operator_sessions.forget(|known| known.session().workspace == Some(workspace));
        self.portal_sessions.forget(|known| known.workspace == workspace);
        self.apply_workspace_change(workspace).await;
        self.retention_bell.push_all([()]);
        erased?;
        Ok(())
    }

    /// Returns when nothing starts under what was known of the workspace. Also after a failure: the store may have
    /// made the change and lost the answer.
    async fn apply_workspace_change(&self, workspace: WorkspaceId) {
        self.directory.forget(workspace);
        self.doorbell.reload_workspace(workspace).await;
    }
}

fn check_features(profile: &Profile, features: &[String]) -> Result<(), String> {
    match features.iter().find(|feature| !profile.features.contains(feature)) {
        Some(unknown) if profile.features.is_empty() => {
            Err(format!("`{unknown}`: this dialect has no features"))
        }
        Some(unknown) => Err(format!("`{unknown}` is unknown; known are {}", profile.features.join(", "))),
        None => Ok(()),
    }
}
