//! What runs beside the cores, and a process that begins anew.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use signalpost_core::ports::Clock;
use signalpost_core::profile::{PauseRule, Profile};
use signalpost_core::retention::RetentionRules;
use signalpost_core::seal::Keyring;
use signalpost_core::time::Timestamp;
use signalpost_engine::{BalanceRule, DeliveryCore, Engine, EngineOptions};
use signalpost_store::Store;
use signalpost_store::testing::in_place::InPlace;

use super::{Counting, HandClock, Receiver, Rig, profile};

pub(super) type Running = Pin<Box<dyn Future<Output = ()>>>;

impl Rig {
    /// Lets the loop of replays run as well.
    pub(crate) fn watch_replays(&mut self) {
        let engine = Arc::clone(&self.engine);
        self.cores.push(Box::pin(async move { engine.watch_replays().await }));
        self.settle();
    }

    /// Lets what is owed be looked for.
    pub(crate) fn watch_owed(&mut self) {
        let engine = Arc::clone(&self.engine);
        self.cores.push(Box::pin(async move { engine.watch_owed().await }));
        self.settle();
    }

    /// So long after now.
    pub(crate) fn clock_ms(&self, ms: i64) -> Timestamp {
        self.clock.now().plus_ms(ms)
    }

    /// Lets what is counted be stored.
    pub(crate) fn keep_figures(&mut self) {
        let engine = Arc::clone(&self.engine);
        self.cores.push(Box::pin(async move { engine.keep_figures().await }));
        self.settle();
    }

    /// Lets lanes move.
    pub(crate) fn watch_balance(&mut self, rule: BalanceRule) {
        let engine = Arc::clone(&self.engine);
        self.cores.push(Box::pin(async move { engine.watch_balance(rule).await }));
        self.settle();
    }

    /// Ends the process wherever it is, and starts the next, with the loop of replays, on what is on disk.
    pub(crate) fn restart(&mut self, store: Arc<dyn Store>) {
        self.cores.clear();
        (self.engine, self.cores) =
            start(profile(PauseRule::Drops, None), store, 1, (&self.clock, &self.receiver));
        self.watch_owed();
        self.watch_replays();
    }
}

/// An engine and its running cores.
pub(super) fn start(
    profile: Profile,
    store: Arc<dyn Store>,
    cores: usize,
    (clock, receiver): (&Arc<HandClock>, &Rc<Receiver>),
) -> (Arc<Engine>, Vec<Running>) {
    let (engine, cores) = Engine::new(EngineOptions {
        store,
        clock: Arc::clone(clock) as _,
        random: Arc::new(Counting(AtomicU64::new(1))),
        heavy_work: Arc::new(InPlace::default()),
        keyring: Arc::new(Keyring::parse(&"07".repeat(32)).expect("a good key")),
        profiles: vec![profile],
        cores,
        retention: RetentionRules::default(),
    });
    let run = |core: DeliveryCore| Box::pin(core.run(Rc::clone(receiver) as _)) as Running;
    (engine, cores.into_iter().map(run).collect())
}
