//! Sessions of customers: opened by a link, carried by a browser as a token, ended on all nodes at once.

use std::sync::Arc;

use signalpost_core::act::Actor;
use signalpost_core::credential::CredentialHash;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::{PortalSessionId, WorkspaceId};
use signalpost_core::portal_rights::PortalRights;
use signalpost_core::portal_session::{PortalSession, has_form, mint};
use signalpost_core::principal::Principal;
use signalpost_core::secret::Secret;
use signalpost_store::StoreError;
use signalpost_store::portal::OpenPortalSession;

use super::links::expired;
use crate::Engine;
use crate::directory::View;
use crate::pass::{Pass, Realm};

/// What a customer is called of whom the link did not say.
const NAMELESS: &str = "customer";

/// A session with the only sight of its token.
#[derive(Debug)]
pub struct OpenedPortalSession {
    pub session: PortalSession,
    pub token: Secret,
}

/// Who calls by a session.
#[derive(Clone, Debug)]
pub struct PortalVisitor {
    pub session: Arc<PortalSession>,
    /// The only workspace that they know of.
    pub view: Arc<View>,
    pass: Pass,
}

impl PortalVisitor {
    pub fn rights(&self) -> PortalRights {
        self.session.rights
    }

    /// For people.
    pub fn name(&self) -> &str {
        self.session.name.as_deref().unwrap_or(NAMELESS)
    }

    /// As it is remembered beside what they did.
    pub fn principal(&self) -> Principal {
        Principal::user(&self.session.id.to_public(), self.session.name.as_deref().unwrap_or_default())
    }

    /// As it is called on record.
    pub fn actor(&self) -> Actor {
        Actor::Customer { session: self.session.id, name: self.session.name.clone() }
    }

    /// By which to look again whether they may still act.
    pub const fn pass(&self) -> Pass {
        self.pass
    }
}

impl Engine {
    /// Opens a session for whoever has a link. `Unauthenticated` whatever is wrong: none of ours, expired, of a workspace that
    /// is gone, or made before all sessions were ended.
    pub async fn open_portal(&self, link: &[u8]) -> Result<OpenedPortalSession, Error> {
        let link = self.read_portal_link(link)?;
        let view = match self.directory.view(&link.workspace).await {
            Err(error) if error.code == ErrorCode::NotFound => return Err(expired()),
            view => view?,
        };
        let (now, workspace) = (self.clock.now(), view.workspace.id);
        let session = PortalSession {
            id: PortalSessionId::from_raw(self.mint_id()),
            workspace,
            rights: link.rights,
            name: link.name,
            created_at: now,
            expires_at: now.plus_ms(link.session_ms),
        };
        let token = mint(&mut |bytes| self.random.fill(bytes));
        let hash = CredentialHash::of(token.expose());
        let params = OpenPortalSession { session: session.clone(), hash, link_made_at: link.made_at };
        let opened = self.store.open_portal_session(params).await;
        // The oldest of too many may have ended, also where the answer was lost.
        self.portal_sessions.forget(|known| known.workspace == workspace);
        match opened {
            Ok(()) => {
                let (id, workspace) = (session.id.to_public(), &link.workspace);
                tracing::info!(session = id, workspace, "a customer has come to the portal");
                Ok(OpenedPortalSession { session, token })
            }
            Err(StoreError::Missing(_) | StoreError::WrongState(_)) => Err(expired()),
            Err(error) => Err(error.into()),
        }
    }

    /// Finds out who presents a session's token. `Unauthenticated` whatever is wrong: unknown, expired, ended, or of a workspace
    /// that is gone. What does not have the form of a token is refused without asking the store.
    pub async fn portal_visitor(&self, token: &[u8]) -> Result<PortalVisitor, Error> {
        let refused = || Error::new(ErrorCode::Unauthenticated, "there is no such session, or it has ended");
        let (session, generation) = self.find_portal_session(token).await?.ok_or_else(refused)?;
        if !session.is_valid_at(self.clock.now()) {
            return Err(refused());
        }
        let view = match self.directory.view_by_id(session.workspace).await {
            Err(error) if error.code == ErrorCode::NotFound => return Err(refused()),
            view => view?,
        };
        let hash = CredentialHash::of(token);
        let pass = Pass { realm: Realm::Portal, hash, generation, expires_at: Some(session.expires_at) };
        Ok(PortalVisitor { session, view, pass })
    }

    /// Whether [`Self::portal_visitor`] can judge this without the store.
    pub fn knows_portal_session(&self, token: &[u8]) -> bool {
        has_form(token) && self.portal_sessions.knows(&CredentialHash::of(token))
    }

    /// When this returns no node lets it in. `NotFound` when it has ended before, or has expired and was forgotten.
    pub async fn end_portal_session(&self, workspace: WorkspaceId, id: PortalSessionId) -> Result<(), Error> {
        self.take_away(async {
            let ended = self.store.end_portal_session(workspace, id).await;
            // Also after a failure: the store may have ended it and lost the answer.
            self.portal_sessions.forget(|known| known.id == id);
            Ok(ended?)
        })
        .await
    }

    /// When this returns nobody is at the workspace's portal any more, and no link that was made before lets anybody in: before by
    /// the clock, for links are signed and not stored. Nodes go by the database's clock, each to within what the latest renewal of
    /// its lease took and four milliseconds of rounding. So much before the end another node may have made a link that is good yet,
    /// or so much after it one that is not.
    pub async fn end_portal_sessions(&self, workspace: WorkspaceId) -> Result<(), Error> {
        let at = self.clock.now();
        self.take_away(async {
            let ended = self.store.end_portal_sessions(workspace, at).await;
            self.portal_sessions.forget(|known| known.workspace == workspace);
            Ok(ended?)
        })
        .await
    }

    /// Good or not, and as of which generation.
    pub(crate) async fn find_portal_session(
        &self,
        token: &[u8],
    ) -> Result<Option<(Arc<PortalSession>, u64)>, Error> {
        if !has_form(token) {
            return Ok(None);
        }
        let hash = CredentialHash::of(token);
        Ok(self.portal_sessions.find(hash, || self.store.portal_session_by_hash(hash)).await?)
    }
}
