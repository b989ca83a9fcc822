//! The operators' desk of an engine without cores, on a store that another node uses as well.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use signalpost_core::credential::CredentialHash;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::policy::PolicyOverrides;
use signalpost_core::ports::Clock;
use signalpost_core::profile::{PauseRule, Profile};
use signalpost_core::retention::RetentionRules;
use signalpost_core::root_key::RootKey;
use signalpost_core::scope::Scope;
use signalpost_core::seal::Keyring;
use signalpost_core::secret::Secret;
use signalpost_core::time::Timestamp;
use signalpost_core::workspace::Workspace;
use signalpost_engine::desk::sessions::{OpenedOperatorSession, OperatorVisitor};
use signalpost_engine::operator::Operator;
use signalpost_engine::operator_keys::{IssuedOperatorKey, NewOperatorKey};
use signalpost_engine::workspaces::NewWorkspace;
use signalpost_engine::{Engine, EngineOptions};
use signalpost_store::Change;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::faulty::{Fault, FaultyStore, Plan};
use signalpost_store::testing::in_place::InPlace;
use signalpost_store::testing::memory::MemoryStore;

use super::{Counting, HandClock, profile};

pub(crate) const ROOT: &[u8] = b"the root key";

/// An engine without cores, and the store that another node uses as well.
pub(crate) struct Desk {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) work: Arc<InPlace>,
    pub(crate) store: MemoryStore,
    pub(crate) root: RootKey,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with_faults(Box::new(|_| Fault::Pass))
    }

    pub(crate) fn with_faults(plan: Plan) -> Self {
        let (clock, work) = (Arc::new(HandClock::default()), Arc::new(InPlace::default()));
        let store = MemoryStore::new();
        let (engine, _) = Engine::new(EngineOptions {
            store: Arc::new(FaultyStore::new(store.clone(), plan)),
            clock: Arc::clone(&clock) as _,
            random: Arc::new(Counting(AtomicU64::new(1))),
            heavy_work: Arc::clone(&work) as _,
            keyring: Arc::new(Keyring::parse(&"07".repeat(32)).expect("a good key")),
            profiles: vec![Profile { farewell: None, ..profile(PauseRule::Drops, None) }],
            cores: 1,
            retention: RetentionRules::default(),
        });
        Self { engine, clock, work, store, root: RootKey::new(CredentialHash::of(ROOT)) }
    }

    pub(crate) fn workspace(&self) -> Workspace {
        let new = NewWorkspace {
            dialect: "rig".to_owned(),
            name: "Acme".to_owned(),
            id: None,
            features: None,
            policy: PolicyOverrides::default(),
        };
        let made = block_on(self.engine.create_workspace(new, None)).expect("a workspace");
        made.now().expect("not a repetition")
    }

    pub(crate) fn key(&self, new: NewOperatorKey) -> IssuedOperatorKey {
        let made = block_on(self.engine.create_operator_key(&Operator::Root, new, None)).expect("a key");
        made.now().expect("not a repetition")
    }

    pub(crate) fn revoke(&self, key: &IssuedOperatorKey) {
        let id = key.shown.key.id.to_public();
        block_on(self.engine.revoke_operator_key(&Operator::Root, &id)).expect("it is there");
    }

    pub(crate) fn sign_in(&self, presented: &[u8]) -> Result<OpenedOperatorSession, Error> {
        block_on(self.engine.open_session_by_key(presented, &self.root))
    }

    pub(crate) fn open(&self, presented: &[u8]) -> OpenedOperatorSession {
        self.sign_in(presented).expect("it opens a session")
    }

    pub(crate) fn visit(&self, token: &Secret) -> Result<OperatorVisitor, Error> {
        block_on(self.engine.operator_visitor(token.expose(), &self.root))
    }

    pub(crate) fn enter(&self, opened: &OpenedOperatorSession) -> OperatorVisitor {
        self.visit(&opened.token).expect("the session is good")
    }

    pub(crate) fn is_open(&self, opened: &OpenedOperatorSession) -> bool {
        let visit = self.visit(&opened.token);
        assert!(visit.is_ok() || code(&visit) == Some(ErrorCode::Unauthenticated), "{visit:?}");
        visit.is_ok()
    }

    pub(crate) fn may_go_on(&self, visitor: &OperatorVisitor) -> bool {
        block_on(self.engine.confirm(&visitor.pass())).is_ok()
    }

    /// As another node would be heard.
    pub(crate) fn tell(&self, change: Change) {
        block_on(self.store.tell_changed(vec![change]));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

pub(crate) fn code<T>(result: &Result<T, Error>) -> Option<ErrorCode> {
    result.as_ref().err().map(|error| error.code)
}

pub(crate) fn with(scopes: &[Scope]) -> NewOperatorKey {
    NewOperatorKey {
        name: None,
        scopes: scopes.to_vec(),
        workspace: None,
        rate_limit_per_s: None,
        expires_at: None,
    }
}
