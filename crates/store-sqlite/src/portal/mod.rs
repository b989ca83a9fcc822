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

use crate::queue::Admission;
use crate::store::SqliteStore;
use crate::write::Write;

/// What a row weighs in a commit, in bytes.
const ROW_BYTES: usize = 1_024;
/// And as many as there may be of a workspace.
const ALL_ROWS_BYTES: usize = 64 * 1_024;

impl Portal for SqliteStore {
    /// Taken while the disk is full: whoever has no room for what is new may still look at what there is.
    fn open_portal_session(&self, params: OpenPortalSession) -> Answer<()> {
        self.write(Admission::Always, ROW_BYTES, move |write| open_portal_session::run(write, &params))
    }

    fn portal_session_by_hash(&self, hash: CredentialHash) -> Answer<Option<PortalSession>> {
        self.read(move |connection| portal_session_by_hash::run(connection, hash))
    }

    fn end_portal_session(&self, workspace: WorkspaceId, session: PortalSessionId) -> Answer<()> {
        let work = move |write: &mut Write<'_>| end_portal_session::run(write, workspace, session);
        self.write(Admission::Always, ROW_BYTES, work)
    }

    fn end_portal_sessions(&self, workspace: WorkspaceId, at: Timestamp) -> Answer<()> {
        let work = move |write: &mut Write<'_>| end_portal_sessions::run(write, workspace, at);
        self.write(Admission::Always, ALL_ROWS_BYTES, work)
    }
}

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    end_portal_session::EXISTS,
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
