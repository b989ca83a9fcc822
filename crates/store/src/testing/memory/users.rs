//! The model's users, their rights and their sessions.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{CredentialId, UserId, WorkspaceId};
use signalpost_core::limits::{USER_RIGHTS_MAX, WORKSPACE_RIGHTS_MAX};
use signalpost_core::time::Timestamp;
use signalpost_core::user::{Right, Session, User, forgotten_since};

use super::data::Data;
use crate::StoreError;
use crate::catalog::{Account, CreateUser, HeldRight, OpenSession};

impl Data {
    pub(super) fn create_user(&mut self, params: CreateUser) -> Result<(), StoreError> {
        let CreateUser { user, password, right, session, hash } = params;
        self.living_workspace(right.workspace).ok_or(StoreError::Missing("workspace"))?;
        let same_place = |other: &&User| other.dialect == user.dialect;
        let mut others = self.users.values().map(|(other, _)| other).filter(same_place);
        if others.clone().any(|other| other.username == user.username) {
            return Err(StoreError::Taken("username"));
        }
        if others.any(|other| other.public_id == user.public_id) {
            return Err(StoreError::Taken("user id"));
        }
        self.check_new_session(hash)?;
        let crowded_out = self.crowded_out_by(&right)?;
        self.note_id(user.id.raw());
        self.sessions.insert(user.id, (session, hash));
        self.users.insert(user.id, (user, password));
        self.add_right(right, crowded_out);
        Ok(())
    }

    pub(super) fn grant_right(&mut self, right: Right) -> Result<(), StoreError> {
        self.living_workspace(right.workspace).ok_or(StoreError::Missing("workspace"))?;
        self.users.get(&right.user).ok_or(StoreError::Missing("user"))?;
        if self.rights_of(right.user).len() >= USER_RIGHTS_MAX {
            return Err(StoreError::LimitReached { what: "rights of a user", limit: USER_RIGHTS_MAX });
        }
        let crowded_out = self.crowded_out_by(&right)?;
        self.add_right(right, crowded_out);
        Ok(())
    }

    pub(super) fn list_rights(&self, workspace: WorkspaceId) -> Vec<HeldRight> {
        let own = self.rights.values().filter(|right| right.workspace == workspace);
        own.map(|right| HeldRight { right: right.clone(), user: self.users[&right.user].0.clone() }).collect()
    }

    pub(super) fn revoke_right(
        &mut self,
        workspace: WorkspaceId,
        id: CredentialId,
    ) -> Result<UserId, StoreError> {
        let right = self.rights.get(&id).filter(|right| right.workspace == workspace);
        let user = right.ok_or(StoreError::Missing("right"))?.user;
        self.remove_right(id);
        Ok(user)
    }

    pub(super) fn user(&self, dialect: &str, public_id: &str) -> Option<User> {
        let mut all = self.users.values().map(|(user, _)| user);
        all.find(|user| user.dialect == dialect && user.public_id == public_id).cloned()
    }

    pub(super) fn account(&self, dialect: &str, username: &str) -> Option<Account> {
        let mut all = self.users.values();
        let (user, password) = all.find(|(user, _)| user.dialect == dialect && user.username == username)?;
        let rights = self.rights_of(user.id);
        Some(Account { user: user.clone(), password: password.clone(), rights })
    }

    pub(super) fn open_session(&mut self, session: Session, hash: CredentialHash) -> Result<(), StoreError> {
        self.users.get(&session.user).ok_or(StoreError::Missing("user"))?;
        self.check_new_session(hash)?;
        self.sessions.insert(session.user, (session, hash));
        Ok(())
    }

    pub(super) fn session_by_hash(&self, hash: CredentialHash) -> Option<OpenSession> {
        let mut all = self.sessions.values();
        let session = all.find(|(_, known)| *known == hash)?.0;
        let user = self.users[&session.user].0.clone();
        Some(OpenSession { session, user, rights: self.rights_of(session.user) })
    }

    pub(super) fn end_rights_on(&mut self, workspace: WorkspaceId) {
        self.remove_rights(|right| right.workspace == workspace);
    }

    pub(super) fn forget_expired_rights_and_sessions(&mut self, now: Timestamp) {
        let since = forgotten_since(now);
        self.remove_rights(|right| right.expires_at.is_some_and(|end| end <= since));
        self.sessions.retain(|_, (session, _)| session.is_valid_at(now));
    }

    fn check_new_session(&self, hash: CredentialHash) -> Result<(), StoreError> {
        let taken = self.sessions.values().any(|(_, known)| *known == hash);
        if taken { Err(StoreError::Taken("session")) } else { Ok(()) }
    }

    /// The expired right that a new one takes the place of, where its workspace has too many.
    fn crowded_out_by(&self, new: &Right) -> Result<Option<CredentialId>, StoreError> {
        let own = self.rights.values().filter(|right| right.workspace == new.workspace);
        if own.clone().count() < WORKSPACE_RIGHTS_MAX {
            return Ok(None);
        }
        let expired = own.filter(|right| !right.is_valid_at(new.created_at));
        let first = expired.min_by_key(|right| (right.expires_at, right.id)).map(|right| right.id);
        let limit = WORKSPACE_RIGHTS_MAX;
        first.map(Some).ok_or(StoreError::LimitReached { what: "rights on a workspace", limit })
    }

    /// The new one first: the user may be the one whose last right goes.
    fn add_right(&mut self, right: Right, crowded_out: Option<CredentialId>) {
        self.note_id(right.id.raw());
        self.rights.insert(right.id, right);
        if let Some(crowded_out) = crowded_out {
            self.remove_right(crowded_out);
        }
    }

    fn remove_rights(&mut self, gone: impl Fn(&Right) -> bool) {
        let ids = self.rights.values().filter(|right| gone(right)).map(|right| right.id);
        ids.collect::<Vec<_>>().into_iter().for_each(|id| self.remove_right(id));
    }

    fn remove_right(&mut self, id: CredentialId) {
        let right = self.rights.remove(&id).expect("the caller has found it");
        if self.rights_of(right.user).is_empty() {
            self.users.remove(&right.user);
            self.sessions.remove(&right.user);
        }
    }

    fn rights_of(&self, user: UserId) -> Vec<Right> {
        let mut rights: Vec<Right> =
            self.rights.values().filter(|right| right.user == user).cloned().collect();
        rights.sort_by_key(|right| (right.workspace, right.id));
        rights
    }
}
