//! The customers' portal: who is there. Each session is of one workspace, and lies where that does.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{PortalSessionId, WorkspaceId};
use signalpost_core::portal_session::PortalSession;
use signalpost_core::time::Timestamp;

use crate::Answer;

pub trait Portal: Send + Sync {
    /// `Missing("workspace")`; `Taken("portal session")` when the hash exists; `WrongState` when the link that opens it was made
    /// when all sessions were ended for the last time, or before. Of [`signalpost_core::limits::PORTAL_SESSIONS_MAX`] sessions
    /// of one workspace the oldest by their ids end.
    fn open_portal_session(&self, params: OpenPortalSession) -> Answer<()>;
    /// Nothing once its workspace is gone. Whatever its end says: the caller judges it with its own clock.
    fn portal_session_by_hash(&self, hash: CredentialHash) -> Answer<Option<PortalSession>>;
    /// `Missing("portal session")`, also for the second time.
    ///
    /// [`crate::Ledger::upkeep`] removes sessions that have expired.
    fn end_portal_session(&self, workspace: WorkspaceId, session: PortalSessionId) -> Answer<()>;
    /// Ends those that are open, and keeps links that were made at this instant or before it from opening further ones. An earlier
    /// instant than that of a call before leaves that one standing. `Missing("workspace")`.
    fn end_portal_sessions(&self, workspace: WorkspaceId, at: Timestamp) -> Answer<()>;
}

#[derive(Clone, Debug)]
pub struct OpenPortalSession {
    pub session: PortalSession,
    pub hash: CredentialHash,
    pub link_made_at: Timestamp,
}
