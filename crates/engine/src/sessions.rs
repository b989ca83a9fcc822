//! Users who log in: a password opens a session, and the session's key everything that the user has a right to.

use std::sync::Arc;

use signalpost_core::credential::CredentialHash;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::hex;
use signalpost_core::id::{CredentialId, WorkspaceId};
use signalpost_core::password::{check_username, may_be_password};
use signalpost_core::ports::Asker;
use signalpost_core::profile::LoginRule;
use signalpost_core::secret::Secret;
use signalpost_core::time::Timestamp;
use signalpost_core::user::{Right, Session, User, last_end};
use signalpost_store::catalog::{Account, OpenSession};
use signalpost_store::{Answer, StoreError};

use crate::Engine;
use crate::directory::View;
use crate::pass::{Pass, Realm};

/// Who has just logged in, with the only sight of the session's key.
#[derive(Debug)]
pub struct LoggedIn {
    pub user: User,
    pub session: Session,
    pub session_key: Secret,
}

/// Who calls by a session.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub user: Arc<User>,
    pub pass: Pass,
    /// As of the pass.
    known: Arc<KnownSession>,
}

/// A session as it is kept in memory.
#[derive(Debug)]
pub(crate) struct KnownSession {
    user: Arc<User>,
    session: Session,
    /// In order of their workspaces.
    rights: Vec<Right>,
}

impl Engine {
    /// Opens a session in place of the one that the user had: when this returns that one opens nothing any more. It ends
    /// with the last of the rights that the user has now; a right that is granted later does not make it last longer.
    ///
    /// `Unauthenticated` whatever is wrong, after the same work: no such user, another password, no right that is still
    /// good. `RateLimited` for a username, known or not, with which wrong passwords came too fast; then the right one is
    /// refused as well. `Unavailable` when too many passwords wait to be looked at.
    pub async fn login(&self, dialect: &str, username: &str, password: &Secret) -> Result<LoggedIn, Error> {
        let profile = self.profiles.get(dialect)?;
        let rule = profile.login.as_ref().ok_or_else(|| Error::internal("the dialect has no login"))?;
        let now = self.clock.now();
        let guess = self.wrong_passwords.suspect(dialect, username, now).inspect_err(|_| {
            self.metrics.logins_throttled.add(1);
        })?;
        let outcome = self.open_session_of(dialect, username, password, rule).await;
        let counts = matches!(&outcome, Err(error) if error.code == ErrorCode::Unauthenticated);
        if counts {
            self.metrics.logins_refused.add(1);
            tracing::debug!(dialect, "a login was refused");
        } else {
            self.wrong_passwords.acquit(guess, self.clock.now());
        }
        let logged_in = outcome?;
        self.metrics.logins.add(1);
        tracing::info!(dialect, user = logged_in.user.public_id, "a user has logged in");
        Ok(logged_in)
    }

    /// Finds out who presents a session's key, and the user id that goes with it, to a dialect instance.
    /// `Unauthenticated` whatever is wrong: unknown, expired, ended, another user's, or without any right that is still
    /// good. What does not have the form of a key is refused without asking the store.
    pub async fn authenticate_session(
        &self,
        dialect: &str,
        user_id: &str,
        key: &[u8],
    ) -> Result<Visitor, Error> {
        let refused = || Error::new(ErrorCode::Unauthenticated, "there is no such session, or it has ended");
        let profile = self.profiles.get(dialect)?;
        if !profile.login.as_ref().is_some_and(|rule| rule.fits_key(key)) {
            return Err(refused());
        }
        let hash = CredentialHash::of(key);
        let found = self.sessions.find(hash, || self.load_session(hash)).await?;
        let (known, generation) = found.ok_or_else(refused)?;
        let expires_at = known.expires_at();
        // The id is no secret: whoever has the key has been told it.
        if !known.is_of(dialect, user_id) || self.clock.now() >= expires_at {
            return Err(refused());
        }
        let pass = Pass { realm: Realm::Users, hash, generation, expires_at: Some(expires_at) };
        Ok(Visitor { user: Arc::clone(&known.user), pass, known })
    }

    /// Whether [`Self::authenticate_session`] can judge this without the store.
    pub fn knows_session(&self, key: &[u8]) -> bool {
        self.sessions.knows(&CredentialHash::of(key))
    }

