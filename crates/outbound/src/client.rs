//! The client of one delivery core: what all its exchanges share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1;
use rustls::ClientConfig;
use signalpost_core::attempt::Exchange;
use signalpost_core::limits::{
    ANSWER_HEADER_BYTES_MAX, CONNECT_TIMEOUT, DNS_TIMEOUT, POOL_AGE_MAX, POOL_CONNECTIONS_MAX, POOL_IDLE,
    TLS_TIMEOUT,
};
use signalpost_core::ports::{Clock, LocalBoxFuture, OutboundRequest, SpawnLocal, Transport};
use signalpost_core::time::Monotonic;
use tokio_rustls::TlsConnector;

use crate::connection::Connection;
use crate::egress::EgressPolicy;
use crate::exchange;
use crate::pool::{Pool, PoolLimits};
use crate::resolve::Resolve;

/// Sends requests to users' URLs. Belongs to one delivery core; a clone is the same client.
///
/// Must be used where tokio's I/O driver runs.
#[derive(Clone)]
pub struct Client {
    shared: Rc<Shared>,
}

/// What a client works with.
pub struct ClientOptions {
    pub egress: EgressPolicy,
    pub clock: Arc<dyn Clock>,
    pub resolver: Rc<dyn Resolve>,
    /// Runs one task for each open connection.
    pub tasks: Rc<dyn SpawnLocal>,
    pub tls: Arc<ClientConfig>,
    pub limits: ClientLimits,
}

/// Limits of time and number; the default is that of [`signalpost_core::limits`].
#[derive(Clone, Copy, Debug)]
pub struct ClientLimits {
    pub dns: Duration,
    pub connect: Duration,
    pub tls: Duration,
    pub pool_idle: Duration,
    pub pool_age: Duration,
    /// Idle connections at one time.
    pub pool_connections: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            dns: DNS_TIMEOUT,
            connect: CONNECT_TIMEOUT,
            tls: TLS_TIMEOUT,
            pool_idle: POOL_IDLE,
            pool_age: POOL_AGE_MAX,
            pool_connections: POOL_CONNECTIONS_MAX,
        }
    }
}

impl Client {
    pub fn new(options: ClientOptions) -> Self {
        let ClientOptions { egress, clock, resolver, tasks, tls, limits } = options;
        let pool = Pool::new(PoolLimits {
            idle: limits.pool_idle,
            age: limits.pool_age,
            connections: limits.pool_connections,
        });
        let mut http = http1::Builder::new();
        http.max_header_size(ANSWER_HEADER_BYTES_MAX).max_buf_size(READ_BUFFER_BYTES_MAX);
        let shared = Shared {
            policy: RefCell::new(Rc::new(egress)),
            clock,
            resolver,
            tasks,
            tls: TlsConnector::from(tls),
            limits,
            http,
            pool: RefCell::new(pool),
            sweeping: Cell::new(Sweeping::No),
        };
        Self { shared: Rc::new(shared) }
    }

    /// Judges by another policy from now on. Connections made under the old one are not used again.
    pub fn set_egress(&self, egress: EgressPolicy) {
        *self.shared.policy.borrow_mut() = Rc::new(egress);
        self.shared.pool.borrow_mut().clear();
    }
}

impl Transport for Client {
    fn send(&self, request: OutboundRequest) -> LocalBoxFuture<'static, Exchange> {
        Box::pin(exchange::run(Rc::clone(&self.shared), request))
    }
}

/// The most that one connection buffers of what it reads: headers at their limit and some of a body.
const READ_BUFFER_BYTES_MAX: usize = ANSWER_HEADER_BYTES_MAX + 8 * 1024;

pub(crate) struct Shared {
    policy: RefCell<Rc<EgressPolicy>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) resolver: Rc<dyn Resolve>,
    pub(crate) tasks: Rc<dyn SpawnLocal>,
    pub(crate) tls: TlsConnector,
    pub(crate) limits: ClientLimits,
    pub(crate) http: http1::Builder,
    pool: RefCell<Pool<Connection>>,
    sweeping: Cell<Sweeping>,
}

/// Whether a task waits for idle connections to end. There is one only while something is idle.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sweeping {
    No,
    Yes,
}

impl Shared {
    pub(crate) fn policy(&self) -> Rc<EgressPolicy> {
        Rc::clone(&self.policy.borrow())
    }

    /// An open and silent connection to `origin` whose judgement still holds.
    pub(crate) fn take_idle(&self, origin: &str, now: Monotonic) -> Option<Connection> {
        let policy = self.policy.borrow();
        let usable = |connection: &Connection| connection.is_usable(&policy) && connection.is_silent();
        self.pool.borrow_mut().take(origin, now, usable)
    }

    /// Keeps a connection whose exchange is complete, if it can serve another.
    pub(crate) fn keep_idle(self: &Rc<Self>, origin: &str, connection: Connection) {
        if !connection.is_usable(&self.policy.borrow()) {
            return;
        }
        let born = connection.born;
        self.pool.borrow_mut().put(origin, connection, born, self.clock.monotonic());
        if self.sweeping.get() == Sweeping::No && !self.pool.borrow().is_empty() {
            self.sweeping.set(Sweeping::Yes);
            self.sweep_while_idle();
        }
    }

    fn sweep_while_idle(self: &Rc<Self>) {
        let clock = Arc::clone(&self.clock);
        let first = self.limits.pool_idle;
        // The task must not keep a client alive that nobody uses any more.
        let shared = Rc::downgrade(self);
        self.tasks.spawn_local(Box::pin(async move {
            let mut next = Some(first);
            while let Some(wait) = next {
                clock.sleep(wait.max(SWEEP_PAUSE_MIN)).await;
                let Some(shared) = shared.upgrade() else { return };
                next = shared.sweep();
            }
        }));
    }

    fn sweep(&self) -> Option<Duration> {
        let policy = self.policy.borrow();
        let now = self.clock.monotonic();
        let next = self.pool.borrow_mut().sweep(now, |connection| connection.is_usable(&policy));
        if next.is_none() {
            self.sweeping.set(Sweeping::No);
        }
        next
    }
}

/// Connections that end one after another are dropped together.
const SWEEP_PAUSE_MIN: Duration = Duration::from_millis(100);
