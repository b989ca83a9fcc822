//! An engine with one delivery core over the memory model, run by hand: a clock that stands still until it is moved,
//! and a receiver that does as it is told.

mod again;
pub(crate) mod desk;
mod time;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_channel::oneshot;
use signalpost_core::attempt::{Exchange, Outcome, Timing};
use signalpost_core::ceilings::Ceilings;
use signalpost_core::delivery::DeliveryState;
use signalpost_core::event::EventContent;
use signalpost_core::health::{DisableRule, HoldRule, ReleaseOrder};
use signalpost_core::policy::{DeliveryPolicy, PolicyOverrides, RetrySchedule};
use signalpost_core::ports::{Clock, LocalBoxFuture, OutboundRequest, Transport};
use signalpost_core::profile::{
    DeliveryProfile, EventIdRule, Farewell, FeedRule, IdForm, PauseRule, Profile, SecretForm, SelectionRule,
    SigningRule, SubjectRule,
};
use signalpost_core::retention::RetentionDefault;
use signalpost_core::sign::{Encoding, KeyForm, SignatureRecipe};
use signalpost_core::target_url::TargetUrl;
use signalpost_core::template::Template;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::Webhook;
use signalpost_engine::ingest::NewEvent;
use signalpost_engine::webhooks::{Activity, NewWebhook, WebhookChange};
use signalpost_engine::workspaces::NewWorkspace;
use signalpost_engine::{DeliverySummary, Engine, ListDeliveries, View};
use signalpost_store::Store;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::memory::MemoryStore;

pub(crate) use time::{Bell, Counting, HandClock};

/// Turns of a core that has nothing to wait for; far above what a test needs.
const TURNS_MAX: usize = 100_000;

/// The schedule of the rig's dialect.
pub(crate) const RETRY_S: [u64; 2] = [10, 100];

/// The type of the last event of a workspace.
pub(crate) const FAREWELL: &str = "workspace.closed";

pub(crate) struct Rig {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) receiver: Rc<Receiver>,
    pub(crate) view: Arc<View>,
    cores: Vec<again::Running>,
    bell: Arc<Bell>,
}

impl Rig {
    /// A workspace of a dialect that pauses and disables by these rules.
    pub(crate) fn new(pause: PauseRule, consecutive_failures: Option<u32>) -> Self {
        Self::of(profile(pause, consecutive_failures), Arc::new(MemoryStore::new()), 1)
    }

    /// The same with so many delivery cores, and without switching off.
    pub(crate) fn with_cores(pause: PauseRule, cores: usize) -> Self {
        Self::of(profile(pause, None), Arc::new(MemoryStore::new()), cores)
    }

    /// A workspace of a dialect whose webhooks are paused by this rule, and what was held goes out in this order.
    pub(crate) fn with_holds(hold: HoldRule, release: ReleaseOrder) -> Self {
        Self::with_holds_on(Arc::new(MemoryStore::new()), hold, release)
    }

    /// The same on a store of the caller's.
    pub(crate) fn with_holds_on(store: Arc<dyn Store>, hold: HoldRule, release: ReleaseOrder) -> Self {
        let mut profile = profile(PauseRule::Holds, None);
        let policy = profile.delivery.policy;
        profile.delivery.policy = DeliveryPolicy { hold: Some(hold), release, ..policy };
        Self::of(profile, store, 1)
    }

    /// The same on a store of the caller's, with pauses that drop.
    pub(crate) fn on(store: Arc<dyn Store>) -> Self {
        Self::of(profile(PauseRule::Drops, None), store, 1)
    }

    /// The same with pauses by this rule.
    pub(crate) fn new_on(pause: PauseRule, store: Arc<dyn Store>) -> Self {
        Self::of(profile(pause, None), store, 1)
    }

    /// A workspace of a dialect whose webhooks are signed with keys of their workspace, and so many delivery cores.
    pub(crate) fn with_shared_keys(store: Arc<dyn Store>, cores: usize) -> Self {
        let signing = SigningRule::SharedKeys { key_id: IdForm::Number };
        let secret = SecretForm::Hex { random_bytes: 16 };
        Self::of(Profile { signing, secret, ..profile(PauseRule::Drops, None) }, store, cores)
    }

    /// A workspace of a dialect whose requests are made otherwise.
    pub(crate) fn with_requests(change: impl FnOnce(&mut DeliveryProfile)) -> Self {
        let mut profile = profile(PauseRule::Drops, None);
        change(&mut profile.delivery);
        Self::of(profile, Arc::new(MemoryStore::new()), 1)
    }

    fn of(profile: Profile, store: Arc<dyn Store>, cores: usize) -> Self {
        let (clock, receiver) = (Arc::new(HandClock::default()), Rc::new(Receiver::default()));
        let (engine, cores) = again::start(profile, store, cores, (&clock, &receiver));
        let bell = Arc::new(Bell::default());
        let workspace = new_workspace(&engine);
        let view = block_on(engine.workspace(&workspace)).expect("it exists");
        let mut rig = Self { engine, clock, receiver, view, cores, bell };
        rig.settle();
        rig
    }