    /// A workspace, and what a visitor may do in it right now: never nothing. `NotFound` when there is no such workspace,
    /// when it speaks another dialect, and when the visitor has no right on it.
    pub async fn visit(&self, visitor: &Visitor, workspace: &str) -> Result<(Arc<View>, Vec<String>), Error> {
        let hidden = || Error::not_found("workspace");
        let known = self.known_now(visitor).await?;
        // The right first: what else there is to find out is told to nobody without one.
        let id = self.directory.id(workspace).await?;
        let now = self.clock.now();
        let held: Vec<&Right> = known.rights_on(id).iter().filter(|right| right.is_valid_at(now)).collect();
        if held.is_empty() {
            return Err(hidden());
        }
        let view = self.directory.view(workspace).await?;
        if view.workspace.dialect != visitor.user.dialect {
            return Err(hidden());
        }
        let is_held = |scope: &&String| held.iter().any(|right| right.scopes.contains(scope));
        let scopes = view.profile.scopes.iter().filter(is_held).cloned().collect();
        Ok((view, scopes))
    }

    pub(crate) fn load_session(&self, hash: CredentialHash) -> Answer<Option<KnownSession>> {
        let found = self.store.session_by_hash(hash);
        Box::pin(async move { Ok(found.await?.map(KnownSession::from)) })
    }

    pub(crate) fn mint_session_key(&self, rule: &LoginRule) -> Secret {
        let mut bytes = vec![0u8; rule.key_bytes];
        self.random.fill(&mut bytes);
        Secret::from_text(&hex::encode(&bytes))
    }

    /// What is known of a visitor's session by now: a right may have gone while the request was arriving.
    async fn known_now(&self, visitor: &Visitor) -> Result<Arc<KnownSession>, Error> {
        if self.sessions.stands(visitor.pass.generation) {
            return Ok(Arc::clone(&visitor.known));
        }
        let hash = visitor.pass.hash;
        let found = self.sessions.find(hash, || self.load_session(hash)).await?;
        let gone = || Error::new(ErrorCode::Unauthenticated, "the session has ended");
        found.map(|(known, _)| known).ok_or_else(gone)
    }

    async fn open_session_of(
        &self,
        dialect: &str,
        username: &str,
        password: &Secret,
        rule: &LoginRule,
    ) -> Result<LoggedIn, Error> {
        let refused = || Error::new(ErrorCode::Unauthenticated, "no user has this name and this password");
        let Account { user, rights, .. } =
            self.account_with(dialect, username, password).await?.ok_or_else(refused)?;
        let now = self.clock.now();
        let session = Session::opened(user.id, now, rule.session_lifetime, &rights);
        if !session.is_valid_at(now) {
            return Err(refused());
        }
        let session_key = self.mint_session_key(rule);
        let opened = self.store.open_session(session, CredentialHash::of(session_key.expose())).await;
        // Also after a failure: the store may have opened it and lost the answer.
        self.sessions.forget(|known| known.user.id == user.id);
        match opened {
            Ok(()) => Ok(LoggedIn { user, session, session_key }),
            // The last right was revoked while the password was being looked at.
            Err(StoreError::Missing(_)) => Err(refused()),
            Err(error) => Err(error.into()),
        }
    }

    /// The account that a name and a password belong to. A name that nobody has costs the same work.
    async fn account_with(
        &self,
        dialect: &str,
        username: &str,
        password: &Secret,
    ) -> Result<Option<Account>, Error> {
        if !may_be_password(password) {
            return Ok(None);
        }
        let account = match check_username(username) {
            Ok(()) => self.store.account(dialect.to_owned(), username.to_owned()).await?,
            Err(_) => None,
        };
        let known = account.as_ref().map(|account| &account.password);
        let is_right = self.is_password(Asker::Stranger, known, password).await?;
        Ok(account.filter(|_| is_right))
    }
}

impl KnownSession {
    /// When it opens nothing any more: at its own end, or with the last of the user's rights.
    pub(crate) fn expires_at(&self) -> Timestamp {
        let end = self.session.expires_at;
        last_end(&self.rights).map_or(self.session.created_at, |last| last.map_or(end, |last| last.min(end)))
    }

    /// Rooms in memory, at least one.
    pub(crate) fn weight(&self) -> usize {
        self.rights.len().max(1)
    }

    pub(crate) fn is_of(&self, dialect: &str, user_id: &str) -> bool {
        self.user.dialect == dialect && self.user.public_id == user_id
    }

    pub(crate) fn has_right_on(&self, workspace: WorkspaceId) -> bool {
        !self.rights_on(workspace).is_empty()
    }

    pub(crate) fn has_right(&self, right: CredentialId) -> bool {
        self.rights.iter().any(|known| known.id == right)
    }

    pub(crate) fn user(&self) -> &User {
        &self.user
    }

    fn rights_on(&self, workspace: WorkspaceId) -> &[Right] {
        let start = self.rights.partition_point(|right| right.workspace < workspace);
        let count = self.rights[start..].partition_point(|right| right.workspace == workspace);
        &self.rights[start..start + count]
    }
}

impl From<OpenSession> for KnownSession {
    fn from(open: OpenSession) -> Self {
        let OpenSession { session, user, rights } = open;
        Self { user: Arc::new(user), session, rights }
    }
}
