//! Where a scenario is played: an engine with everything that runs beside it, on a store that can fail, polled by hand.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use signalpost_core::attempt::{Exchange, Outcome, Timing};
use signalpost_core::error::Error;
use signalpost_core::ports::{LocalBoxFuture, OutboundRequest, Transport};
use signalpost_core::profile::Profile;
use signalpost_core::retention::RetentionRules;
use signalpost_core::seal::Keyring;
use signalpost_core::webhook::Remembered;
use signalpost_engine::{Engine, EngineOptions};
use signalpost_store::catalog::{ListOperatorKeys, ListWorkspaces, RememberedWebhooks};
use signalpost_store::ledger::{DueLanes, ListDeliveries};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::faulty::FaultyStore;
use signalpost_store::testing::in_place::InPlace;
use signalpost_store::testing::memory::MemoryStore;
use signalpost_store::testing::snapshot::Snapshot;
use signalpost_store::{Catalog, Ledger};

use super::Caller;
use super::faults::{Breakage, Faults};
use crate::rig::{Bell, Counting, HandClock};

/// Turns of everything before it must have come to rest.
const TURNS_MAX: usize = 10_000;
/// A reconciliation and a retry, several times over.
const DRAIN_STEPS_MAX: usize = 60;
const DRAIN_STEP_S: i64 = 31;
pub(super) const KEYRING: &str = "2:0707070707070707070707070707070707070707070707070707070707070707";

/// What a caller is told.
pub(super) enum Told {
    Done,
    Refused(Error),
    /// Nothing: the caller went away, or the process did.
    CutOff,
}

pub(super) struct Stage {
    pub(super) engine: Arc<Engine>,
    pub(super) store: Arc<FaultyStore<MemoryStore>>,
    pub(super) clock: Arc<HandClock>,
    pub(super) outlet: Rc<Outlet>,
    pub(super) faults: Arc<Faults>,
    pub(super) caller: Caller,
    /// What steps leave to those after them: ids and secrets.
    notes: BTreeMap<&'static str, String>,
    model: MemoryStore,
    profile: Profile,
    random: Arc<Counting>,
    tasks: Vec<Task>,
}

/// Something that runs beside calls, and whether it was woken. One that was not is left alone: a sleeper takes every
/// look at it for the end of its sleep.
struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    bell: Arc<Bell>,
}

impl Task {
    fn new(future: impl Future<Output = ()> + 'static) -> Self {
        let bell = Arc::new(Bell::default());
        bell.0.store(true, Ordering::SeqCst);
        Self { future: Box::pin(future), bell }
    }
}

impl Stage {
    pub(super) fn new(profile: Profile, faults: Arc<Faults>) -> Self {
        let model = MemoryStore::new();
        let (clock, random) = (Arc::new(HandClock::default()), Arc::new(Counting(AtomicU64::new(1))));
        let outlet = Rc::new(Outlet::new(Arc::clone(&faults)));
        let process = start(&profile, &model, &clock, &random, &outlet, &faults);
        let (engine, store, tasks) = process;
        let mut stage = Self {
            engine,
            store,
            clock,
            outlet,
            faults,
            caller: Caller::Stays,
            notes: BTreeMap::new(),
            model,
            profile,
            random,
            tasks,
        };
        stage.settle();
        stage
    }

    /// Ends the process wherever it is, and starts the next.
    pub(super) fn restart(&mut self) {
        self.tasks.clear();
        let process =
            start(&self.profile, &self.model, &self.clock, &self.random, &self.outlet, &self.faults);
        (self.engine, self.store, self.tasks) = process;
    }

    pub(super) fn note(&mut self, name: &'static str, text: &str) {
        self.notes.insert(name, text.to_owned());
    }

    pub(super) fn noted(&self, name: &str) -> String {
        self.notes.get(name).unwrap_or_else(|| panic!("{name} was noted before")).clone()
    }

    pub(super) fn known(&self, name: &str) -> Option<String> {
        self.notes.get(name).cloned()
    }

