//! Sessions of those who operate: opened with a key or a password, carried by a browser as a token, ended on all nodes at once.

use std::sync::Arc;

use signalpost_core::credential::CredentialHash;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::{OperatorKeyId, OperatorSessionId, WorkspaceId};
use signalpost_core::operator_session::{Opener, OperatorSession, end_of_new, has_form, mint};
use signalpost_core::password::PasswordHash;
use signalpost_core::principal::Principal;
use signalpost_core::role::Role;
use signalpost_core::root_key::RootKey;
use signalpost_core::secret::Secret;
use signalpost_store::desk::{ListOperatorSessions, OpenOperatorSession};
use signalpost_store::{Answer, StoreError};

use crate::Engine;
use crate::operator::Operator;
use crate::pass::{Pass, Realm};

/// What a session is called whose opener has no name.
const NAMELESS: &str = "operator key";

/// A session with the only sight of its token.
#[derive(Debug)]
pub struct OpenedOperatorSession {
    pub session: OperatorSession,
    pub token: Secret,
}

/// Who calls by a session.
#[derive(Clone, Debug)]
pub struct OperatorVisitor {
    pub session: Arc<OperatorSession>,
    /// For people: what the account is called, or the key, if it has a name.
    pub name: String,
    opener_name: Option<String>,
    pass: Pass,
}

/// A session as it is kept in memory.
#[derive(Debug)]
pub(crate) struct KnownOperatorSession {
    session: Arc<OperatorSession>,
    opener_name: Option<String>,
}

impl OperatorVisitor {
    pub fn role(&self) -> Role {
        self.session.role
    }

    /// Whether they may know of this workspace.
    pub fn sees(&self, workspace: WorkspaceId) -> bool {
        self.session.workspace.is_none_or(|bound| bound == workspace)
    }

    /// As it is remembered beside what they did.
    pub fn principal(&self) -> Principal {
        match self.session.opener {
            Opener::Root { .. } => Principal::Operator,
            Opener::Key(id) => Principal::OperatorKey(id),
            Opener::Account(id) => Principal::user(&id.to_public(), &self.name),
        }
    }

    pub(super) fn opener_name(&self) -> Option<&str> {
        self.opener_name.as_deref()
    }

    /// By which to look again whether they may still act.
    pub const fn pass(&self) -> Pass {
        self.pass
    }
}

impl Engine {
    /// Opens a session for whoever presents the installation's own key, `root`, or an operator key. `Unauthenticated`
    /// whatever is wrong with it; `Forbidden` for a key that may only publish. It ends after its time, or with the key.
    pub async fn open_session_by_key(
        &self,
        presented: &[u8],
        root: &RootKey,
    ) -> Result<OpenedOperatorSession, Error> {
        if root.matches(presented) {
            let opener = Opener::Root { fingerprint: root.fingerprint() };
            let session = self.new_operator_session(opener, Role::Admin);
            return self.open_operator_session(session, None, gone()).await;
        }
        let caller = self.authenticate_operator(presented).await?;
        let Operator::Key { key, .. } = caller else {
            return Err(Error::internal("a key was taken for the installation's own"));
        };
        let role = Role::of_scopes(&key.scopes).ok_or_else(may_only_publish)?;
        let session = self.new_operator_session(Opener::Key(key.id), role);
        let expires_at = end_of_new(session.created_at, key.expires_at);
        let session = OperatorSession { workspace: key.workspace, expires_at, ..session };
        self.open_operator_session(session, None, gone()).await
    }

    /// Finds out who presents a session's token. `Unauthenticated` whatever is wrong: unknown, expired, ended, or opened with
    /// what opens nothing any more, which another `root` than today's is. What does not have the form of a token is refused
    /// without asking the store.
    pub async fn operator_visitor(&self, token: &[u8], root: &RootKey) -> Result<OperatorVisitor, Error> {
        let refused = || Error::new(ErrorCode::Unauthenticated, "there is no such session, or it has ended");
        if !has_form(token) {
            return Err(refused());
        }
        let hash = CredentialHash::of(token);
        let found = self.operator_sessions.find(hash, || self.load_operator_session(hash)).await?;
        let (known, generation) = found.ok_or_else(refused)?;
        let session = Arc::clone(&known.session);
        if !session.is_valid_at(self.clock.now()) || is_of_another_root(session.opener, root) {
            return Err(refused());
        }
        let pass = Pass { realm: Realm::Desk, hash, generation, expires_at: Some(session.expires_at) };
        let opener_name = known.opener_name.clone();
        let name = opener_name.clone().unwrap_or_else(|| NAMELESS.to_owned());
        Ok(OperatorVisitor { session, name, opener_name, pass })
    }

