//! The verbs of the customers' portal, one file each.

mod end_portal_session;
mod end_portal_sessions;
pub(crate) mod forget_sessions;
mod open_portal_session;
mod portal_session_by_hash;
pub(crate) mod remove;

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{PortalSessionId, WorkspaceId};
use signalpost_core::portal_session::PortalSession;
use signalpost_core::time::Timestamp;
use signalpost_store::Answer;
use signalpost_store::portal::{OpenPortalSession, Portal};

use crate::store::PostgresStore;

impl Portal for PostgresStore {
    fn open_portal_session(&self, params: OpenPortalSession) -> Answer<()> {
        self.write(async move |write| open_portal_session::run(write, &params).await)
    }

    fn portal_session_by_hash(&self, hash: CredentialHash) -> Answer<Option<PortalSession>> {
        self.read(async move |session| portal_session_by_hash::run(session, hash).await)
    }

    fn end_portal_session(&self, workspace: WorkspaceId, session: PortalSessionId) -> Answer<()> {
        self.write(async move |write| end_portal_session::run(write, workspace, session).await)
    }

    fn end_portal_sessions(&self, workspace: WorkspaceId, at: Timestamp) -> Answer<()> {
        self.write(async move |write| end_portal_sessions::run(write, workspace, at).await)
    }
}

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    end_portal_session::DELETE,
    end_portal_sessions::UPDATE,
    forget_sessions::SELECT,
    open_portal_session::SELECT_ENDED_AT,
    open_portal_session::IS_TAKEN,
    open_portal_session::SELECT_CROWDED_OUT,
    open_portal_session::INSERT,
    portal_session_by_hash::SELECT,
    remove::SELECT_NEWEST,
    remove::DELETE_ALL,
    remove::DELETE,
];
