//! Processes that run the engine: started, called, killed at any moment, or asked to stop.

mod calls;
mod gauges;
mod spells;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use signalpost_core::limits::SHUTDOWN_GRACE;
use signalpost_core::ports::Clock;
use signalpost_core::retention::RetentionRules;
use signalpost_core::seal::Keyring;
use signalpost_engine::{BalanceRule, Engine, EngineOptions};
use signalpost_store::Store;
use signalpost_store::testing::in_place::InPlace;

use crate::chance::{Chance, SharedChance};
use crate::executor::Group;
use crate::ground::{Ground, Moment, pass_turn};
use crate::network::{Network, SimTransport};
use crate::nodes::{Keeper, NodeClock, Nodes, Seat};
use crate::options::Options;
use crate::plant::Planter;
use crate::profiles::profiles;
use crate::shelf::{Fared, Fuse, Shelf};
use crate::store::{Inner, SimStore};
use crate::trouble::Trouble;

const KEEP_EVERYTHING: RetentionRules =
    RetentionRules { event_age_max: None, payload_age_max: None, bytes_max: None };
const MASTER_KEY: &str = "7:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// How often a caller looks whether the service is back, and the operator whether it has stopped.
const KNOCK_MS: u64 = 200;
/// Far less than the product's: what a world does in a minute is what a core does in a millisecond.
const BALANCE: BalanceRule = BalanceRule { every: Duration::from_secs(1), attempts_min: 2 };
/// How often, and how many times, somebody looks whether a fuse has burnt down.
const FUSE_LOOK_MS: u64 = 1;
const FUSE_LOOKS_MAX: u64 = 2_000;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HowEnded {
    Killed,
    Stopped,
    /// Of what it did for one lane group: it gave the group up with nothing under way.
    HandedOver,
    /// The same: somebody else has the group, and nothing of what it knew is written any more.
    Fenced,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessEnd {
    pub(crate) process: u32,
    pub(crate) how: HowEnded,
    /// When it was asked to stop; the same as `at` when it was killed.
    pub(crate) asked: Moment,
    pub(crate) at: Moment,
}

/// The processes that run, one for each node at most, and those before them.
pub(crate) struct Processes {
    ground: Rc<Ground>,
    network: Rc<Network>,
    options: Options,
    planter: Planter,
    shelf: Shelf,
    trouble: Arc<Trouble>,
    random: Arc<SharedChance>,
    store_chance: Arc<SharedChance>,
    /// Who takes a call, of several.
    callers: RefCell<Chance>,
    /// Where there are several.
    pub(crate) nodes: Option<Nodes>,
    /// By the number of the node.
    running: RefCell<BTreeMap<u16, Running>>,
    started: Cell<u32>,
    ends: RefCell<Vec<ProcessEnd>>,
    findings: RefCell<Vec<String>>,
}

#[derive(Clone)]
struct Running {
    number: u32,
    engine: Arc<Engine>,
    store: Arc<dyn Store>,
    /// What it stands on, to be taken away at the end.
    inner: Arc<Inner>,
    cores_left: Rc<Cell<usize>>,
    duty: Rc<Cell<Duty>>,
    seat: Option<Arc<Seat>>,
    keeper: Option<Rc<Keeper>>,
}

/// Whether a process takes calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Duty {
    Serving,
    Stopping,
}

impl Processes {
    pub(crate) fn new(
        ground: Rc<Ground>,
        network: Rc<Network>,
        trouble: Arc<Trouble>,
        seed: u64,
        options: Options,
        planter: Planter,
        shelf: Shelf,
    ) -> Rc<Self> {
        if shelf.is_file() {
            ground.note(format_args!("the data is in a file"));
        }
        let nodes = Nodes::of(&ground, &trouble, seed, &options.nodes, planter.plant());
        Rc::new(Self {
            ground,
            network,
            options,
            planter,
            shelf,
            trouble,
            random: Arc::new(SharedChance::new(seed, "engine")),
            store_chance: Arc::new(SharedChance::new(seed, "store")),
            callers: RefCell::new(Chance::new(seed, "callers")),
            nodes,
            running: RefCell::default(),
            started: Cell::new(0),
            ends: RefCell::default(),
            findings: RefCell::default(),
        })
    }

