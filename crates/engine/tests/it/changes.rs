//! What another node has changed in the same store: nothing starts under the old state, nobody is let in by it, and a process
//! that cannot have heard of it relies on nothing that it remembers.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures_util::FutureExt;
use signalpost_core::ceilings::{Ceilings, MaxInFlight};
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::health::{HoldRule, ReleaseOrder, Standing};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::policy::{PolicyChange, PolicyOverrides};
use signalpost_core::ports::Clock;
use signalpost_core::principal::Principal;
use signalpost_core::profile::{IdForm, LoginRule, PauseRule, Profile, RandomText};
use signalpost_core::retention::RetentionRules;
use signalpost_core::scope::Scope;
use signalpost_core::seal::Keyring;
use signalpost_core::secret::Secret;
use signalpost_core::user::Right;
use signalpost_engine::credentials::NewCredential;
use signalpost_engine::operator::Operator;
use signalpost_engine::operator_keys::NewOperatorKey;
use signalpost_engine::pass::Pass;
use signalpost_engine::users::{NewRight, NewUser};
use signalpost_engine::webhooks::{Activity, NewWebhook};
use signalpost_engine::workspaces::NewWorkspace;
use signalpost_engine::{Engine, EngineOptions};
use signalpost_store::catalog::{
    DeleteSigningKey, DeleteWebhook, EraseWorkspace, Switch, UpdateWebhook, UpdateWorkspace,
};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::in_place::InPlace;
use signalpost_store::testing::memory::MemoryStore;
use signalpost_store::{Catalog, Change, Ledger};

use crate::rig::{Counting, HandClock, Rig, delivered, pending, profile};

/// A rig, the store that others use as well, and a webhook that takes one request at a time.
struct Stage {
    rig: Rig,
    store: Arc<MemoryStore>,
    workspace: WorkspaceId,
    public_id: String,
    webhook: WebhookId,
}

impl Stage {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        Self::of(Rig::on(Arc::clone(&store) as _), store)
    }

    fn of(mut rig: Rig, store: Arc<MemoryStore>) -> Self {
        let in_flight = Some(MaxInFlight::new(1).expect("within its bounds"));
        let public_id = rig.webhook_within(Ceilings { in_flight, ..Ceilings::default() });
        let (workspace, webhook) = (rig.view.workspace.id, rig.look(&public_id).id);
        Self { rig, store, workspace, public_id, webhook }
    }

    /// Tells of changes, and lets everything come to rest.
    fn tell(&mut self, change: Change) {
        let store = Arc::clone(&self.store);
        self.rig.call(async move |_, _| store.tell_changed(vec![change]).await);
    }

    fn delete(&self) {
        let (workspace, webhook, at) = (self.workspace, self.webhook, self.rig.clock.now());
        let params = DeleteWebhook { workspace, webhook, at, by: Principal::Operator };
        block_on(self.store.delete_webhook(params)).expect("it lives");
    }

    fn erase(&self) {
        let (workspace, at) = (self.workspace, self.rig.clock.now());
        block_on(self.store.erase_workspace(EraseWorkspace { workspace, at })).expect("it lives");
    }

    /// Changes the webhook and nothing that is remembered here.
    fn update(&self, update: impl FnOnce(UpdateWebhook) -> UpdateWebhook) {
        let nothing = UpdateWebhook::nothing(self.workspace, self.webhook, self.rig.clock.now());
        block_on(self.store.update_webhook(update(nothing))).expect("it lives");
    }

    fn requests(&self) -> usize {
        self.rig.receiver.requests()
    }
}

#[test]
fn nothing_starts_once_a_change_was_applied() {
    type Case = (fn(&Stage), fn(&Stage) -> Change);
    let cases: [Case; 4] = [
        (Stage::delete, |stage| Change::Webhook { workspace: stage.workspace, webhook: stage.webhook }),
        (Stage::delete, |stage| Change::Workspace(stage.workspace)),
        (Stage::delete, |_| Change::Any),
        (Stage::erase, |stage| Change::Erased(stage.workspace)),
    ];
    for (end, change) in cases {
        let mut stage = Stage::new();
        stage.rig.publish(3);
        assert_eq!(stage.requests(), 1);
        end(&stage);
        let change = change(&stage);
        stage.tell(change);
        stage.rig.receiver.status.set(Some(200));
        stage.rig.receiver.answer(200);
        stage.rig.settle();
        stage.rig.advance_s(600);
        assert_eq!(stage.requests(), 1, "{change:?}");
    }
}

