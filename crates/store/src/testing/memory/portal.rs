//! The model's portal: customers who are there.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{PortalSessionId, WorkspaceId};
use signalpost_core::limits::PORTAL_SESSIONS_MAX;
use signalpost_core::portal_session::PortalSession;
use signalpost_core::time::Timestamp;

use super::MemoryStore;
use super::data::Data;
use crate::portal::{OpenPortalSession, Portal};
use crate::{Answer, StoreError};

const MISSING_WORKSPACE: StoreError = StoreError::Missing("workspace");

impl Portal for MemoryStore {
    fn open_portal_session(&self, params: OpenPortalSession) -> Answer<()> {
        self.run(|data| data.open_portal_session(params))
    }

    fn portal_session_by_hash(&self, hash: CredentialHash) -> Answer<Option<PortalSession>> {
        self.run(|data| {
            let found = data.portal_sessions.values().find(|(_, known)| *known == hash);
            Ok(found.map(|(session, _)| session.clone()))
        })
    }

    fn end_portal_session(&self, workspace: WorkspaceId, session: PortalSessionId) -> Answer<()> {
        self.run(|data| {
            let found = data.portal_sessions.get(&session).filter(|(known, _)| known.workspace == workspace);
            found.ok_or(StoreError::Missing("portal session"))?;
            data.portal_sessions.remove(&session);
            Ok(())
        })
    }

    fn end_portal_sessions(&self, workspace: WorkspaceId, at: Timestamp) -> Answer<()> {
        self.run(|data| {
            let ended_at =
                &mut data.living_workspace_mut(workspace).ok_or(MISSING_WORKSPACE)?.portal_ended_at;
            *ended_at = (*ended_at).max(Some(at));
            data.end_portal_sessions_of(workspace);
            Ok(())
        })
    }
}

impl Data {
    fn open_portal_session(&mut self, params: OpenPortalSession) -> Result<(), StoreError> {
        let OpenPortalSession { session, hash, link_made_at } = params;
        let workspace = self.living_workspace(session.workspace).ok_or(MISSING_WORKSPACE)?;
        if workspace.portal_ended_at.is_some_and(|ended_at| link_made_at <= ended_at) {
            return Err(StoreError::WrongState("all sessions were ended after the link was made"));
        }
        if self.portal_sessions.values().any(|(_, known)| *known == hash) {
            return Err(StoreError::Taken("portal session"));
        }
        let newest_first = self.portal_sessions.values().rev().map(|(other, _)| other);
        let alike = newest_first.filter(|other| other.workspace == session.workspace).map(|other| other.id);
        let crowded_out: Vec<_> = alike.skip(PORTAL_SESSIONS_MAX - 1).collect();
        self.portal_sessions.retain(|id, _| !crowded_out.contains(id));
        self.note_id(session.id.raw());
        self.portal_sessions.insert(session.id, (session, hash));
        Ok(())
    }

    pub(super) fn end_portal_sessions_of(&mut self, workspace: WorkspaceId) {
        self.portal_sessions.retain(|_, (session, _)| session.workspace != workspace);
    }

    pub(super) fn forget_expired_portal_sessions(&mut self, now: Timestamp) {
        self.portal_sessions.retain(|_, (session, _)| session.is_valid_at(now));
    }
}