    /// Starts the process of a node on the store as its predecessors left it.
    pub(crate) fn start(&self, node: u16) {
        let number = self.started.get() + 1;
        self.started.set(number);
        self.ground.note(format_args!("p{number} starts"));
        let group = Group(number);
        let disk = self.planter.disk(self.shelf.model());
        let seat = self.nodes.as_ref().map(|nodes| nodes.seat(node, number));
        let store = SimStore::open(
            self.shelf.open(&disk),
            self.ground.clock.clone(),
            Arc::clone(&self.store_chance),
            Arc::clone(&self.trouble),
            self.options.store,
            seat.clone(),
        );
        let inner = Arc::clone(&store.inner);
        self.ground.spawn(group, store.commit_loop());
        let store = self.planter.store(Arc::new(store), disk, self.shelf.model(), group);
        store.ownership().be_node(node);
        let (clock, keeper) = self.keep_place(node, seat.as_deref());
        let (engine, cores) = Engine::new(EngineOptions {
            store: Arc::clone(&store),
            clock,
            random: Arc::clone(&self.random) as _,
            heavy_work: Arc::new(InPlace::default()),
            keyring: Arc::new(Keyring::parse(MASTER_KEY).expect("a good key")),
            profiles: profiles(),
            cores: self.options.cores,
            retention: self.options.retention.clone().unwrap_or(KEEP_EVERYTHING),
        });
        let cores_left = Rc::new(Cell::new(cores.len()));
        for core in cores {
            let network = Rc::new(SimTransport { network: Rc::clone(&self.network), process: number });
            let transport = self.planter.transport(network, group);
            let left = Rc::clone(&cores_left);
            self.ground.spawn(group, async move {
                core.run(transport).await;
                left.set(left.get() - 1);
            });
        }
        self.start_watches(group, &engine);
        if let Some(keeper) = keeper.clone() {
            self.ground.spawn(group, keeper.keep());
        }
        let duty = Rc::new(Cell::new(Duty::Serving));
        self.running
            .borrow_mut()
            .insert(node, Running { number, engine, store, inner, cores_left, duty, seat, keeper });
    }

    /// The clock of a process, and who keeps its place among several.
    fn keep_place(&self, node: u16, seat: Option<&Seat>) -> (Arc<dyn Clock>, Option<Rc<Keeper>>) {
        let (Some(nodes), Some(seat)) = (&self.nodes, seat) else {
            return (Arc::new(self.ground.clock.clone()), None);
        };
        let clock: NodeClock = nodes.clock(&self.ground, node);
        self.network.set_wall_clock(seat.process, clock.wall_off_ms);
        let pace = self.options.store.commit_us_max;
        let keeper = nodes.keeper(&self.ground, &self.trouble, seat, clock.clone(), pace);
        (Arc::new(clock), Some(keeper))
    }

    /// What an engine does beside its cores.
    fn start_watches(&self, group: Group, engine: &Arc<Engine>) {
        let watched = Arc::clone(engine);
        self.ground.spawn(group, async move { watched.watch_owed().await });
        let balanced = Arc::clone(engine);
        self.ground.spawn(group, async move { balanced.watch_balance(BALANCE).await });
        let counting = Arc::clone(engine);
        self.ground.spawn(group, async move { counting.keep_figures().await });
        let tidied = Arc::clone(engine);
        self.ground.spawn(group, async move { tidied.keep_house().await });
        if self.options.retention.is_some() {
            let keeping = Arc::clone(engine);
            self.ground.spawn(group, async move { keeping.watch_retention().await });
        }
    }

    /// Starts every node that does not run.
    pub(crate) fn start_all(&self) {
        for node in 0..self.options.nodes.count {
            if !self.is_running(node) {
                self.start(node);
            }
        }
    }

    /// Ends the process of a node in the middle of whatever it does.
    pub(crate) fn kill(&self, node: u16) {
        let Some(running) = self.running.borrow_mut().remove(&node) else { return };
        let fared = self.end(&running);
        let at = self.ground.note(format_args!("p{} is killed{}", running.number, fared.in_words()));
        let (process, how) = (running.number, HowEnded::Killed);
        self.ends.borrow_mut().push(ProcessEnd { process, how, asked: at, at });
    }

    /// Has the process of a node killed when its tasks have been polled so many times more, at the await to which that
    /// brings it. `kind` is what is counted then.
    pub(crate) fn light_fuse(self: &Rc<Self>, node: u16, polls: u64, kind: &'static str) {
        let Some(number) = self.running.borrow().get(&node).map(|running| running.number) else { return };
        let processes = Rc::clone(self);
        self.ground.executor.light_fuse(Group(number), polls, move || {
            processes.ground.tally.count("process", kind);
            processes.ground.note(format_args!("p{number} is {kind}"));
            processes.kill(node);
        });
    }