    /// Lets the cores run until they wait for the clock or the receiver.
    pub(crate) fn settle(&mut self) {
        let running = self.cores.len();
        self.run_out();
        assert_eq!(self.cores.len(), running, "nobody stopped it");
    }

    /// The same where they may come to their end: how many go on.
    pub(crate) fn run_out(&mut self) -> usize {
        for _ in 0..TURNS_MAX {
            if !self.turn() {
                return self.cores.len();
            }
        }
        panic!("the cores do not come to rest");
    }

    /// Lets each core run once, until it gives way or waits: whether one of them has something more to do.
    pub(crate) fn turn(&mut self) -> bool {
        let waker = Waker::from(Arc::clone(&self.bell));
        self.bell.0.store(false, Ordering::SeqCst);
        self.cores.retain_mut(|core| core.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        self.bell.0.load(Ordering::SeqCst)
    }

    /// Moves the clock and lets the core run.
    pub(crate) fn advance_s(&mut self, seconds: i64) {
        self.advance_ms(seconds * 1_000);
    }

    pub(crate) fn advance_ms(&mut self, ms: i64) {
        self.clock.advance_ms(ms);
        self.settle();
    }

    /// Makes a call while the core runs, and lets that come to rest.
    pub(crate) fn call<T>(&mut self, call: impl AsyncFnOnce(Arc<Engine>, Arc<View>) -> T) -> T {
        let mut call = pin!(call(Arc::clone(&self.engine), Arc::clone(&self.view)));
        for _ in 0..TURNS_MAX {
            if let Poll::Ready(answer) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                self.settle();
                return answer;
            }
            self.settle();
        }
        panic!("the call is never answered");
    }

    /// A webhook for everything: its public id.
    pub(crate) fn webhook(&mut self) -> String {
        self.webhook_within(Ceilings::default())
    }

    /// The same with ceilings.
    pub(crate) fn webhook_within(&mut self, ceilings: Ceilings) -> String {
        self.webhook_like(|new| NewWebhook { ceilings, ..new })
    }

    /// The same with what it is made to be.
    pub(crate) fn webhook_like(&mut self, like: impl FnOnce(NewWebhook) -> NewWebhook) -> String {
        let url = TargetUrl::parse("https://example.com/").expect("a good URL");
        let new = like(NewWebhook::to(url));
        let made = self.call(async |engine, view| engine.create_webhook(&view, new, None).await);
        made.expect("a webhook").now().expect("not a repetition").webhook.public_id
    }

    pub(crate) fn look(&mut self, webhook: &str) -> Webhook {
        self.call(async |engine, view| engine.webhook(view.workspace.id, webhook).await).expect("it exists")
    }

    pub(crate) fn switch(&mut self, webhook: &str, activity: Activity) -> Webhook {
        let change = WebhookChange { active: Some(activity), ..WebhookChange::default() };
        self.call(async |engine, view| engine.update_webhook(&view, webhook, change).await)
            .expect("it is switched")
    }

    /// Publishes so many events, each in a call of its own: how many deliveries were made for the last.
    pub(crate) fn publish(&mut self, events: usize) -> usize {
        let mut deliveries = 0;
        for _ in 0..events {
            let event = new_event(self.clock.now());
            let receipts = self
                .call(async |engine, view| engine.publish(&view.workspace.public_id, vec![event]).await)
                .expect("it is accepted");
            deliveries = receipts[0].deliveries;
        }
        deliveries
    }

    /// Publishes one event while no core runs.
    pub(crate) fn publish_unheard(&self) {
        let event = new_event(self.clock.now());
        let published = self.engine.publish(&self.view.workspace.public_id, vec![event]);
        block_on(published).expect("it is accepted");
    }

    /// Publishes an event with an ordering key: the public id of its one delivery.
    pub(crate) fn publish_keyed(&mut self, key: &str) -> String {
        let mut event = new_event(self.clock.now());
        event.content.ordering_key = Some(key.to_owned());
        self.call(async |engine, view| engine.publish(&view.workspace.public_id, vec![event]).await)
            .expect("it is accepted");
        self.deliveries().first().expect("it has a target").id.to_public()
    }

    /// Newest first.
    pub(crate) fn deliveries(&mut self) -> Vec<DeliverySummary> {
        let workspace = self.view.workspace.id;
        let all = ListDeliveries {
            workspace,
            webhook: None,
            event: None,
            status: None,
            before: None,
            limit: 1_000,
        };
        self.call(async |engine, _| engine.list_deliveries(all).await).expect("it reads").rows
    }

    /// How many deliveries are in a state.
    pub(crate) fn count(&mut self, is: impl Fn(DeliveryState) -> bool) -> usize {
        self.deliveries().iter().filter(|delivery| is(delivery.state)).count()
    }
}

pub(crate) const fn pending(state: DeliveryState) -> bool {
    matches!(state, DeliveryState::Pending { .. })
}

pub(crate) const fn delivered(state: DeliveryState) -> bool {
    matches!(state, DeliveryState::Delivered { .. })
}

