//! A world: what a seed and its options make, with the two phases of a run. First everything may fail; then the
//! world is healed and whatever is owed has to drain in bounded time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_engine::Engine;

use crate::chance::Chance;
use crate::clock::SimClock;
use crate::executor::{Executor, Group};
use crate::facts::{Deaf, Facts};
use crate::ground::Ground;
use crate::load::{crowd, manage, publish, reader, weather};
use crate::network::Network;
use crate::nodes::CALM_S;
use crate::options::{Company, NodeOptions, Options};
use crate::plant::{Plant, Planter};
use crate::process::Processes;
use crate::settle::{self, Lists};
use crate::shelf::{Keeps, Shelf};
use crate::trouble::Trouble;

/// Events that one run publishes, a flood not counted.
pub(crate) const EVENTS_MAX: usize = 400;
/// The same where each goes to a crowd.
const CROWDED_EVENTS_MAX: usize = 60;
/// Pause of a client before it asks again.
const AGAIN_MS: u64 = 150;

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) options: Options,
    pub(crate) ground: Rc<Ground>,
    pub(crate) network: Rc<Network>,
    pub(crate) processes: Rc<Processes>,
    pub(crate) trouble: Arc<Trouble>,
    pub(crate) facts: RefCell<Facts>,
    phase: Cell<Phase>,
    budget: Cell<usize>,
    working: Cell<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Load,
    Healed,
}

impl World {
    pub(crate) fn new(seed: u64, plant: Plant, keeps: Keeps, company: Company) -> Rc<Self> {
        // That plant stands between two memory models.
        let keeps = if plant == Plant::AcknowledgeEarly { Keeps::Memory } else { keeps };
        let shelf = Shelf::new(seed, keeps);
        let options = draw_options(seed, plant, company, &shelf);
        let clock = SimClock::default();
        let executor = Executor::new(clock.clone(), Chance::new(seed, "order"));
        let ground = Ground::new(clock, executor);
        let network = Network::new(Rc::clone(&ground), seed, options.network.clone());
        let trouble = Arc::new(Trouble::new(seed, options.trouble, Arc::clone(&ground.tally)));
        let planter = Planter::new(plant, seed, Rc::clone(&ground), Arc::clone(&trouble));
        let processes = Processes::new(
            Rc::clone(&ground),
            Rc::clone(&network),
            Arc::clone(&trouble),
            seed,
            options.clone(),
            planter,
            shelf,
        );
        if let Some(nodes) = &processes.nodes {
            network.ask_for_owners(Arc::clone(&nodes.rows));
        }
        let budget = if options.publish.crowd.is_some() { CROWDED_EVENTS_MAX } else { EVENTS_MAX };
        let drift_permille = options.drift_permille.map_or(0, i64::unsigned_abs);
        // What another node has committed is heard of later than what this one has.
        let deaf = if options.trouble.deaf_permille > 0 || options.nodes.count > 1 {
            Deaf::Sometimes
        } else {
            Deaf::Never
        };
        let retention = options.retention.clone();
        let facts =
            Facts { retention, drift_permille, apart_ms: options.nodes.apart_ms(), deaf, ..Facts::default() };
        Rc::new(Self {
            seed,
            options,
            ground,
            network,
            processes,
            trouble,
            facts: RefCell::new(facts),
            phase: Cell::new(Phase::Load),
            budget: Cell::new(budget),
            working: Cell::new(0),
        })
    }

    /// The whole run, up to the moment at which the auditor looks.
    pub(crate) async fn run(self: Rc<Self>) -> BTreeMap<usize, Lists> {
        self.processes.start_all();
        manage::settle_in(&self).await;
        self.start_load();
        self.ground.sleep_ms(self.options.load_ms).await;
        self.phase.set(Phase::Healed);
        self.trouble.heal();
        self.network.heal();
        self.ground.note(format_args!("the world is healed"));
        while self.working.get() > 0 {
            self.ground.sleep_ms(AGAIN_MS).await;
        }
        self.processes.start_all();
        if self.options.nodes.count > 1 {
            self.ground.sleep_ms(CALM_S * 1_000).await;
        }
        settle::drain(&self).await
    }

    fn start_load(self: &Rc<Self>) {
        for number in 0..self.options.publish.publishers {
            self.work(publish::publisher(Rc::clone(self), number));
        }
        if let Some(events) = self.options.publish.flood {
            self.work(publish::flood(Rc::clone(self), events));
        }
        if self.options.publish.crowd.is_some() {
            self.work(crowd::gather(Rc::clone(self)));
        }
        if let Some(pause_ms) = self.options.manage_pause_ms {
            for workspace in 0..self.options.workspaces {
                self.work(manage::manager(Rc::clone(self), workspace, pause_ms));
            }
        }
        if let Some(pause_ms) = self.options.read_pause_ms {
            for workspace in 0..self.options.workspaces {
                self.work(reader::follow(Rc::clone(self), workspace, pause_ms));
            }
        }
        weather::start(self);
    }

    /// Runs a task that has to come to its end before the run does.
    pub(crate) fn work(self: &Rc<Self>, task: impl Future<Output = ()> + 'static) {
        self.working.set(self.working.get() + 1);
        let world = Rc::clone(self);
        self.ground.spawn(Group::WORLD, async move {
            task.await;
            world.working.set(world.working.get() - 1);
        });
    }

    pub(crate) fn is_loading(&self) -> bool {
        self.phase.get() == Phase::Load
    }

    /// Takes permission to publish so many events.
    pub(crate) fn take_budget(&self, events: usize) -> bool {
        let left = self.budget.get().checked_sub(events);
        self.budget.set(left.unwrap_or(0));
        left.is_some()
    }

    pub(crate) fn chance(&self, name: &str) -> Chance {
        Chance::new(self.seed, name)
    }

    pub(crate) fn find(&self, finding: String) {
        self.facts.borrow_mut().findings.push(finding);
    }

    /// Calls until there is a clear answer: not cut off, and not one that passes. `again` says whether it took more
    /// than one call.
    pub(crate) async fn ask<T, F>(&self, mut verb: impl FnMut(Arc<Engine>) -> F) -> Answered<T>
    where
        T: 'static,
        F: Future<Output = Result<T, Error>> + 'static,
    {
        let mut again = Again::No;
        loop {
            match self.processes.call(&mut verb).await {
                Some(Err(error)) if passes(&error) => {}
                Some(answer) => return Answered { answer, again },
                None => {}
            }
            again = Again::Yes;
            self.ground.sleep_ms(AGAIN_MS).await;
        }
    }
}

/// What stands in one place for one process leaves no room for others.
fn draw_options(seed: u64, plant: Plant, company: Company, shelf: &Shelf) -> Options {
    let mut options = Options::draw(seed);
    if company == Company::Alone || shelf.is_file() || plant == Plant::AcknowledgeEarly {
        options.nodes = NodeOptions::ALONE;
    }
    options
}

/// Whether an error asks to come back later.
pub(crate) fn passes(error: &Error) -> bool {
    matches!(error.code, ErrorCode::Unavailable | ErrorCode::StorageFull)
}

/// A clear answer, and whether calls without one went before it.
pub(crate) struct Answered<T> {
    pub(crate) answer: Result<T, Error>,
    pub(crate) again: Again,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    No,
    Yes,
}