    /// A process that has not come so far lives on.
    pub(crate) fn put_out_fuse(&self, node: u16) {
        if let Some(running) = self.running.borrow().get(&node) {
            self.ground.executor.put_out_fuse(Group(running.number));
        }
    }

    /// Asks the process of a node to stop and waits until it has, or was killed meanwhile; calls that are under way are
    /// cut off at the end.
    pub(crate) async fn stop(&self, node: u16) {
        let Some(running) = self.running.borrow().get(&node).cloned() else { return };
        let number = running.number;
        // It hears of it when it goes on.
        while self.ground.executor.is_frozen(Group(number)) {
            self.ground.sleep_ms(KNOCK_MS).await;
        }
        let asked = self.ground.note(format_args!("p{number} is asked to stop"));
        running.duty.set(Duty::Stopping);
        running.keeper.iter().for_each(|keeper| keeper.prepare_to_part());
        running.engine.stop();
        while running.cores_left.get() > 0 {
            self.ground.sleep_ms(KNOCK_MS).await;
            if !self.is_running(node) {
                return;
            }
            if self.ground.clock.now_us() - asked.us > self.stop_bound_us() {
                self.find(format!("p{number} was asked to stop at {asked:?} and has not"));
                break;
            }
        }
        if let Some(keeper) = running.keeper.clone()
            && self.within(number, async move { keeper.part().await }).await.is_none()
        {
            return;
        }
        // An error means that writes cannot be finished; the process ends without them, as it would by a kill.
        let store = Arc::clone(&running.store);
        let Some(closed) = self.within(number, async move { store.close().await }).await else { return };
        self.running.borrow_mut().remove(&node);
        self.ground.tally.count("process", "stopped");
        let fared = self.end(&running).in_words();
        let closed = closed.is_ok();
        let at = self.ground.note(format_args!("p{number} has stopped, store closed: {closed}{fared}"));
        self.ends.borrow_mut().push(ProcessEnd { process: number, how: HowEnded::Stopped, asked, at });
    }

    /// Drops all that a process is; what it has left of its store reaches nothing any more.
    fn end(&self, running: &Running) -> Fared {
        (0..running.engine.metrics().lanes_moved.get())
            .for_each(|_| self.ground.tally.count("lane", "moved"));
        let fared = self.shelf.end_process(|| {
            self.ground.executor.kill(Group(running.number));
            drop(running.inner.inner().take());
        });
        self.network.process_died(running.number);
        self.nodes.iter().for_each(|nodes| nodes.process_ended(running.number));
        if fared == Fared::PowerLost {
            self.ground.tally.count("store", "power lost");
        }
        fared
    }

    /// The grace, and for a clock that is set back meanwhile the longest sleep of a core.
    fn stop_bound_us(&self) -> u64 {
        let grace_s = SHUTDOWN_GRACE.as_secs() + 5;
        let stray_s = self.options.jump_ms_max.map_or(0, |max| 4 * max / 1_000 + 3_600);
        self.options.by_any_clock_us((grace_s + stray_s) * 1_000_000)
    }

    /// Lets up to so many tasks run, for an end of the process in the middle of a burst.
    pub(crate) async fn let_run(&self, turns: u64) {
        if self.shelf.light_fuse() == Fuse::Lit {
            for _ in 0..FUSE_LOOKS_MAX {
                if self.shelf.is_dark() {
                    break;
                }
                self.ground.sleep_ms(FUSE_LOOK_MS).await;
            }
        }
        for _ in 0..turns {
            pass_turn().await;
        }
    }

    pub(crate) fn is_running(&self, node: u16) -> bool {
        self.running.borrow().contains_key(&node)
    }

    pub(crate) fn count(&self) -> u32 {
        self.started.get()
    }

    pub(crate) fn ends(&self) -> Vec<ProcessEnd> {
        self.ends.borrow().clone()
    }

    pub(crate) fn findings(&self) -> Vec<String> {
        self.findings.borrow().clone()
    }

    fn find(&self, finding: String) {
        let mut findings = self.findings.borrow_mut();
        if findings.len() < 10 {
            findings.push(finding);
        }
    }
}