    /// Makes a call; what comes of it goes to `then`.
    pub(super) fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(Arc<Engine>, Arc<FaultyStore<MemoryStore>>) -> Result<T, Error>,
        then: impl FnOnce(&mut Self, T),
    ) -> Told {
        let answer = {
            let mut call = pin!(call(Arc::clone(&self.engine), Arc::clone(&self.store)));
            self.run(call.as_mut())
        };
        self.settle();
        match answer {
            Some(Ok(answer)) => {
                then(self, answer);
                Told::Done
            }
            Some(Err(error)) => Told::Refused(error),
            None => Told::CutOff,
        }
    }

    /// `None` when caller or process went away.
    fn run<T>(&mut self, mut call: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        for _ in 0..TURNS_MAX {
            // A caller leaves while its own call is under way.
            self.faults.leaves_now();
            let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if self.faults.dies_now() {
                return None;
            }
            if let Poll::Ready(answer) = polled {
                return Some(answer);
            }
            if self.faults.leaves_now() && self.caller == Caller::MayLeave {
                return None;
            }
            self.turn();
            if self.faults.dies_now() {
                return None;
            }
        }
        panic!("the call is never answered: {:?}", self.faults);
    }

    /// Lets everything run until it waits for the clock.
    pub(super) fn settle(&mut self) {
        for _ in 0..TURNS_MAX {
            let rest = self.turn();
            if self.faults.dies_now() {
                self.faults.has_died();
                self.restart();
            } else if rest == Rest::Yes {
                return;
            }
        }
        panic!("nothing comes to rest: {:?}", self.faults);
    }

    fn turn(&mut self) -> Rest {
        let mut rest = Rest::Yes;
        for Task { future, bell } in &mut self.tasks {
            if !bell.0.swap(false, Ordering::SeqCst) {
                continue;
            }
            rest = Rest::No;
            let waker = Waker::from(Arc::clone(bell));
            assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending(), "nobody stopped it");
            if self.faults.dies_now() {
                break;
            }
        }
        rest
    }

    /// Stores what is counted now and then, until the process ends.
    pub(super) fn keep_figures(&mut self) {
        let engine = Arc::clone(&self.engine);
        self.tasks.push(Task::new(async move { engine.keep_figures().await }));
        self.settle();
    }

    pub(super) fn advance_s(&mut self, seconds: i64) {
        self.clock.advance_s(seconds);
        self.settle();
    }

    /// In a healed world everything that is owed goes out.
    pub(super) fn drain(&mut self) {
        self.faults.heal();
        self.outlet.status.set(200);
        for _ in 0..DRAIN_STEPS_MAX {
            self.advance_s(DRAIN_STEP_S);
            let owed = block_on(self.model.reopen().due_lanes(DueLanes { after: None, limit: 1 }));
            if owed.expect("the model does not fail").is_empty() {
                return;
            }
        }
        panic!("something is owed and does not go out: {:?}", self.faults);
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        block_on(Snapshot::of(&self.model.reopen())).expect("the model does not fail")
    }

    /// How the world is, without what differs from play to play: ids, secrets and how often something was tried.
    pub(super) fn ending(&self) -> Vec<String> {
        let model = self.model.reopen();
        let mut lines: Vec<String> = self.outlet.taken.borrow().iter().cloned().collect();
        let workspaces = block_on(model.list_workspaces(ListWorkspaces { after: None, limit: 100 }));
        for workspace in workspaces.expect("it reads") {
            let (id, name) = (workspace.id, &workspace.name);
            let params = RememberedWebhooks { workspace: id, public_id: None, before: None, limit: 100 };
            for webhook in block_on(model.remembered_webhooks(params)).expect("it reads") {
                lines.push(match webhook {
                    Remembered::Living(webhook) => format!(
                        "{name}: webhook {:?} {} is {:?} with {} secrets more, signed by a key: {}",
                        webhook.name,
                        webhook.url,
                        webhook.state.is_active(),
                        webhook.previous_secrets.len(),
                        webhook.signing_key.is_some(),
                    ),
                    Remembered::Deleted(_) => format!("{name}: a deleted webhook"),
                });
            }
            lines.push(format!("{name}: {}", counted(&model, id)));
            let all = ListDeliveries {
                workspace: id,
                webhook: None,
                event: None,
                status: None,
                before: None,
                limit: 100,
            };
            for row in block_on(model.list_deliveries(all)).expect("it reads").rows {
                let record = block_on(model.delivery(id, row.id)).expect("it reads").expect("it was listed");
                let data = String::from_utf8_lossy(&record.event.content.data).into_owned();
                lines.push(format!("{name}: {data} is {}", row.state.status().name()));
            }
        }
        let keys = ListOperatorKeys { workspace: None, after: None, limit: 100 };
        let keys = block_on(model.list_operator_keys(keys)).expect("it reads");
        lines.push(format!("{} operator keys", keys.len()));
        lines.sort();
        lines
    }
}

