//! The running product: store, engine, cores and listeners, put together and taken apart in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use signalpost_api::OperatorAccess;
use signalpost_core::ports::HeavyWork;
use signalpost_outbound::tls::client_config;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::cmd::Failure;
use crate::cores::{self, CoreParts};
use crate::doors::Doors;
use crate::heavy_thread::HeavyThread;
use crate::huge_pages;
use crate::installation::Installation;
use crate::key_files::Keys;
use crate::listen::Connections;
use crate::open_files;
use crate::settings::Settings;
use crate::tls::{self, Certificate};

/// Time that callers get to finish what they began once we are told to stop.
const CALLERS_GRACE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(crate) struct Server {
    /// Nobody reaches a process there that only delivers.
    pub(crate) public: Option<SocketAddr>,
    pub(crate) operator: SocketAddr,
    installation: Installation,
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
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::io("cannot make a runtime", error))?;
        let heavy = HeavyThread::start();
        let heavy = heavy.map_err(|error| Failure::io("cannot start the thread of heavy work", error))?;
        let heavy_work: Arc<dyn HeavyWork> = heavy.queue();
        let (installation, delivery_cores) =
            Installation::open(&settings, keys.keyring, &heavy_work, processors, &runtime)?;
        let refuse_readiness = Arc::new(AtomicBool::new(false));
        let access = OperatorAccess { key_hash: keys.operator_key, draining: Arc::clone(&refuse_readiness) };
        let addresses = doors.addresses();
        let surfaces = doors.surfaces(&installation.cells(&settings), &access, &settings);
        let (draining, is_draining) = watch::channel(false);
        let (connections, seats) = Connections::new(delivery_cores.len(), is_draining);
        let client_tls =
            client_config(None).map_err(|error| Failure::new(format!("TLS cannot be set up: {error}")))?;
        let egress = settings.egress.with_own_listeners(addresses);
        let mut threads = Vec::new();
        for (number, (deliveries, seat)) in delivery_cores.into_iter().zip(seats).enumerate() {
            let doors = surfaces.another()?;
            let (connections, clock) = (connections.clone(), installation.clock());
            let (egress, tls) = (egress.clone(), Arc::clone(&client_tls));
            let parts = CoreParts { deliveries, doors, seat, connections, clock, egress, tls };
            threads.push(cores::start(number, parts)?);
        }
        let (public, operator, role) = (surfaces.public(), surfaces.operator(), settings.role.name());
        let shown = public.map(tracing::field::display);
        tracing::info!(role, public = shown, %operator, cores = threads.len(), "ready");
        Ok(Self {
            public,
            operator,
            installation,
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
        let Self { installation, runtime, cores, heavy, connections, certificates, .. } = self;
        let (draining, refuse_readiness) = (self.draining, self.refuse_readiness);
        runtime.block_on(async {
            let watches = installation.watch();
            tokio::spawn(tls::watch(certificates)?);
            tokio::select! {
                ended = until => ended,
                broken = core_ended(&cores) => Err(broken),
            }?;
            tracing::info!("stopping: finishing what is in flight; what is owed goes out at the next start");
            refuse_readiness.store(true, Ordering::SeqCst);
            draining.send_replace(true);
            watches.begin_nothing();
            let callers_gone = async { wait_until(|| connections.open() == 0).await };
            if tokio::time::timeout(CALLERS_GRACE, callers_gone).await.is_err() {
                tracing::warn!(connections = connections.open(), "callers were cut off");
            }
            installation.stop();
            wait_until(|| cores.iter().all(JoinHandle::is_finished)).await;
            watches.end();
            installation.close().await
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
