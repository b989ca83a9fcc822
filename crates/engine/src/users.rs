//! Users of a dialect instance as the operator makes them: each with rights on workspaces, the first with a session.

use signalpost_core::base62;
use signalpost_core::credential::CredentialHash;
use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::id::{CredentialId, UserId, WorkspaceId};
use signalpost_core::id_form::Counter;
use signalpost_core::password::{self, check_password, check_username};
use signalpost_core::profile::{LoginRule, Profile};
use signalpost_core::secret::Secret;
use signalpost_core::time::Timestamp;
use signalpost_core::user::{Right, Session, User};
use signalpost_core::workspace::check_name;
use signalpost_store::catalog::{CreateUser, HeldRight};
use signalpost_store::{Done, Effect};

use crate::Engine;
use crate::credentials::{check_scopes, granted};
use crate::directory::View;
use crate::once::Keep;
use crate::operator::Operator;

/// Random letters and digits of a username that nobody chose.
const USERNAME_CHARS: usize = 12;

/// What is granted to a user on a workspace.
#[derive(Clone, Debug, Default)]
pub struct NewRight {
    pub name: Option<String>,
    /// All that the dialect knows when `None`.
    pub scopes: Option<Vec<String>>,
    pub expires_at: Option<Timestamp>,
}

/// Each is made when it is `None`.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    pub username: Option<String>,
    pub password: Option<Secret>,
}

/// A user with the only sight of what opens anything.
#[derive(Debug)]
pub struct IssuedUser {
    pub held: HeldRight,
    pub password: Secret,
    pub session: Session,
    pub session_key: Secret,
}

impl Engine {
    /// A user who is logged in, with one right. `Conflict` where the dialect has no login, and for a username that another
    /// user of the dialect instance has; `LimitReached` when the workspace has as many rights as it may have.
    pub async fn create_user(
        &self,
        workspace: &str,
        new: NewUser,
        right: NewRight,
        keep: Option<Keep<'_, IssuedUser>>,
    ) -> Result<Done<IssuedUser, Vec<u8>>, Error> {
        let view = self.directory.view(workspace).await?;
        let rule = login_rule(&view.profile)?;
        let now = self.clock.now();
        let mut errors = checked(&view.profile, &right, now);
        errors.take("username", new.username.as_deref().map_or(Ok(()), check_username));
        errors.take("password", new.password.as_ref().map_or(Ok(()), check_password));
        errors.into_result()?;
        let password = new.password.unwrap_or_else(|| password::mint(&mut |bytes| self.random.fill(bytes)));
        // Before a number is taken for good: it may be refused.
        let password_hash = self.hash_of(&password).await?;
        let username = new.username.unwrap_or_else(|| self.mint_username());
        let user = User {
            id: UserId::from_raw(self.mint_id()),
            public_id: self.mint_public_id(&rule.user_id, Counter::User).await?,
            dialect: view.workspace.dialect.clone(),
            display_name: right.name.clone().unwrap_or_else(|| username.clone()),
            username,
            created_at: now,
        };
        let right = self.right_of(&view, user.id, right, now);
        let session = Session::opened(user.id, now, rule.session_lifetime, std::slice::from_ref(&right));
        let session_key = self.mint_session_key(rule);
        let effect = Effect::CreateUser(Box::new(CreateUser {
            user: user.clone(),
            password: password_hash,
            right: right.clone(),
            session,
            hash: CredentialHash::of(session_key.expose()),
        }));
        let issued = IssuedUser { held: HeldRight { right, user }, password, session, session_key };
        let done = self.carry_out(Some(view.workspace.id), effect, &issued, keep.as_ref()).await?;
        Ok(done.map_now(|()| issued))
    }

