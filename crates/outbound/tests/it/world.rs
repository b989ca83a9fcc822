//! What a client needs to run in a test: a clock that can be wound, a resolver that says what it is told.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use rustls::ClientConfig;
use signalpost_core::attempt::{Exchange, Failure, Outcome};
use signalpost_core::ports::{BoxFuture, Clock, LocalBoxFuture, OutboundRequest, SpawnLocal, Transport};
use signalpost_core::target_url::TargetUrl;
use signalpost_core::time::{Monotonic, Timestamp};
use signalpost_outbound::{Client, ClientLimits, ClientOptions, EgressPolicy, Resolve, ResolveError};

/// Loopback is open: this is where the test's receivers are.
pub(crate) const LOOPBACK: &str = "127.0.0.0/8";

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) names: Rc<Names>,
}

pub(crate) struct Setup {
    pub(crate) egress: EgressPolicy,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) limits: ClientLimits,
    /// Test seconds that pass in a real one.
    pub(crate) speed: u32,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            egress: EgressPolicy::parse(LOOPBACK).expect("a good list"),
            tls: super::certificates::trusting(&[]),
            limits: ClientLimits::default(),
            speed: 1,
        }
    }
}

/// Runs a test on one thread, as a delivery core does.
pub(crate) fn run<F: Future<Output = ()>>(setup: Setup, test: impl FnOnce(World) -> F) {
    let names = Rc::new(Names::default());
    start(setup, Rc::clone(&names) as Rc<dyn Resolve>, names, test);
}

/// The same with a name server of the test's own.
pub(crate) fn run_with<F: Future<Output = ()>>(
    setup: Setup,
    resolver: Rc<dyn Resolve>,
    test: impl FnOnce(World) -> F,
) {
    start(setup, resolver, Rc::default(), test);
}

fn start<F: Future<Output = ()>>(
    setup: Setup,
    resolver: Rc<dyn Resolve>,
    names: Rc<Names>,
    test: impl FnOnce(World) -> F,
) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime for the test");
    let clock =
        Arc::new(TestClock { start: Instant::now(), speed: setup.speed, wound_us: AtomicU64::new(0) });
    let client = Client::new(ClientOptions {
        egress: setup.egress,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        resolver,
        tasks: Rc::new(Tasks),
        tls: setup.tls,
        limits: setup.limits,
    });
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, test(World { client, clock, names }));
}

impl World {
    /// Posts `{}` to `url` with a limit of ten seconds.
    pub(crate) async fn post(&self, url: &str) -> Exchange {
        self.post_within(url, Duration::from_secs(10)).await
    }

    pub(crate) async fn post_within(&self, url: &str, timeout: Duration) -> Exchange {
        self.client.send(request(url, timeout)).await
    }
}

pub(crate) fn request(url: &str, timeout: Duration) -> OutboundRequest {
    OutboundRequest {
        url: Arc::new(TargetUrl::parse(url).unwrap_or_else(|error| panic!("{url} {error}"))),
        headers: vec![(Arc::from("content-type"), "application/json".to_owned())],
        secret_headers: Arc::default(),
        body: Bytes::from_static(b"{}"),
        timeout,
    }
}

pub(crate) fn assert_status(exchange: &Exchange, status: u16) {
    assert_eq!(exchange.outcome, Outcome::Status(status), "{}", exchange.detail);
}

/// Checks the failure, and that its sentence holds `words`.
pub(crate) fn assert_failed(exchange: &Exchange, failure: Failure, words: &str) {
    assert_eq!(exchange.outcome, Outcome::Failed(failure), "{}", exchange.detail);
    assert!(exchange.detail.contains(words), "{:?} should hold {words:?}", exchange.detail);
    assert!(exchange.answer.is_empty(), "a failure has no answer");
}

pub(crate) struct TestClock {
    start: Instant,
    speed: u32,
    wound_us: AtomicU64,
}

impl TestClock {
    /// Lets time pass at once for those who read the clock; sleepers do not notice.
    pub(crate) fn wind(&self, by: Duration) {
        let us = u64::try_from(by.as_micros()).expect("a short time");
        self.wound_us.fetch_add(us, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        Timestamp::from_ms(i64::try_from(since.as_millis()).expect("before the year 292 million"))
    }

    fn monotonic(&self) -> Monotonic {
        let real = self.start.elapsed() * self.speed;
        let us = u64::try_from(real.as_micros()).expect("a short test");
        Monotonic::from_us(us + self.wound_us.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration / self.speed))
    }

    fn give_way(&self) -> BoxFuture<'static, ()> {
        Box::pin(tokio::task::yield_now())
    }
}

struct Tasks;

impl SpawnLocal for Tasks {
    fn spawn_local(&self, task: LocalBoxFuture<'static, ()>) {
        tokio::task::spawn_local(task);
    }
}

/// The answers of the test's name server.
#[derive(Default)]
pub(crate) struct Names {
    answers: RefCell<HashMap<String, Told>>,
    pub(crate) asked: RefCell<Vec<String>>,
}

#[derive(Clone)]
pub(crate) enum Told {
    Addresses(Vec<IpAddr>),
    Error(ResolveError),
    Never,
}

impl Names {
    pub(crate) fn tell(&self, name: &str, told: Told) {
        self.answers.borrow_mut().insert(name.to_owned(), told);
    }

    pub(crate) fn tell_addresses(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        self.tell(name, Told::Addresses(addresses));
    }
}

impl Resolve for Names {
    fn resolve(&self, host: &str) -> LocalBoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        self.asked.borrow_mut().push(host.to_owned());
        let told = self.answers.borrow().get(host).cloned();
        Box::pin(async move {
            match told {
                Some(Told::Addresses(addresses)) => Ok(addresses),
                Some(Told::Error(error)) => Err(error),
                Some(Told::Never) => std::future::pending().await,
                None => Err(ResolveError::NoAddress),
            }
        })
    }
}
