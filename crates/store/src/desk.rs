//! The operators' desk: who is signed in there.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::OperatorSessionId;
use signalpost_core::operator_session::OperatorSession;
use signalpost_core::time::Timestamp;

use crate::Answer;

pub trait Desk: Send + Sync {
    /// Opens a session. Its role and its workspace are the opener's, whatever the caller gives. `Taken("operator session")`
    /// when the hash exists; `Missing("operator key")` when the key that opens it is gone; `WrongState` when that key may only
    /// publish. Of [`signalpost_core::limits::OPERATOR_SESSIONS_MAX`] sessions of one opener the oldest by their ids end.
    fn open_operator_session(&self, session: OperatorSession, hash: CredentialHash) -> Answer<()>;
    /// Nothing once its opener is gone. Whatever its end says, which is the opener's where that comes first: the caller judges
    /// it with its own clock.
    fn operator_session_by_hash(&self, hash: CredentialHash) -> Answer<Option<OpenOperatorSession>>;
    /// Those of all openers that are good at an instant, newest first.
    fn list_operator_sessions(&self, params: ListOperatorSessions) -> Answer<Vec<OpenOperatorSession>>;
    /// `Missing("operator session")`, also for the second time.
    ///
    /// [`crate::Ledger::upkeep`] removes sessions that have expired.
    fn end_operator_session(&self, session: OperatorSessionId) -> Answer<()>;
}

/// A session as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOperatorSession {
    pub session: OperatorSession,
    /// What the opener is called; `None` for the installation's own key, and for one without a name.
    pub opener_name: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub struct ListOperatorSessions {
    /// The instant.
    pub at: Timestamp,
    pub before: Option<OperatorSessionId>,
    pub limit: usize,
}