    /// Whether [`Self::operator_visitor`] can judge this without the store.
    pub fn knows_operator_session(&self, token: &[u8]) -> bool {
        has_form(token) && self.operator_sessions.knows(&CredentialHash::of(token))
    }

    /// Sessions that are good now, of everybody, newest first.
    pub async fn list_operator_sessions(
        &self,
        before: Option<OperatorSessionId>,
        limit: usize,
    ) -> Result<Vec<OpenOperatorSession>, Error> {
        let params = ListOperatorSessions { at: self.clock.now(), before, limit };
        Ok(self.store.list_operator_sessions(params).await?)
    }

    /// When this returns no node lets it in. `NotFound` when it has ended before, or has expired and was forgotten.
    pub async fn end_operator_session(&self, id: OperatorSessionId) -> Result<(), Error> {
        self.take_away(async {
            let ended = self.store.end_operator_session(id).await;
            // Also after a failure: the store may have ended it and lost the answer.
            self.operator_sessions.forget(|known| known.session.id == id);
            Ok(ended?)
        })
        .await
    }

    /// With the sessions that it has opened.
    pub(crate) fn forget_operator_key(&self, key: OperatorKeyId) {
        self.operator_keys.forget(|known| known.id == key);
        self.operator_sessions.forget(|known| known.was_opened_by(Opener::Key(key)));
    }

    pub(crate) fn load_operator_session(&self, hash: CredentialHash) -> Answer<Option<KnownOperatorSession>> {
        let found = self.store.operator_session_by_hash(hash);
        Box::pin(async move { Ok(found.await?.map(KnownOperatorSession::from)) })
    }

    pub(super) fn new_operator_session(&self, opener: Opener, role: Role) -> OperatorSession {
        let (now, id) = (self.clock.now(), OperatorSessionId::from_raw(self.mint_id()));
        let expires_at = end_of_new(now, None);
        OperatorSession { id, opener, role, workspace: None, created_at: now, expires_at }
    }

    /// `gone` is said when the opener went meanwhile; `verified` is the password that an account had before.
    pub(super) async fn open_operator_session(
        &self,
        session: OperatorSession,
        verified: Option<PasswordHash>,
        gone: Error,
    ) -> Result<OpenedOperatorSession, Error> {
        let token = mint(&mut |bytes| self.random.fill(bytes));
        let opened =
            self.store.open_operator_session(session, CredentialHash::of(token.expose()), verified).await;
        // The oldest of too many may have ended, also where the answer was lost.
        self.operator_sessions.forget(|known| known.was_opened_by(session.opener));
        match opened {
            Ok(()) => {
                let opened_by = session.opener.parts().0;
                tracing::info!(session = session.id.to_public(), opened_by, "an operator has signed in");
                Ok(OpenedOperatorSession { session, token })
            }
            Err(StoreError::Missing(_)) => Err(gone),
            Err(error) => Err(error.into()),
        }
    }
}

impl KnownOperatorSession {
    pub(crate) fn session(&self) -> &OperatorSession {
        &self.session
    }

    pub(crate) fn was_opened_by(&self, opener: Opener) -> bool {
        self.session.opener == opener
    }
}

impl From<OpenOperatorSession> for KnownOperatorSession {
    fn from(open: OpenOperatorSession) -> Self {
        let OpenOperatorSession { session, opener_name } = open;
        Self { session: Arc::new(session), opener_name }
    }
}

fn is_of_another_root(opener: Opener, root: &RootKey) -> bool {
    matches!(opener, Opener::Root { fingerprint } if fingerprint != root.fingerprint())
}

/// A key was revoked while the session was being opened.
fn gone() -> Error {
    Error::new(ErrorCode::Unauthenticated, "the operator key is missing or invalid")
}

fn may_only_publish() -> Error {
    let message = "this key may only publish; a session needs one with the scope `read` or `admin`";
    Error::new(ErrorCode::Forbidden, message)
}
