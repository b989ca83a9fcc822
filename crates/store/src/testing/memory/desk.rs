//! The model's operators: who may sign in, who is signed in, and what was done.

use signalpost_core::act::{self, Act, ActResult};
use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{ActId, OperatorAccountId, OperatorSessionId};
use signalpost_core::limits::{OPERATOR_ACCOUNTS_MAX, OPERATOR_SESSIONS_MAX};
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_session::{Opener, OperatorSession};
use signalpost_core::password::PasswordHash;
use signalpost_core::role::Role;
use signalpost_core::time::Timestamp;

use super::MemoryStore;
use super::data::Data;
use crate::desk::{
    ActPage, Desk, ListActs, ListOperatorAccounts, ListOperatorSessions, OpenOperatorSession, OperatorLogin,
    UpdateOperatorAccount, check_end,
};
use crate::{Answer, StoreError};

const MISSING_ACCOUNT: StoreError = StoreError::Missing("operator account");

impl Desk for MemoryStore {
    fn create_operator_account(&self, account: OperatorAccount, password: PasswordHash) -> Answer<()> {
        self.run(|data| data.create_operator_account(account, password))
    }

    fn operator_account(&self, username: String) -> Answer<Option<OperatorLogin>> {
        self.run(|data| {
            let found = data.operator_accounts.values().find(|(account, _)| account.username == username);
            let login = |(account, password)| OperatorLogin { account, password };
            Ok(found.cloned().map(login))
        })
    }

    fn list_operator_accounts(&self, params: ListOperatorAccounts) -> Answer<Vec<OperatorAccount>> {
        let ListOperatorAccounts { after, limit } = params;
        self.run(|data| {
            let all = data.operator_accounts.values().map(|(account, _)| account);
            let page = all.filter(|account| after.is_none_or(|after| account.id > after));
            Ok(page.take(limit).cloned().collect())
        })
    }

    fn update_operator_account(&self, params: UpdateOperatorAccount) -> Answer<OperatorAccount> {
        self.run(|data| data.update_operator_account(params))
    }

    fn delete_operator_account(&self, account: OperatorAccountId) -> Answer<()> {
        self.run(|data| {
            data.operator_accounts.remove(&account).ok_or(MISSING_ACCOUNT)?;
            data.end_sessions_of(Opener::Account(account));
            Ok(())
        })
    }

    fn open_operator_session(
        &self,
        session: OperatorSession,
        hash: CredentialHash,
        verified: Option<PasswordHash>,
    ) -> Answer<()> {
        self.run(|data| data.open_operator_session(session, hash, verified))
    }

    fn operator_session_by_hash(&self, hash: CredentialHash) -> Answer<Option<OpenOperatorSession>> {
        self.run(|data| {
            let found = data.operator_sessions.values().find(|(_, known)| *known == hash);
            Ok(found.and_then(|(session, _)| data.as_its_opener_is(session)))
        })
    }

    fn list_operator_sessions(&self, params: ListOperatorSessions) -> Answer<Vec<OpenOperatorSession>> {
        let ListOperatorSessions { at, before, limit } = params;
        self.run(|data| {
            let newest_first = data.operator_sessions.values().rev().map(|(session, _)| session);
            let older = newest_first.filter(|session| before.is_none_or(|before| session.id < before));
            let open = older.filter_map(|session| data.as_its_opener_is(session));
            Ok(open.filter(|open| open.session.is_valid_at(at)).take(limit).collect())
        })
    }

    fn end_operator_session(&self, session: OperatorSessionId) -> Answer<()> {
        self.run(|data| {
            let ended = data.operator_sessions.remove(&session);
            ended.map(drop).ok_or(StoreError::Missing("operator session"))
        })
    }

    fn begin_act(&self, act: Act) -> Answer<()> {
        self.run(|data| {
            data.note_id(act.id.raw());
            data.acts.insert(act.id, Act { result: ActResult::Pending, ..act });
            Ok(())
        })
    }

    fn end_act(&self, act: ActId, result: ActResult) -> Answer<()> {
        self.run(|data| {
            let act = data.acts.get_mut(&act).ok_or(StoreError::Missing("act"))?;
            check_end(act.result, result)?;
            act.result = result;
            Ok(())
        })
    }

