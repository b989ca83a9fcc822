//! What an engine remembers that other nodes may change, and what becomes of it when they do.

use std::sync::Arc;

use futures_util::future::join_all;
use signalpost_core::credential::Credential;
use signalpost_core::health::Health;
use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::SESSION_CACHE_RIGHTS_MAX;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::operator_session::Opener;
use signalpost_core::portal_session::PortalSession;
use signalpost_core::ports::BoxFuture;
use signalpost_store::Change;

use crate::desk::sessions::KnownOperatorSession;
use crate::directory::Directory;
use crate::doorbell::{Doorbell, Resumed};
use crate::hash_cache::HashCache;
use crate::mailbox::Mailbox;
use crate::sessions::KnownSession;
use crate::trust::Trust;

#[derive(Clone)]
pub(crate) struct Remembered {
    pub(crate) directory: Arc<Directory>,
    pub(crate) credentials: Arc<HashCache<Credential>>,
    pub(crate) operator_keys: Arc<HashCache<OperatorKey>>,
    pub(crate) operator_sessions: Arc<HashCache<KnownOperatorSession>>,
    pub(crate) portal_sessions: Arc<HashCache<PortalSession>>,
    pub(crate) sessions: Arc<HashCache<KnownSession>>,
    pub(crate) doorbell: Arc<Doorbell>,
    /// Rung when what is owed should be looked for before its time.
    pub(crate) owed_bell: Mailbox<()>,
    /// Rung when there may be something to replay.
    pub(crate) replay_bell: Mailbox<()>,
}

impl Remembered {
    pub(crate) fn nothing(
        directory: Directory,
        trust: &Trust,
        doorbell: &Arc<Doorbell>,
        owed_bell: &Mailbox<()>,
        replay_bell: &Mailbox<()>,
    ) -> Self {
        let sessions = HashCache::weighing(KnownSession::weight, SESSION_CACHE_RIGHTS_MAX, trust.clone());
        Self {
            directory: Arc::new(directory),
            credentials: Arc::new(HashCache::new(trust.clone())),
            operator_keys: Arc::new(HashCache::new(trust.clone())),
            operator_sessions: Arc::new(HashCache::new(trust.clone())),
            portal_sessions: Arc::new(HashCache::new(trust.clone())),
            sessions: Arc::new(sessions),
            doorbell: Arc::clone(doorbell),
            owed_bell: owed_bell.clone(),
            replay_bell: replay_bell.clone(),
        }
    }

    /// Forgets at once, whether or not it is waited for that lanes have done so, too.
    pub(crate) fn apply(&self, changes: Vec<Change>) -> BoxFuture<'static, ()> {
        changes.iter().for_each(|change| self.forget(change));
        let remembered = self.clone();
        Box::pin(async move {
            join_all(changes.into_iter().map(|change| remembered.tell_lanes(change))).await;
        })
    }

    fn forget(&self, change: &Change) {
        match *change {
            Change::FanOut(workspace)
            | Change::Webhook { workspace, .. }
            | Change::Resumed { workspace, .. }
            | Change::Workspace(workspace) => self.directory.forget(workspace),
            Change::Erased(workspace) => self.forget_workspace(workspace),
            Change::Arrived(workspace) => {
                self.forget_workspace(workspace);
                self.replay_bell.push_all([()]);
            }
            Change::Credential(id) => self.credentials.forget(|known| known.id == id),
            Change::OperatorKey(id) => {
                self.operator_keys.forget(|known| known.id == id);
                self.operator_sessions.forget(|known| known.was_opened_by(Opener::Key(id)));
            }
            Change::OperatorAccount(id) => {
                self.operator_sessions.forget(|known| known.was_opened_by(Opener::Account(id)));
            }
            Change::OperatorSession(id) => self.operator_sessions.forget(|known| known.session().id == id),
            Change::PortalSession(id) => self.portal_sessions.forget(|known| known.id == id),
            Change::PortalSessions(workspace) => {
                self.portal_sessions.forget(|known| known.workspace == workspace);
            }
            Change::User(id) | Change::Granted(id) => self.sessions.forget(|known| known.user().id == id),
            Change::Replay(_) => self.replay_bell.push_all([()]),
            Change::Any => {
                self.replay_bell.push_all([()]);
                self.directory.forget_all();
                self.credentials.forget(|_| true);
                self.operator_keys.forget(|_| true);
                self.operator_sessions.forget(|_| true);
                self.portal_sessions.forget(|_| true);
                self.sessions.forget(|_| true);
            }
        }
    }

    /// With all that opens it.
    fn forget_workspace(&self, workspace: WorkspaceId) {
        self.credentials.forget(|known| known.workspace == workspace);
        self.sessions.forget(|known| known.has_right_on(workspace));
        self.operator_keys.forget(|known| known.workspace == Some(workspace));
        self.operator_sessions.forget(|known| known.session().workspace == Some(workspace));
        self.portal_sessions.forget(|known| known.workspace == workspace);
        self.directory.forget(workspace);
    }

    async fn tell_lanes(&self, change: Change) {
        match change {
            Change::Webhook { webhook, .. } => self.doorbell.reload(webhook).await,
            Change::Resumed { webhook, release, .. } => {
                // As the change has left it. By now the store may have been told of an attempt that began before.
                let health = Some(Health::default());
                self.doorbell.resume(webhook, Resumed { health, release }).await;
            }
            Change::Workspace(workspace) | Change::Erased(workspace) => {
                self.doorbell.reload_workspace(workspace).await;
            }
            Change::Arrived(workspace) => {
                self.doorbell.reload_workspace(workspace).await;
                self.owed_bell.push_all([()]);
            }
            Change::Any => {
                self.doorbell.reload_all().await;
                // Some may have been switched on, and are in nobody's memory.
                self.owed_bell.push_all([()]);
            }
            Change::FanOut(_)
            | Change::Credential(_)
            | Change::OperatorKey(_)
            | Change::OperatorAccount(_)
            | Change::OperatorSession(_)
            | Change::PortalSession(_)
            | Change::PortalSessions(_)
            | Change::User(_)
            | Change::Granted(_)
            | Change::Replay(_) => {}
        }
    }
}
