//! What an installation's data lies in, each part with its engine: one as a rule, several where it is divided into cells.

use std::sync::Arc;

use futures_util::future::join_all;
use signalpost_core::cell::CellNumber;
use signalpost_core::ports::{Clock, HeavyWork};
use signalpost_core::seal::Keyring;
use signalpost_engine::cells::{Cell, Cells};
use signalpost_engine::vault::{KeyCheckError, check_keyring};
use signalpost_engine::{BalanceRule, DeliveryCore, Engine, EngineOptions};
use signalpost_store::Store;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::clock::SystemClock;
use crate::cmd::Failure;
use crate::ports::SystemRandom;
use crate::settings::Settings;
use crate::stores::{open_database, open_embedded};

pub(crate) struct Installation {
    parts: Vec<Part>,
}

struct Part {
    cell: Option<CellNumber>,
    store: Arc<dyn Store>,
    engine: Arc<Engine>,
    /// Each goes by its own database's when that is far off the machine's.
    clock: Arc<SystemClock>,
}

/// What the engines do beside answering and delivering.
pub(crate) struct Watches {
    /// They plan and begin deliveries.
    replays: Vec<JoinHandle<()>>,
    /// They look after what is stored.
    keeping: Vec<JoinHandle<()>>,
}

impl Installation {
    /// Opens all, if the master key opens what is stored in each. For each of the processors there is one delivery core of each
    /// engine.
    pub(crate) fn open(
        settings: &Settings,
        keyring: Keyring,
        heavy_work: &Arc<dyn HeavyWork>,
        processors: usize,
        runtime: &Runtime,
    ) -> Result<(Self, Vec<Vec<DeliveryCore>>), Failure> {
        let keyring = Arc::new(keyring);
        let mut by_processor: Vec<Vec<DeliveryCore>> = (0..processors).map(|_| Vec::new()).collect();
        let mut parts = Vec::new();
        for (cell, store, clock) in open_stores(settings)? {
            runtime.block_on(check_keyring(&*store, &keyring, &SystemRandom)).map_err(key_failure)?;
            let (engine, cores) = Engine::new(EngineOptions {
                store: Arc::clone(&store),
                clock: Arc::clone(&clock) as Arc<dyn Clock>,
                random: Arc::new(SystemRandom),
                heavy_work: Arc::clone(heavy_work),
                keyring: Arc::clone(&keyring),
                profiles: settings.dialects.iter().map(|dialect| dialect.profile.clone()).collect(),
                cores: processors,
                retention: settings.retention.clone(),
            });
            by_processor.iter_mut().zip(cores).for_each(|(all, core)| all.push(core));
            parts.push(Part { cell, store, engine, clock });
        }
        Ok((Self { parts }, by_processor))
    }

    /// As callers see it.
    pub(crate) fn cells(&self, settings: &Settings) -> Cells {
        let cell = |part: &Part| Cell { number: part.cell, engine: Arc::clone(&part.engine) };
        Cells::new(self.parts.iter().map(cell).collect(), settings.new_workspaces)
    }

    /// By which receivers are waited for.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.parts[0].clock) as Arc<dyn Clock>
    }

    /// Begins everything that runs beside callers and cores. Must run on a tokio runtime.
    pub(crate) fn watch(&self) -> Watches {
        let mut watches = Watches { replays: Vec::new(), keeping: Vec::new() };
        for Part { engine, .. } in &self.parts {
            let watching = Arc::clone(engine);
            tokio::spawn(async move { watching.watch_owed().await });
            // To the end: what it is about to store then is stored.
            let counting = Arc::clone(engine);
            tokio::spawn(async move { counting.keep_figures().await });
            let balancing = Arc::clone(engine);
            tokio::spawn(async move { balancing.watch_balance(BalanceRule::default()).await });
            let replaying = Arc::clone(engine);
            watches.replays.push(tokio::spawn(async move { replaying.watch_replays().await }));
            let keeping = Arc::clone(engine);
            watches.keeping.push(tokio::spawn(async move { keeping.watch_retention().await }));
            let tidying = Arc::clone(engine);
            watches.keeping.push(tokio::spawn(async move { tidying.keep_house().await }));
        }
        watches
    }

    /// Tells all cores to finish what is in flight.
    pub(crate) fn stop(&self) {
        self.parts.iter().for_each(|part| part.engine.stop());
    }

    /// Once all cores have ended.
    pub(crate) async fn close(&self) -> Result<(), Failure> {
        join_all(self.parts.iter().map(|part| part.engine.store_last_figures())).await;
        let closed = join_all(self.parts.iter().map(|part| part.store.close())).await;
        let closed: Result<Vec<()>, _> = closed.into_iter().collect();
        closed.map(drop).map_err(|error| Failure::new(format!("the store was not closed cleanly: {error}")))
    }
}

impl Watches {
    /// What is under way goes on, and the stores are still looked after.
    pub(crate) fn begin_nothing(&self) {
        self.replays.iter().for_each(JoinHandle::abort);
    }

    pub(crate) fn end(&self) {
        self.keeping.iter().for_each(JoinHandle::abort);
    }
}

type Opened = (Option<CellNumber>, Arc<dyn Store>, Arc<SystemClock>);

fn open_stores(settings: &Settings) -> Result<Vec<Opened>, Failure> {
    if settings.databases.is_empty() {
        return Ok(vec![(None, open_embedded(&settings.data)?, Arc::new(SystemClock::new()))]);
    }
    let databases = settings.databases.iter().map(|database| {
        let clock = Arc::new(SystemClock::new());
        let store = open_database(database, Arc::clone(&clock), settings.role.duty())?;
        Ok((database.cell, store, clock))
    });
    databases.collect()
}

/// Nothing is served with a master key that does not open what is stored.
pub(crate) fn key_failure(error: KeyCheckError) -> Failure {
    match error {
        KeyCheckError::WrongKey(_) => Failure::new(error.to_string()).hint(
            "Give the key that this data was written with, in SIGNALPOST_MASTER_KEY or master.key; a ring \
             `2:<new>,1:<old>` holds several.",
        ),
        KeyCheckError::Store(error) => Failure::new(format!("the store cannot be used: {error}")),
    }
}
