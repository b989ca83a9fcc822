//! The threads that do the work: one per processor, each with its own runtime, receivers' connections and callers.

use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use futures_util::future::join_all;
use signalpost_core::ports::Clock;
use signalpost_engine::DeliveryCore;
use signalpost_outbound::resolve::{Resolve, ResolveError};
use signalpost_outbound::{Client, ClientLimits, ClientOptions, EgressPolicy, SystemResolver};
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use crate::cmd::Failure;
use crate::listen::{Connections, Door, Seat, accept, serve_seat};
use crate::ports::LocalTasks;

/// What one core needs to run.
pub(crate) struct CoreParts {
    /// One of each engine.
    pub(crate) deliveries: Vec<DeliveryCore>,
    pub(crate) doors: Vec<(Door, Router)>,
    pub(crate) seat: Seat,
    pub(crate) connections: Connections,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) egress: EgressPolicy,
    pub(crate) tls: Arc<rustls::ClientConfig>,
}

/// Starts the thread of a core. It ends after the engine was told to stop.
pub(crate) fn start(number: usize, parts: CoreParts) -> Result<JoinHandle<()>, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::io("cannot make a runtime", error))?;
    let thread = std::thread::Builder::new().name(format!("core-{number}"));
    let started = thread.spawn(move || LocalSet::new().block_on(&runtime, run(parts)));
    started.map_err(|error| Failure::io("cannot start a thread", error))
}

async fn run(parts: CoreParts) {
    let client = Client::new(ClientOptions {
        egress: parts.egress,
        clock: parts.clock,
        resolver: resolver(),
        tasks: LocalTasks::shared(),
        tls: parts.tls,
        limits: ClientLimits::default(),
    });
    for (door, router) in parts.doors {
        tokio::spawn(accept(door, router, parts.connections.clone()));
    }
    tokio::spawn(serve_seat(parts.seat, parts.connections));
    let client = Rc::new(client);
    join_all(parts.deliveries.into_iter().map(|core| core.run(Rc::clone(&client) as _))).await;
}

/// The system's name servers. A machine without any can still deliver to literal addresses.
fn resolver() -> Rc<dyn Resolve> {
    match SystemResolver::from_system() {
        Ok(resolver) => Rc::new(resolver),
        Err(error) => {
            tracing::warn!(%error, "no name servers: only webhooks at literal addresses can be reached");
            Rc::new(NoNameServers)
        }
    }
}

struct NoNameServers;

impl Resolve for NoNameServers {
    fn resolve(
        &self,
        _host: &str,
    ) -> signalpost_core::ports::LocalBoxFuture<'static, Result<Vec<std::net::IpAddr>, ResolveError>> {
        let refused = ResolveError::Failed("this machine has no name servers".to_owned());
        Box::pin(std::future::ready(Err(refused)))
    }
}
