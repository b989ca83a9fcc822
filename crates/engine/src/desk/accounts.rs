//! Accounts of those who operate: people who sign in with a name and a password of their own.

use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::id::OperatorAccountId;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_session::Opener;
use signalpost_core::password::{self, check_password, check_username, may_be_password};
use signalpost_core::ports::Asker;
use signalpost_core::role::Role;
use signalpost_core::secret::Secret;
use signalpost_store::desk::{ListOperatorAccounts, OperatorLogin, UpdateOperatorAccount};

use super::sessions::OpenedOperatorSession;
use crate::Engine;
use crate::operator::Operator;

/// Those who operate have names of their own, whatever names users of a dialect have.
const REALM: &str = "";

#[derive(Clone, Debug)]
pub struct NewOperatorAccount {
    pub username: String,
    pub role: Role,
    /// One is made when it is `None`.
    pub password: Option<Secret>,
}

/// An account with the only sight of its password.
#[derive(Debug)]
pub struct IssuedOperatorAccount {
    pub account: OperatorAccount,
    pub password: Secret,
}

/// `None` leaves a property as it is.
#[derive(Clone, Debug, Default)]
pub struct OperatorAccountChange {
    pub role: Option<Role>,
    pub password: Option<Secret>,
}

impl Engine {
    /// `Forbidden` for a giver who has less than an account; `Conflict` for a username that another account has; `LimitReached` when
    /// there are as many as there may be.
    pub async fn create_operator_account(
        &self,
        giver: &Operator,
        new: NewOperatorAccount,
    ) -> Result<IssuedOperatorAccount, Error> {
        check_may_give(giver)?;
        let mut errors = FieldErrors::default();
        errors.take("username", check_username(&new.username));
        errors.take("password", new.password.as_ref().map_or(Ok(()), check_password));
        errors.into_result()?;
        let password = new.password.unwrap_or_else(|| self.mint_operator_password());
        let hash = self.hash_of(&password).await?;
        let now = self.clock.now();
        let account = OperatorAccount {
            id: OperatorAccountId::from_raw(self.mint_id()),
            username: new.username,
            role: new.role,
            created_at: now,
            updated_at: now,
        };
        self.store.create_operator_account(account.clone(), hash).await?;
        Ok(IssuedOperatorAccount { account, password })
    }

    /// One that nobody has.
    pub fn mint_operator_password(&self) -> Secret {
        password::mint(&mut |bytes| self.random.fill(bytes))
    }

    /// Oldest first, after `after`.
    pub async fn list_operator_accounts(
        &self,
        after: Option<OperatorAccountId>,
        limit: usize,
    ) -> Result<Vec<OperatorAccount>, Error> {
        Ok(self.store.list_operator_accounts(ListOperatorAccounts { after, limit }).await?)
    }

    /// When this returns its sessions let nobody in any more: whoever has it signs in anew. `Forbidden` for a giver who has less
    /// than an account; `Invalid` for a change of nothing.
    pub async fn update_operator_account(
        &self,
        giver: &Operator,
        id: OperatorAccountId,
        change: OperatorAccountChange,
    ) -> Result<OperatorAccount, Error> {
        check_may_give(giver)?;
        let OperatorAccountChange { role, password } = change;
        if role.is_none() && password.is_none() {
            return Err(Error::field("role", "must be given where no password is"));
        }
        let mut errors = FieldErrors::default();
        errors.take("password", password.as_ref().map_or(Ok(()), check_password));
        errors.into_result()?;
        let password = match password {
            Some(password) => Some(self.hash_of(&password).await?),
            None => None,
        };
        let params = UpdateOperatorAccount { account: id, role, password, at: self.clock.now() };
        self.take_away(async {
            let changed = self.store.update_operator_account(params).await;
            self.forget_operator_account(id);
            Ok(changed?)
        })
        .await
    }

    /// When this returns its sessions let nobody in any more. The last administrator may go, too: keys open everything still.
    pub async fn delete_operator_account(&self, id: OperatorAccountId) -> Result<(), Error> {
        self.take_away(async {
            let deleted = self.store.delete_operator_account(id).await;
            self.forget_operator_account(id);
            Ok(deleted?)
        })
        .await
    }

    /// Opens a session for whoever knows an account's password.
    ///
    /// `Unauthenticated` whatever is wrong, after the same work: no such account, or another password. `RateLimited` for a
    /// username, known or not, with which wrong passwords came too fast; then the right one is refused as well. `Unavailable`
    /// when too many passwords wait to be looked at.
    pub async fn open_session_by_password(
        &self,
        username: &str,
        password: &Secret,
    ) -> Result<OpenedOperatorSession, Error> {
        let guess = self.wrong_operator_passwords.suspect(REALM, username, self.clock.now())?;
        let outcome = self.open_session_of_account(username, password).await;
        if matches!(&outcome, Err(error) if error.code == ErrorCode::Unauthenticated) {
            tracing::info!("an operator's password was refused");
        } else {
            self.wrong_operator_passwords.acquit(guess, self.clock.now());
        }
        outcome
    }

    async fn open_session_of_account(
        &self,
        username: &str,
        password: &Secret,
    ) -> Result<OpenedOperatorSession, Error> {
        let refused = || Error::new(ErrorCode::Unauthenticated, "no account has this name and this password");
        if !may_be_password(password) {
            return Err(refused());
        }
        let login = match check_username(username) {
            Ok(()) => self.store.operator_account(username.to_owned()).await?,
            Err(_) => None,
        };
        let known = login.as_ref().map(|login| &login.password);
        let is_right = self.is_password(Asker::Operator, known, password).await?;
        let OperatorLogin { account, password } = login.filter(|_| is_right).ok_or_else(refused)?;
        let session = self.new_operator_session(Opener::Account(account.id), account.role);
        // It may have gone, or have got another password, while this one was being looked at.
        self.open_operator_session(session, Some(password), refused()).await
    }

    /// What its sessions let in. Also after a failure: the store may have ended them and lost the answer.
    fn forget_operator_account(&self, id: OperatorAccountId) {
        self.operator_sessions.forget(|known| known.was_opened_by(Opener::Account(id)));
    }
}

/// Nobody hands out what they do not hold (ADR 8): an account has no end, and is called as often as its owner likes.
fn check_may_give(giver: &Operator) -> Result<(), Error> {
    let Operator::Key { key, .. } = giver else { return Ok(()) };
    let less = match (key.expires_at, key.rate, key.workspace) {
        (Some(_), ..) => "ends",
        (_, Some(_), _) => "has a limit of calls",
        (.., Some(_)) => "is bound to a workspace",
        (None, None, None) => return Ok(()),
    };
    let message = format!("this key {less}, which an account does not, so it cannot give anybody an account");
    Err(Error::new(ErrorCode::Forbidden, message))
}