    fn list_acts(&self, params: ListActs) -> Answer<ActPage> {
        self.run(|data| {
            let newest_first = data.acts.values().rev();
            let older = newest_first.filter(|act| params.before.is_none_or(|before| act.id < before));
            let mut wanted: Vec<Act> = older.filter(|act| params.wants(act)).cloned().collect();
            let has_more = wanted.len() > params.limit;
            wanted.truncate(params.limit);
            let next = wanted.last().filter(|_| has_more).map(|act| act.id);
            Ok(ActPage { rows: wanted, next })
        })
    }
}

impl Data {
    fn open_operator_session(
        &mut self,
        session: OperatorSession,
        hash: CredentialHash,
        verified: Option<PasswordHash>,
    ) -> Result<(), StoreError> {
        if self.operator_sessions.values().any(|(_, known)| *known == hash) {
            return Err(StoreError::Taken("operator session"));
        }
        match session.opener {
            Opener::Root { .. } => {}
            Opener::Key(id) => {
                let (key, _) = self.operator_keys.get(&id).ok_or(StoreError::Missing("operator key"))?;
                Role::of_scopes(&key.scopes).ok_or(StoreError::WrongState("the key may only publish"))?;
            }
            Opener::Account(id) => {
                let (_, password) = self.operator_accounts.get(&id).ok_or(MISSING_ACCOUNT)?;
                verified.filter(|verified| verified == password).ok_or(MISSING_ACCOUNT)?;
            }
        }
        let newest_first = self.operator_sessions.values().rev().map(|(session, _)| session);
        let alike = newest_first.filter(|other| other.opener == session.opener).map(|other| other.id);
        let crowded_out: Vec<_> = alike.skip(OPERATOR_SESSIONS_MAX - 1).collect();
        self.operator_sessions.retain(|id, _| !crowded_out.contains(id));
        self.note_id(session.id.raw());
        self.operator_sessions.insert(session.id, (session, hash));
        Ok(())
    }

    /// `None` when that is gone.
    fn as_its_opener_is(&self, session: &OperatorSession) -> Option<OpenOperatorSession> {
        match session.opener {
            Opener::Root { .. } => {
                let session = OperatorSession { role: Role::Admin, workspace: None, ..*session };
                Some(OpenOperatorSession { session, opener_name: None })
            }
            Opener::Key(id) => {
                let (key, _) = self.operator_keys.get(&id)?;
                let end = session.expires_at;
                let session = OperatorSession {
                    role: Role::of_scopes(&key.scopes)?,
                    workspace: key.workspace,
                    expires_at: key.expires_at.map_or(end, |last| last.min(end)),
                    ..*session
                };
                Some(OpenOperatorSession { session, opener_name: key.name.clone() })
            }
            Opener::Account(id) => {
                let (account, _) = self.operator_accounts.get(&id)?;
                let session = OperatorSession { role: account.role, workspace: None, ..*session };
                Some(OpenOperatorSession { session, opener_name: Some(account.username.clone()) })
            }
        }
    }

    fn create_operator_account(
        &mut self,
        account: OperatorAccount,
        password: PasswordHash,
    ) -> Result<(), StoreError> {
        if self.operator_accounts.values().any(|(other, _)| other.username == account.username) {
            return Err(StoreError::Taken("username"));
        }
        if self.operator_accounts.len() >= OPERATOR_ACCOUNTS_MAX {
            return Err(StoreError::LimitReached { what: "operator accounts", limit: OPERATOR_ACCOUNTS_MAX });
        }
        self.note_id(account.id.raw());
        self.operator_accounts.insert(account.id, (account, password));
        Ok(())
    }

    fn update_operator_account(
        &mut self,
        params: UpdateOperatorAccount,
    ) -> Result<OperatorAccount, StoreError> {
        let UpdateOperatorAccount { account: id, role, password, at } = params;
        let (account, known) = self.operator_accounts.get_mut(&id).ok_or(MISSING_ACCOUNT)?;
        account.role = role.unwrap_or(account.role);
        account.updated_at = at;
        *known = password.unwrap_or_else(|| known.clone());
        let changed = account.clone();
        self.end_sessions_of(Opener::Account(id));
        Ok(changed)
    }

    fn end_sessions_of(&mut self, opener: Opener) {
        self.operator_sessions.retain(|_, (session, _)| session.opener != opener);
    }

    pub(super) fn forget_acts(&mut self, now: Timestamp) {
        let since = act::forgotten_since(now);
        self.acts.retain(|_, act| act.at > since);
    }

    pub(super) fn forget_expired_operator_sessions(&mut self, now: Timestamp) {
        self.operator_sessions.retain(|_, (session, _)| session.is_valid_at(now));
    }
}
