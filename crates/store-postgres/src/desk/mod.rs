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

use crate::store::PostgresStore;

const MISSING_ACCOUNT: StoreError = StoreError::Missing("operator account");

/// Those whose opener is there.
macro_rules! from_open_sessions {
    () => {
        " FROM operator_session s LEFT JOIN operator_key k ON s.opener = 'key' AND k.id = s.opener_id
            LEFT JOIN operator_account a ON s.opener = 'account' AND a.id = s.opener_id
        WHERE (s.opener = 'root' OR k.id IS NOT NULL OR a.id IS NOT NULL)"
    };
}
use from_open_sessions;

impl Desk for PostgresStore {
    fn create_operator_account(&self, account: OperatorAccount, password: PasswordHash) -> Answer<()> {
        self.write(async move |write| create_operator_account::run(write, &account, &password).await)
    }

    fn operator_account(&self, username: String) -> Answer<Option<OperatorLogin>> {
        self.read(async move |session| operator_account::by_name(session, &username).await)
    }

    fn list_operator_accounts(&self, params: ListOperatorAccounts) -> Answer<Vec<OperatorAccount>> {
        self.read(async move |session| operator_account::list(session, params).await)
    }

    fn update_operator_account(&self, params: UpdateOperatorAccount) -> Answer<OperatorAccount> {
        self.write(async move |write| update_operator_account::run(write, &params).await)
    }

    fn delete_operator_account(&self, account: OperatorAccountId) -> Answer<()> {
        self.write(async move |write| delete_operator_account::run(write, account).await)
    }

    fn open_operator_session(
        &self,
        session: OperatorSession,
        hash: CredentialHash,
        verified: Option<PasswordHash>,
    ) -> Answer<()> {
        self.write(async move |write| {
            open_operator_session::run(write, &session, hash, verified.as_ref()).await
        })
    }

    fn operator_session_by_hash(&self, hash: CredentialHash) -> Answer<Option<OpenOperatorSession>> {
        self.read(async move |session| operator_session_by_hash::run(session, hash).await)
    }

    fn list_operator_sessions(&self, params: ListOperatorSessions) -> Answer<Vec<OpenOperatorSession>> {
        self.read(async move |session| list_operator_sessions::run(session, params).await)
    }

    fn end_operator_session(&self, session: OperatorSessionId) -> Answer<()> {
        self.write(async move |write| end_operator_session::run(write, session).await)
    }

    fn begin_act(&self, act: Act) -> Answer<()> {
        self.write(async move |write| begin_act::run(write, &act).await)
    }

    fn end_act(&self, act: ActId, result: ActResult) -> Answer<()> {
        self.write(async move |write| end_act::run(write, act, result).await)
    }

    fn list_acts(&self, params: ListActs) -> Answer<ActPage> {
        self.read(async move |session| list_acts::run(session, &params).await)
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
    end_operator_session::DELETE_OF_OPENER,
    end_operator_session::DELETE,
    forget_acts::DELETE,
    forget_sessions::SELECT,
    list_acts::SELECT,
    list_operator_sessions::SELECT,
    open_operator_session::IS_TAKEN,
    open_operator_session::LOCK_ACCOUNT,
    open_operator_session::SELECT_CROWDED_OUT,
    open_operator_session::INSERT,
    operator_account::SELECT_BY_NAME,
    operator_account::SELECT_ALL,
    operator_session_by_hash::SELECT,
    update_operator_account::UPDATE,
];