    /// A further right of a user whom the dialect instance has already; rights on the same workspace add up. In force
    /// when this returns, also for a session that is open. A caller who knows of one workspace alone knows of the users who
    /// have a right on it, and of no others.
    pub async fn grant_right(
        &self,
        caller: &Operator,
        workspace: &str,
        user_id: &str,
        right: NewRight,
        keep: Option<Keep<'_, HeldRight>>,
    ) -> Result<Done<HeldRight, Vec<u8>>, Error> {
        let view = self.directory.view(workspace).await?;
        login_rule(&view.profile)?;
        let now = self.clock.now();
        let mut errors = checked(&view.profile, &right, now);
        let user = self.visible_user(caller, &view, user_id).await?;
        if user.is_none() {
            errors.push("user_id", "is not the id of a user of this dialect");
        }
        errors.into_result()?;
        let user = user.ok_or_else(|| Error::not_found("user"))?;
        let right = self.right_of(&view, user.id, right, now);
        let held = HeldRight { right, user };
        let effect = Effect::GrantRight(held.right.clone());
        let done = self.carry_out(Some(view.workspace.id), effect, &held, keep.as_ref()).await;
        // Also after a failure: the store may have granted it and lost the answer.
        self.sessions.forget(|known| known.user().id == held.user.id);
        Ok(done?.map_now(|()| held))
    }

    /// Rights on a workspace with the users who have them, oldest first.
    pub async fn list_rights(&self, workspace: WorkspaceId) -> Result<Vec<HeldRight>, Error> {
        Ok(self.store.list_rights(workspace).await?)
    }

    /// When this returns the user may do nothing by it any more; one who had no other is gone, the session included.
    pub(crate) async fn revoke_right(
        &self,
        workspace: WorkspaceId,
        right: CredentialId,
    ) -> Result<(), Error> {
        let revoked = self.store.revoke_right(workspace, right).await;
        // Also after a failure: the store may have revoked it and lost the answer.
        self.sessions.forget(|known| known.has_right(right));
        match revoked {
            Ok(_) => Ok(()),
            Err(error) => Err(named(error.into())),
        }
    }

    async fn visible_user(
        &self,
        caller: &Operator,
        view: &View,
        user_id: &str,
    ) -> Result<Option<User>, Error> {
        if caller.binding().is_none() {
            return Ok(self.store.user(view.workspace.dialect.clone(), user_id.to_owned()).await?);
        }
        let mut held = self.store.list_rights(view.workspace.id).await?.into_iter();
        Ok(held.find(|held| held.user.public_id == user_id).map(|held| held.user))
    }

    fn right_of(&self, view: &View, user: UserId, new: NewRight, now: Timestamp) -> Right {
        Right {
            id: CredentialId::from_raw(self.mint_id()),
            workspace: view.workspace.id,
            user,
            name: new.name,
            scopes: granted(&view.profile, new.scopes.as_deref()),
            created_at: now,
            expires_at: new.expires_at,
        }
    }

    fn mint_username(&self) -> String {
        format!("user-{}", base62::random(USERNAME_CHARS, &mut |bytes| self.random.fill(bytes)))
    }
}

/// What is looked at as a credential is missing as one.
fn named(error: Error) -> Error {
    if error.code == ErrorCode::NotFound { Error::not_found("credential") } else { error }
}

fn login_rule(profile: &Profile) -> Result<&LoginRule, Error> {
    let message = "workspaces of this dialect have no users who log in";
    profile.login.as_ref().ok_or_else(|| Error::new(ErrorCode::Conflict, message))
}

fn checked(profile: &Profile, new: &NewRight, now: Timestamp) -> FieldErrors {
    let mut errors = FieldErrors::default();
    errors.take("name", new.name.as_deref().map_or(Ok(()), check_name));
    if new.expires_at.is_some_and(|end| end <= now) {
        errors.push("expires_at", "must be in the future");
    }
    let scopes = new.scopes.as_deref();
    errors.take("rights", scopes.map_or(Ok(()), |scopes| check_scopes(profile, scopes)));
    if scopes.is_some_and(<[String]>::is_empty) && !profile.scopes.is_empty() {
        errors.push("rights", "must name at least one right");
    }
    errors
}
