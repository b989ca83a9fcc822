//! The running product: store, engine, cores and listeners, put together and taken apart in order.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use signalpost_api::OperatorAccess;
use signalpost_core::ports::Clock;
use signalpost_core::seal::Keyring;
use signalpost_core::secret::Secret;
use signalpost_engine::vault::{KeyCheckError, check_keyring};
use signalpost_engine::{BalanceRule, Engine, EngineOptions};
use signalpost_outbound::tls::client_config;
use signalpost_store::Store;
use signalpost_store_postgres::{Duty, PostgresStore};
use signalpost_store_sqlite::{OpenOptions, SqliteStore};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::cmd::Failure;
use crate::cores::{self, CoreParts};
use crate::doors::Doors;
use crate::heavy_thread::HeavyThread;
use crate::huge_pages;
use crate::key_files::Keys;
use crate::listen::Connections;
use crate::open_files;
use crate::ports::{SystemClock, SystemRandom, SystemThreads};
use crate::process;
use crate::settings::Settings;
use crate::tls::{self, Certificate};

/// Threads that read the store: looking things up must not wait for one slow list.
const STORE_READERS: usize = 2;
/// Time that callers get to finish what they began once we are told to stop.
const CALLERS_GRACE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Where our tables lie in a database that may hold others.
pub(crate) const POSTGRES_SCHEMA: &str = "signalpost";

pub(crate) struct Server {
    /// Nobody reaches a process there that only delivers.
    pub(crate) public: Option<SocketAddr>,
    pub(crate) operator: SocketAddr,
    engine: Arc<Engine>,
    store: Arc<dyn Store>,
    /// Runs what belongs to no core: signals, the watch for owed deliveries, the order of stopping.
    runtime: Runtime,
    cores: Vec<JoinHandle<()>>,
    heavy: HeavyThread,
    connections: Connections,
    certificates: Vec<Arc<Certificate>>,
    draining: watch::Sender<bool>,
    refuse_readiness: Arc<AtomicBool>,
}

impl Server {
    /// Opens the store, binds both addresses and starts to serve and deliver.
    pub(crate) fn start(settings: Settings, keys: Keys) -> Result<Self, Failure> {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        open_files::raise_limit(&settings, processors);
        huge_pages::do_without();
        let mut doors = Doors::open(&settings)?;
        let certificates = std::mem::take(&mut doors.certificates);
        let clock = Arc::new(SystemClock::new());
        let store = open_store(&settings, &clock)?;
        let clock: Arc<dyn Clock> = clock;
        let runtime = checked_runtime(store.as_ref(), &keys.keyring)?;
        let dialects = &settings.dialects;
        let heavy = HeavyThread::start();
        let heavy = heavy.map_err(|error| Failure::io("cannot start the thread of heavy work", error))?;
        let (engine, delivery_cores) = Engine::new(EngineOptions {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            random: Arc::new(SystemRandom),
            heavy_work: heavy.queue(),
            keyring: Arc::new(keys.keyring),
            profiles: dialects.iter().map(|dialect| dialect.profile.clone()).collect(),
            cores: processors,
            retention: settings.retention.clone(),
        });
        let refuse_readiness = Arc::new(AtomicBool::new(false));
        let access = OperatorAccess { key_hash: keys.operator_key, draining: Arc::clone(&refuse_readiness) };
        let addresses = doors.addresses();
        let surfaces = doors.surfaces(&engine, &access, &settings);
        let (draining, is_draining) = watch::channel(false);
        let (connections, seats) = Connections::new(delivery_cores.len(), is_draining);
        let client_tls =
            client_config(None).map_err(|error| Failure::new(format!("TLS cannot be set up: {error}")))?;
        let egress = settings.egress.with_own_listeners(addresses);
        let mut threads = Vec::new();
        for (number, (core, seat)) in delivery_cores.into_iter().zip(seats).enumerate() {
            let doors = surfaces.another()?;
            let (connections, clock) = (connections.clone(), Arc::clone(&clock));
            let (egress, tls) = (egress.clone(), Arc::clone(&client_tls));
            let parts = CoreParts { core, doors, seat, connections, clock, egress, tls };
            threads.push(cores::start(number, parts)?);
        }
        let (public, operator, role) = (surfaces.public(), surfaces.operator(), settings.role.name());
        let shown = public.map(tracing::field::display);
        tracing::info!(role, public = shown, %operator, cores = threads.len(), "ready");
        Ok(Self {
            public,
            operator,
            engine,
            store,
            runtime,
            cores: threads,
            heavy,
            connections,
            certificates,
            draining,
            refuse_readiness,
        })
    }

