//! The verbs of the operators' desk: who may sign in, who is signed in, and what was done. One file each.

mod begin_act;
mod create_operator_account;
mod delete_operator_account;
mod end_act;
mod end_operator_session;
pub(crate) mod forget_acts;
pub(crate) mod forget_sessions;
mod list_acts;
mod list_operator_sessions;
mod open_operator_session;
mod operator_account;
mod operator_session_by_hash;
mod update_operator_account;

use signalpost_core::act::{Act, ActResult};
use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{ActId, OperatorAccountId, OperatorSessionId};
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_session::OperatorSession;
use signalpost_core::password::PasswordHash;
use signalpost_store::desk::{
    ActPage, Desk, ListActs, ListOperatorAccounts, ListOperatorSessions, OpenOperatorSession, OperatorLogin,
    UpdateOperatorAccount,
};
use signalpost_store::{Answer, StoreError};

use crate::job::Growth;
use crate::queue::Admission;
use crate::store::SqliteStore;
use crate::write::Write;

/// What a row weighs in a commit, in bytes.
const ROW_BYTES: usize = 1_024;

const MISSING_ACCOUNT: StoreError = StoreError::Missing("operator account");
const MISSING_SESSION: StoreError = StoreError::Missing("operator session");

/// Those whose opener is there.
macro_rules! from_open_sessions {
    () => {
        " FROM operator_session s LEFT JOIN operator_key k ON s.opener = 'key' AND k.id = s.opener_id
            LEFT JOIN operator_account a ON s.opener = 'account' AND a.id = s.opener_id
        WHERE (s.opener = 'root' OR k.id IS NOT NULL OR a.id IS NOT NULL)"
    };
}
use from_open_sessions;

impl Desk for SqliteStore {
    fn create_operator_account(&self, account: OperatorAccount, password: PasswordHash) -> Answer<()> {
        let created = (Admission::Always, Growth::Grows);
        let work = move |write: &mut Write<'_>| create_operator_account::run(write, &account, &password);
        self.writing().write(created, ROW_BYTES, work)
    }

    fn operator_account(&self, username: String) -> Answer<Option<OperatorLogin>> {
        self.read(move |connection| operator_account::by_name(connection, &username))
    }

    fn list_operator_accounts(&self, params: ListOperatorAccounts) -> Answer<Vec<OperatorAccount>> {
        self.read(move |connection| operator_account::list(connection, params))
    }

    fn update_operator_account(&self, params: UpdateOperatorAccount) -> Answer<OperatorAccount> {
        self.write(Admission::Always, ROW_BYTES, move |write| update_operator_account::run(write, &params))
    }

    fn delete_operator_account(&self, account: OperatorAccountId) -> Answer<()> {
        self.write(Admission::Always, ROW_BYTES, move |write| delete_operator_account::run(write, account))
    }

    /// Taken while the disk is full: whoever looks after things must get in.
    fn open_operator_session(
        &self,
        session: OperatorSession,
        hash: CredentialHash,
        verified: Option<PasswordHash>,
    ) -> Answer<()> {
        self.write(Admission::Always, ROW_BYTES, move |write| {
            open_operator_session::run(write, &session, hash, verified.as_ref())
        })
    }

    fn operator_session_by_hash(&self, hash: CredentialHash) -> Answer<Option<OpenOperatorSession>> {
        self.read(move |connection| operator_session_by_hash::run(connection, hash))
    }

    fn list_operator_sessions(&self, params: ListOperatorSessions) -> Answer<Vec<OpenOperatorSession>> {
        self.read(move |connection| list_operator_sessions::run(connection, params))
    }

    fn end_operator_session(&self, session: OperatorSessionId) -> Answer<()> {
        self.write(Admission::Always, ROW_BYTES, move |write| end_operator_session::run(write, session))
    }

    /// Taken while the disk is full, as whatever is done then.
    fn begin_act(&self, act: Act) -> Answer<()> {
        self.write(Admission::Always, ROW_BYTES, move |write| begin_act::run(write, &act))
    }

    fn end_act(&self, act: ActId, result: ActResult) -> Answer<()> {
        self.write(Admission::Always, ROW_BYTES, move |write| end_act::run(write, act, result))
    }

    fn list_acts(&self, params: ListActs) -> Answer<ActPage> {
        self.read(move |connection| list_acts::run(connection, &params))
    }
}

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    begin_act::INSERT,
    create_operator_account::IS_TAKEN,
    create_operator_account::IS_FULL,
    create_operator_account::INSERT,
    delete_operator_account::DELETE,
    end_act::SELECT,
    end_act::UPDATE,
    end_operator_session::EXISTS,
    end_operator_session::SELECT_OF_OPENER,
    end_operator_session::DELETE,
    forget_acts::SELECT,
    forget_acts::DELETE,
    forget_sessions::SELECT,
    list_acts::SELECT,
    list_operator_sessions::SELECT,
    open_operator_session::IS_TAKEN,
    open_operator_session::SELECT_CROWDED_OUT,
    open_operator_session::INSERT,
    operator_account::SELECT,
    operator_account::SELECT_BY_NAME,
    operator_account::SELECT_ALL,
    operator_session_by_hash::SELECT,
    update_operator_account::UPDATE,
];
