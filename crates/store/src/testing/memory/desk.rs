//! The model's operators who are signed in, and what was done.

use signalpost_core::act::{self, Act, ActResult};
use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{ActId, OperatorSessionId};
use signalpost_core::limits::OPERATOR_SESSIONS_MAX;
use signalpost_core::operator_session::{Opener, OperatorSession};
use signalpost_core::role::Role;
use signalpost_core::time::Timestamp;

use super::MemoryStore;
use super::data::Data;
use crate::desk::{ActPage, Desk, ListActs, ListOperatorSessions, OpenOperatorSession, check_end};
use crate::{Answer, StoreError};

impl Desk for MemoryStore {
    fn open_operator_session(&self, session: OperatorSession, hash: CredentialHash) -> Answer<()> {
        self.run(|data| data.open_operator_session(session, hash))
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
    ) -> Result<(), StoreError> {
        if self.operator_sessions.values().any(|(_, known)| *known == hash) {
            return Err(StoreError::Taken("operator session"));
        }
        if let Opener::Key(id) = session.opener {
            let (key, _) = self.operator_keys.get(&id).ok_or(StoreError::Missing("operator key"))?;
            Role::of_scopes(&key.scopes).ok_or(StoreError::WrongState("the key may only publish"))?;
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
        }
    }

    pub(super) fn forget_acts(&mut self, now: Timestamp) {
        let since = act::forgotten_since(now);
        self.acts.retain(|_, act| act.at > since);
    }

    pub(super) fn forget_expired_operator_sessions(&mut self, now: Timestamp) {
        self.operator_sessions.retain(|_, (session, _)| session.is_valid_at(now));
    }
}
