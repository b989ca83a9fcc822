//! The operators' desk: who may sign in there, who is signed in, and what was done.

use signalpost_core::act::{Act, ActResult, ActorId};
use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{ActId, OperatorAccountId, OperatorSessionId};
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_session::OperatorSession;
use signalpost_core::password::PasswordHash;
use signalpost_core::role::Role;
use signalpost_core::time::Timestamp;

use crate::{Answer, StoreError};

pub trait Desk: Send + Sync {
    /// `Taken("username")` when another account has it; `LimitReached` when there are
    /// [`signalpost_core::limits::OPERATOR_ACCOUNTS_MAX`].
    fn create_operator_account(&self, account: OperatorAccount, password: PasswordHash) -> Answer<()>;
    /// What a sign-in needs.
    fn operator_account(&self, username: String) -> Answer<Option<OperatorLogin>>;
    /// Oldest first.
    fn list_operator_accounts(&self, params: ListOperatorAccounts) -> Answer<Vec<OperatorAccount>>;
    /// The account after the change, which ends all of its sessions. `Missing("operator account")`.
    fn update_operator_account(&self, params: UpdateOperatorAccount) -> Answer<OperatorAccount>;
    /// Ends all of its sessions. `Missing("operator account")`, also for the second time.
    fn delete_operator_account(&self, account: OperatorAccountId) -> Answer<()>;

    /// Opens a session. Its role and its workspace are the opener's, whatever the caller gives. `Taken("operator session")`
    /// when the hash exists; `Missing("operator key")` when the key that opens it is gone; `WrongState` when that key may only
    /// publish. `Missing("operator account")` when the account that opens it is gone, or has another password by now than
    /// the one that was `verified`. Of [`signalpost_core::limits::OPERATOR_SESSIONS_MAX`] sessions of one opener the oldest
    /// by their ids end.
    fn open_operator_session(
        &self,
        session: OperatorSession,
        hash: CredentialHash,
        verified: Option<PasswordHash>,
    ) -> Answer<()>;
    /// Nothing once its opener is gone. Whatever its end says, which is the opener's where that comes first: the caller judges
    /// it with its own clock.
    fn operator_session_by_hash(&self, hash: CredentialHash) -> Answer<Option<OpenOperatorSession>>;
    /// Those of all openers that are good at an instant, newest first.
    fn list_operator_sessions(&self, params: ListOperatorSessions) -> Answer<Vec<OpenOperatorSession>>;
    /// `Missing("operator session")`, also for the second time.
    ///
    /// [`crate::Ledger::upkeep`] removes sessions that have expired.
    fn end_operator_session(&self, session: OperatorSessionId) -> Answer<()>;

    /// Puts an act on record, as pending whatever the caller gives.
    fn begin_act(&self, act: Act) -> Answer<()>;
    /// Adds what came of it. `Missing("act")`; `WrongState` when it has another result. The same once more changes nothing.
    ///
    /// [`crate::Ledger::upkeep`] forgets acts ([`signalpost_core::act::forgotten_since`]).
    fn end_act(&self, act: ActId, result: ActResult) -> Answer<()>;
    fn list_acts(&self, params: ListActs) -> Answer<ActPage>;
}

/// An account with its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorLogin {
    pub account: OperatorAccount,
    pub password: PasswordHash,
}

#[derive(Clone, Copy, Debug)]
pub struct ListOperatorAccounts {
    pub after: Option<OperatorAccountId>,
    pub limit: usize,
}

/// `None` leaves a property as it is.
#[derive(Clone, Debug)]
pub struct UpdateOperatorAccount {
    pub account: OperatorAccountId,
    pub role: Option<Role>,
    pub password: Option<PasswordHash>,
    pub at: Timestamp,
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

/// Newest first; filters are joined by "and".
#[derive(Clone, Debug, Default)]
pub struct ListActs {
    /// Public id of the workspace that they concern.
    pub workspace: Option<String>,
    pub by: Option<ActorId>,
    /// The words that their actions begin with, see [`signalpost_core::act::Action::is_among`].
    pub action: Option<String>,
    pub before: Option<ActId>,
    pub limit: usize,
}

impl ListActs {
    /// Whether an act passes the filters.
    pub fn wants(&self, act: &Act) -> bool {
        (self.workspace.is_none() || act.workspace == self.workspace)
            && self.by.is_none_or(|by| act.by.id() == by)
            && self.action.as_deref().is_none_or(|words| act.action.is_among(words))
    }

    /// Rows that are worth reading at once: one more than is wanted shows whether there is a next page.
    pub fn rows_at_once(&self, at_most: usize) -> usize {
        let is_filtered = self.workspace.is_some() || self.by.is_some() || self.action.is_some();
        if is_filtered { at_most } else { self.limit.saturating_add(1).min(at_most) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActPage {
    pub rows: Vec<Act>,
    /// Where the next page starts. A filtered page may be short, even empty, and still have a next one.
    pub next: Option<ActId>,
}

/// `WrongState` when an act that has been `found` so cannot end with this result.
pub fn check_end(found: ActResult, result: ActResult) -> Result<(), StoreError> {
    if found == ActResult::Pending || found == result {
        return Ok(());
    }
    Err(StoreError::WrongState("the act has another result"))
}