#[test]
fn a_change_is_applied_when_lanes_have_heard_of_it() {
    let mut stage = Stage::new();
    let (workspace, webhook) = (stage.workspace, stage.webhook);
    let resumed = Change::Resumed { workspace, webhook, release: None };
    for change in [Change::Webhook { workspace, webhook }, resumed, Change::Erased(workspace), Change::Any] {
        let mut told = stage.store.tell_changed(vec![Change::FanOut(workspace), change]);
        assert!((&mut told).now_or_never().is_none(), "no core has run: {change:?}");
        stage.rig.settle();
        assert!(told.now_or_never().is_some(), "{change:?}");
    }
    let quiet = stage.store.tell_changed(vec![Change::FanOut(workspace)]);
    assert!(quiet.now_or_never().is_some(), "that is no lane's business");
}

#[test]
fn a_webhook_that_another_node_has_switched_on_goes_on_at_once() {
    let store = Arc::new(MemoryStore::new());
    let rig = Rig::new_on(PauseRule::Holds, Arc::clone(&store) as _);
    let mut stage = Stage::of(rig, store);
    stage.rig.receiver.status.set(Some(500));
    stage.rig.publish(2);
    let webhook = stage.public_id.clone();
    stage.rig.switch(&webhook, Activity::Paused);
    stage.rig.receiver.status.set(Some(200));
    stage.rig.advance_s(600);
    assert_eq!((stage.requests(), stage.rig.count(pending)), (2, 2), "both are held");
    stage.update(|update| UpdateWebhook { switch: Some(Switch::Enable), ..update });
    let (workspace, webhook) = (stage.workspace, stage.webhook);
    stage.tell(Change::Resumed { workspace, webhook, release: None });
    assert_eq!(stage.rig.count(delivered), 2);
}

/// All of it, and no probe first.
#[test]
fn a_webhook_that_another_node_has_released_sends_what_was_held() {
    const RULE: HoldRule = HoldRule { failures_min: 2, failing_for: Duration::from_secs(5) };
    let store = Arc::new(MemoryStore::new());
    let rig = Rig::with_holds_on(Arc::clone(&store) as _, RULE, ReleaseOrder::OldestFirst);
    let mut stage = Stage::of(rig, store);
    stage.rig.receiver.status.set(Some(500));
    stage.rig.publish(2);
    stage.rig.advance_s(11);
    let webhook = stage.public_id.clone();
    assert_eq!(stage.rig.look(&webhook).health.standing(), Standing::Paused);
    stage.rig.publish(3);
    let before = stage.requests();
    stage.update(|update| UpdateWebhook { release: Some(ReleaseOrder::OldestFirst), ..update });
    let (workspace, webhook) = (stage.workspace, stage.webhook);
    stage.tell(Change::Resumed { workspace, webhook, release: Some(ReleaseOrder::OldestFirst) });
    assert_eq!(stage.requests(), before + 4, "all that is due");
}

#[test]
fn a_signing_key_that_another_node_has_deleted_signs_nothing_more() {
    let store = Arc::new(MemoryStore::new());
    let mut rig = Rig::with_shared_keys(Arc::clone(&store) as _, 2);
    rig.receiver.status.set(Some(200));
    let key = rig.call(async |engine, view| engine.create_signing_key(&view).await).expect("a new key");
    let signing_key = Some(key.public_id);
    rig.webhook_like(|new| NewWebhook { signing_key, ..new });
    rig.publish(1);
    assert!(rig.receiver.take("x-signature")[0].is_some());
    let (workspace, at) = (rig.view.workspace.id, rig.clock.now());
    let params = DeleteSigningKey { workspace, key: key.id, at, by: Principal::Operator };
    block_on(store.delete_signing_key(params)).expect("it lives");
    rig.call(async |_, _| store.tell_changed(vec![Change::Workspace(workspace)]).await);
    rig.publish(1);
    assert_eq!(rig.receiver.take("x-signature"), [None]);
}