    /// Serves until `until` resolves, then stops in order: callers, attempts in flight, store.
    pub(crate) fn run_until(self, until: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
        let Self { engine, store, runtime, cores, heavy, connections, certificates, .. } = self;
        let (draining, refuse_readiness) = (self.draining, self.refuse_readiness);
        runtime.block_on(async {
            let watching = Arc::clone(&engine);
            tokio::spawn(async move { watching.watch_owed().await });
            let balancing = Arc::clone(&engine);
            tokio::spawn(async move { balancing.watch_balance(BalanceRule::default()).await });
            let keeping = Arc::clone(&engine);
            let retention = tokio::spawn(async move { keeping.watch_retention().await });
            let replaying = Arc::clone(&engine);
            let replays = tokio::spawn(async move { replaying.watch_replays().await });
            let tidying = Arc::clone(&engine);
            let upkeep = tokio::spawn(async move { tidying.keep_house().await });
            tokio::spawn(tls::watch(certificates)?);
            tokio::select! {
                ended = until => ended,
                broken = core_ended(&cores) => Err(broken),
            }?;
            tracing::info!("stopping: finishing what is in flight; what is owed goes out at the next start");
            refuse_readiness.store(true, Ordering::SeqCst);
            draining.send_replace(true);
            replays.abort();
            let callers_gone = async { wait_until(|| connections.open() == 0).await };
            if tokio::time::timeout(CALLERS_GRACE, callers_gone).await.is_err() {
                tracing::warn!(connections = connections.open(), "callers were cut off");
            }
            engine.stop();
            wait_until(|| cores.iter().all(JoinHandle::is_finished)).await;
            retention.abort();
            upkeep.abort();
            let closed = store.close().await;
            closed.map_err(|error| Failure::new(format!("the store was not closed cleanly: {error}")))
        })?;
        for core in cores {
            core.join()
                .map_err(|_| Failure::new("a delivery core broke while stopping; its log line says where"))?;
        }
        heavy.stop().map_err(|_| Failure::new("the thread of heavy work broke; its log line says where"))?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// A runtime for what belongs to no core, if the master key opens what is stored.
fn checked_runtime(store: &dyn Store, keyring: &Keyring) -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::io("cannot make a runtime", error))?;
    runtime.block_on(check_keyring(store, keyring, &SystemRandom)).map_err(key_failure)?;
    Ok(runtime)
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

fn open_store(settings: &Settings, clock: &Arc<SystemClock>) -> Result<Arc<dyn Store>, Failure> {
    if let Some(url) = &settings.database {
        return open_database(url, Arc::clone(clock), settings.role.duty());
    }
    let (directory, readers) = (settings.data.clone(), STORE_READERS);
    let options = OpenOptions { directory, threads: &SystemThreads, readers };
    let store = SqliteStore::open(options).map_err(|error| Failure::new(error.to_string()))?;
    Ok(Arc::new(store))
}

/// The store in a database that a URL names.
pub(crate) fn open_database(
    url: &Secret,
    clock: Arc<SystemClock>,
    duty: Duty,
) -> Result<Arc<dyn Store>, Failure> {
    let (url, schema) = (url.expose_text().to_owned(), POSTGRES_SCHEMA.to_owned());
    let followed = Arc::clone(&clock);
    let options = signalpost_store_postgres::OpenOptions {
        url,
        schema,
        answer_timeout: signalpost_store_postgres::ANSWER_TIMEOUT,
        tls: &database_tls,
        threads: &SystemThreads,
        clock,
        drift: Arc::new(move |ahead_ms| followed.follow(ahead_ms)),
        process: process::this(),
        duty,
    };
    let store = PostgresStore::open(options).map_err(|error| Failure::new(error.to_string()))?;
    Ok(Arc::new(store))
}

/// As for receivers, with the authorities in a file trusted besides.
pub(crate) fn database_tls(authorities: Option<&Path>) -> Result<rustls::ClientConfig, String> {
    let read =
        |path: &Path| std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
    let pem = authorities.map(read).transpose()?;
    let config = client_config(pem.as_deref()).map_err(|error| error.to_string())?;
    Ok(Arc::unwrap_or_clone(config))
}

/// Resolves when a core has ended although nobody told it to: the process must not go on with half its lanes.
async fn core_ended(cores: &[JoinHandle<()>]) -> Failure {
    loop {
        if cores.iter().any(JoinHandle::is_finished) {
            return Failure::new(
                "a delivery core broke; everything acknowledged is on disk and goes out after a restart",
            );
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn wait_until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