/// Its public id.
pub(crate) fn new_workspace(engine: &Engine) -> String {
    let new = NewWorkspace {
        dialect: "rig".to_owned(),
        name: "Acme".to_owned(),
        id: None,
        features: None,
        policy: PolicyOverrides::default(),
    };
    let workspace = block_on(engine.create_workspace(new, None)).expect("a workspace").now();
    workspace.expect("not a repetition").public_id
}

pub(crate) fn new_event(time: Timestamp) -> NewEvent {
    let content = EventContent {
        producer_id: None,
        event_type: "a.b".to_owned(),
        subject: None,
        time,
        attributes: Vec::new(),
        data: Bytes::from_static(b"1"),
        ordering_key: None,
    };
    NewEvent { content, given_time: None }
}

pub(crate) fn profile(pause: PauseRule, consecutive_failures: Option<u32>) -> Profile {
    let form = || IdForm::random("", 16);
    let text = |template| Template::text(template).expect("a good template");
    Profile {
        name: "rig".to_owned(),
        workspace_id: form(),
        webhook_id: form(),
        credential: None,
        login: None,
        secret: SecretForm::Alphanumeric { length: 32 },
        signing: SigningRule::OwnSecret,
        features: Vec::new(),
        scopes: Vec::new(),
        catalogue: None,
        selection: SelectionRule::Patterns,
        subject: SubjectRule::Optional,
        event_id: EventIdRule::Unique,
        webhooks_max: None,
        pause,
        attributes: Vec::new(),
        feed: FeedRule::Absent,
        retention: RetentionDefault::Server,
        webhook_form: signalpost_core::webhook_form::WebhookForm::plain(),
        farewell: Some(Farewell {
            event_type: FAREWELL.to_owned(),
            attributes: Vec::new(),
            data: Template::json("{\"gone\":${workspace.id}}").expect("a good template"),
        }),
        delivery: DeliveryProfile {
            body: text("x"),
            headers: vec![("x-delivery".into(), text("${delivery.id}"))],
            reserved_prefixes: Vec::new(),
            signature: Arc::new(SignatureRecipe {
                header: "x-signature".into(),
                value: text("${signature}"),
                content: text("${body}"),
                key: KeyForm::Text,
                encoding: Encoding::Hex,
                separator: None,
            }),
            policy: DeliveryPolicy {
                retry: RetrySchedule::from_seconds(&RETRY_S).expect("short"),
                timeout: Duration::from_secs(1),
                disable: DisableRule { consecutive_failures, on_gone: false },
                hold: None,
                release: ReleaseOrder::OldestFirst,
            },
        },
    }
}

/// Where all requests go.
#[derive(Default)]
pub(crate) struct Receiver {
    /// Answers every request with this status at once; `None` keeps them waiting.
    pub(crate) status: Cell<Option<u16>>,
    /// Comes with every answer.
    pub(crate) retry_after: Cell<Option<Duration>>,
    sent: RefCell<Vec<String>>,
    /// What came with each of these requests, by name.
    headers: RefCell<Vec<BTreeMap<String, String>>>,
    waiting: RefCell<Vec<oneshot::Sender<u16>>>,
}

impl Receiver {
    /// Ids of the deliveries of which requests came, oldest first.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.sent.borrow().clone()
    }

    /// A header of each request since the last call, oldest first.
    pub(crate) fn take(&self, header: &str) -> Vec<Option<String>> {
        self.headers.borrow_mut().drain(..).map(|mut request| request.remove(header)).collect()
    }

    pub(crate) fn requests(&self) -> usize {
        self.sent.borrow().len()
    }

    /// Requests that wait for their answer.
    pub(crate) fn in_flight(&self) -> usize {
        self.waiting.borrow().len()
    }

    /// Answers the request that has waited longest.
    pub(crate) fn answer(&self, status: u16) {
        let first = self.waiting.borrow_mut().remove(0);
        first.send(status).expect("the engine waits for it");
    }
}

impl Transport for Receiver {
    fn send(&self, request: OutboundRequest) -> LocalBoxFuture<'static, Exchange> {
        let (_, delivery) =
            request.headers.iter().find(|(name, _)| &**name == "x-delivery").expect("it is in the profile");
        self.sent.borrow_mut().push(delivery.clone());
        let headers = request.headers.iter().map(|(name, value)| (name.to_string(), value.clone()));
        let secret = request.secret_headers.iter();
        let secret = secret.map(|(name, value)| (name.to_string(), value.expose_text().to_owned()));
        self.headers.borrow_mut().push(headers.chain(secret).collect());
        let Some(status) = self.status.get() else {
            let (tell, told) = oneshot::channel();
            self.waiting.borrow_mut().push(tell);
            let retry_after = self.retry_after.get();
            let told = async move { told.await.expect("the receiver lives as long as the core") };
            return Box::pin(async move { exchange(told.await, retry_after) });
        };
        Box::pin(std::future::ready(exchange(status, self.retry_after.get())))
    }
}

fn exchange(status: u16, retry_after: Option<Duration>) -> Exchange {
    Exchange {
        outcome: Outcome::Status(status),
        detail: String::new(),
        retry_after,
        timing: Timing::default(),
        answer: Bytes::new(),
    }
}