fn counted(model: &MemoryStore, workspace: signalpost_core::id::WorkspaceId) -> String {
    let usage = block_on(model.usage(workspace)).expect("it reads").map_or(0, |usage| usage.events);
    let keys = block_on(model.list_signing_keys(workspace)).expect("it reads").len();
    let credentials = block_on(model.list_credentials(workspace)).expect("it reads").len();
    let rights = block_on(model.list_rights(workspace)).expect("it reads").len();
    format!("{usage} events, {keys} signing keys, {credentials} credentials, {rights} rights")
}

/// Whether everything waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Yes,
    No,
}

type Process = (Arc<Engine>, Arc<FaultyStore<MemoryStore>>, Vec<Task>);

fn start(
    profile: &Profile,
    model: &MemoryStore,
    clock: &Arc<HandClock>,
    random: &Arc<Counting>,
    outlet: &Rc<Outlet>,
    faults: &Arc<Faults>,
) -> Process {
    let judge = Arc::clone(faults);
    let store = Arc::new(FaultyStore::new(model.reopen(), Box::new(move |call| judge.judge(call))));
    let (engine, cores) = Engine::new(EngineOptions {
        store: Arc::clone(&store) as _,
        clock: Arc::clone(clock) as _,
        random: Arc::clone(random) as _,
        heavy_work: Arc::new(InPlace::default()),
        keyring: Arc::new(Keyring::parse(KEYRING).expect("a good key")),
        profiles: vec![profile.clone()],
        cores: 1,
        retention: RetentionRules::default(),
    });
    let mut tasks: Vec<Task> =
        cores.into_iter().map(|core| Task::new(core.run(Rc::clone(outlet) as _))).collect();
    let [owed, house, retention, replays] = [(); 4].map(|()| Arc::clone(&engine));
    tasks.push(Task::new(async move { owed.watch_owed().await }));
    tasks.push(Task::new(async move { house.keep_house().await }));
    tasks.push(Task::new(async move { retention.watch_retention().await }));
    tasks.push(Task::new(async move { replays.watch_replays().await }));
    (engine, store, tasks)
}

/// Where all requests go: each is answered at once.
pub(super) struct Outlet {
    pub(super) status: Cell<u16>,
    faults: Arc<Faults>,
    /// URL and body of everything that was answered with success, each time.
    taken: RefCell<Vec<String>>,
}

impl Outlet {
    fn new(faults: Arc<Faults>) -> Self {
        Self { status: Cell::new(200), faults, taken: RefCell::default() }
    }
}

impl Transport for Outlet {
    fn send(&self, request: OutboundRequest) -> LocalBoxFuture<'static, Exchange> {
        let breakage = self.faults.breaks_request();
        let outcome = breakage.map_or(Outcome::Status(self.status.get()), Breakage::outcome);
        if outcome == Outcome::Status(200) {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            self.taken.borrow_mut().push(format!("{} took {body}", request.url.as_str()));
        }
        let exchange = Exchange {
            outcome,
            detail: String::new(),
            retry_after: (breakage == Some(Breakage::Busy)).then_some(Duration::from_secs(20)),
            timing: Timing::default(),
            answer: Bytes::new(),
        };
        Box::pin(std::future::ready(exchange))
    }
}