/// A dialect with everything that opens something, and one of each, remembered by an engine without cores.
struct Doors {
    engine: Arc<Engine>,
    clock: Arc<HandClock>,
    store: Arc<MemoryStore>,
    workspace: WorkspaceId,
    public_id: String,
    right: Right,
    user: String,
    credential: Secret,
    operator_key: Secret,
    session_key: Secret,
    passes: Vec<Pass>,
}

fn with_doors() -> Profile {
    let form = RandomText { prefix: "c_".to_owned(), length: 32 };
    let login =
        LoginRule { user_id: IdForm::Number, key_bytes: 32, session_lifetime: Duration::from_secs(3_600) };
    let scopes = vec!["read".to_owned()];
    let features = vec!["shop".to_owned()];
    let plain = profile(PauseRule::Drops, None);
    Profile { credential: Some(form), login: Some(login), scopes, features, farewell: None, ..plain }
}

impl Doors {
    fn new() -> Self {
        let (clock, store) = (Arc::new(HandClock::default()), Arc::new(MemoryStore::new()));
        let (engine, _) = Engine::new(EngineOptions {
            store: Arc::clone(&store) as _,
            clock: Arc::clone(&clock) as _,
            random: Arc::new(Counting(AtomicU64::new(1))),
            heavy_work: Arc::new(InPlace::default()),
            keyring: Arc::new(Keyring::parse(&"07".repeat(32)).expect("a good key")),
            profiles: vec![with_doors()],
            cores: 1,
            retention: RetentionRules::default(),
        });
        let new = NewWorkspace {
            dialect: "rig".to_owned(),
            name: "Acme".to_owned(),
            id: None,
            features: None,
            policy: PolicyOverrides::default(),
        };
        let made = block_on(engine.create_workspace(new, None)).expect("a workspace").now();
        let workspace = made.expect("not a repetition");
        let public_id = workspace.public_id;
        let new = NewCredential { name: None, scopes: None, expires_at: None };
        let made = block_on(engine.create_credential(&public_id, new, None)).expect("a credential");
        let credential = made.now().expect("not a repetition").secret;
        let (new, right) = (NewUser::default(), NewRight::default());
        let made = block_on(engine.create_user(&public_id, new, right, None)).expect("a user").now();
        let user = made.expect("not a repetition");
        let new = NewOperatorKey {
            name: None,
            scopes: vec![Scope::Admin],
            workspace: Some(public_id.clone()),
            rate_limit_per_s: None,
            expires_at: None,
        };
        let made = block_on(engine.create_operator_key(&Operator::Root, new, None)).expect("a key").now();
        let operator_key = made.expect("not a repetition").secret;
        let (right, session_key, user) = (user.held.right, user.session_key, user.held.user.public_id);
        let (workspace, passes) = (workspace.id, Vec::new());
        let mut doors = Self {
            engine,
            clock,
            store,
            workspace,
            public_id,
            right,
            user,
            credential,
            operator_key,
            session_key,
            passes,
        };
        doors.passes = doors.enter().map(|entered| entered.expect("it opens").1).into();
        doors
    }

    /// By the credential, by the operator key and by the session: what it is called inside, and a pass.
    fn enter(&self) -> [Result<(Change, Pass), Error>; 3] {
        let by_credential = block_on(self.engine.authenticate("rig", self.credential.expose()));
        let by_key = block_on(self.engine.authenticate_operator(self.operator_key.expose()));
        let session = self.session_key.expose();
        let by_session = block_on(self.engine.authenticate_session("rig", &self.user, session));
        [
            by_credential.map(|caller| (Change::Credential(caller.credential.id), caller.pass)),
            by_key.map(|operator| match operator {
                Operator::Key { key, pass } => (Change::OperatorKey(key.id), pass),
                Operator::Root => panic!("it is another's"),
            }),
            by_session.map(|visitor| (Change::User(visitor.user.id), visitor.pass)),
        ]
    }

    /// Which of them open something; nobody who was let in before has a pass that does more.
    fn open(&self) -> [bool; 3] {
        let entered = self.enter().map(|entered| match entered {
            Ok(_) => true,
            Err(error) if error.code == ErrorCode::Unauthenticated => false,
            Err(error) => panic!("{error}"),
        });
        for (pass, open) in self.passes.iter().zip(entered) {
            assert_eq!(block_on(self.engine.confirm(pass)).is_ok(), open, "{pass:?}");
        }
        entered
    }

    /// As another node would.
    fn revoke_all(&self) -> Vec<Change> {
        let changes = self.enter().map(|entered| entered.expect("it opens").0);
        let [Change::Credential(credential), Change::OperatorKey(key), _] = changes else {
            panic!("{changes:?}")
        };
        block_on(self.store.revoke_credential(self.workspace, credential)).expect("it lives");
        block_on(self.store.revoke_operator_key(key)).expect("it lives");
        block_on(self.store.revoke_right(self.workspace, self.right.id)).expect("it lives");
        changes.into()
    }

    fn name(&self) -> Option<String> {
        match block_on(self.engine.workspace(&self.public_id)) {
            Ok(view) => Some(view.workspace.name.clone()),
            Err(error) if error.code == ErrorCode::NotFound => None,
            Err(error) => panic!("{error}"),
        }
    }

    fn rename(&self, name: &str) {
        let (workspace, name) = (self.workspace, Some(name.to_owned()));
        let params = UpdateWorkspace { workspace, name, features: None, policy: PolicyChange::default() };
        block_on(self.store.update_workspace(params)).expect("it lives");
    }
}

#[test]
fn what_another_node_has_revoked_opens_nothing_once_it_was_told() {
    let doors = Doors::new();
    let changes = doors.revoke_all();
    let mut open = [true; 3];
    assert_eq!(doors.open(), open, "nobody has said anything");
    for (place, change) in changes.into_iter().enumerate() {
        block_on(doors.store.tell_changed(vec![change]));
        open[place] = false;
        assert_eq!(doors.open(), open, "{change:?}");
    }
}

#[test]
fn nothing_opens_a_workspace_that_another_node_has_erased() {
    for told in [Change::Any, Change::Erased(Doors::new().workspace)] {
        let doors = Doors::new();
        let (workspace, at) = (doors.workspace, doors.clock.now());
        block_on(doors.store.erase_workspace(EraseWorkspace { workspace, at })).expect("it lives");
        assert_eq!((doors.open(), doors.name().is_some()), ([true; 3], true), "nobody has said anything");
        block_on(doors.store.tell_changed(vec![told]));
        assert_eq!((doors.open(), doors.name()), ([false; 3], None), "{told:?}");
    }
}

#[test]
fn a_workspace_is_seen_as_another_node_has_changed_it() {
    let doors = Doors::new();
    doors.name();
    for change in [Change::Workspace(doors.workspace), Change::FanOut(doors.workspace)] {
        let name = format!("{change:?}");
        doors.rename(&name);
        assert_ne!(doors.name().as_ref(), Some(&name), "nobody has said anything");
        block_on(doors.store.tell_changed(vec![change]));
        assert_eq!(doors.name(), Some(name));
    }
}

/// The rest of the world did not wait for it any longer.
#[test]
fn a_process_that_was_stopped_relies_on_nothing_that_it_remembers() {
    let doors = Doors::new();
    doors.name();
    doors.revoke_all();
    doors.rename("Other");
    doors.store.ownership().trust_until(doors.clock.monotonic());
    assert_eq!(doors.open(), [false; 3]);
    assert!(!doors.engine.knows_credential(doors.credential.expose()));
    assert_eq!(doors.name().as_deref(), Some("Other"));
    let (workspace, at) = (doors.workspace, doors.clock.now());
    block_on(doors.store.erase_workspace(EraseWorkspace { workspace, at })).expect("it lives");
    assert_eq!(doors.name(), None);
}
