//! A client and a receiver on one thread, with a clock that goes on only when nothing else happens: an exchange of
//! fifteen seconds takes none.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use rustls::{ClientConfig, RootCertStore};
use signalpost_core::attempt::Exchange;
use signalpost_core::ports::{BoxFuture, Clock, LocalBoxFuture, OutboundRequest, SpawnLocal, Transport};
use signalpost_core::target_url::TargetUrl;
use signalpost_core::time::{Monotonic, Timestamp};
use signalpost_outbound::{Client, ClientLimits, ClientOptions, EgressPolicy, Resolve, ResolveError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::{LocalSet, spawn_local, yield_now};

/// Requests that are sent one after the other: the second may find the connection of the first.
const REQUESTS: usize = 2;
/// Turns of everybody after which nobody can be expected to do anything but wait for the clock.
const TURNS_OF_REST: usize = 24;

/// What the receiver does when it has said all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Close,
    Hang,
}

pub(super) struct World {
    runtime: Runtime,
    tls: Arc<ClientConfig>,
}

impl World {
    pub(super) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider speaks TLS 1.2 and 1.3")
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        Self { runtime, tls: Arc::new(tls) }
    }

    /// Sends requests to a receiver that says `answer` to each, in pieces. Also how much time has passed for them.
    pub(super) fn exchanges(
        &self,
        answer: &[u8],
        piece: usize,
        manner: Manner,
        timeout: Duration,
    ) -> (Vec<Exchange>, Duration) {
        let clock = Arc::new(PatientClock::default());
        let client = self.client(&clock);
        let answer = Bytes::copy_from_slice(answer);
        let tasks = LocalSet::new();
        let exchanges = tasks.block_on(&self.runtime, async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
            let port = listener.local_addr().expect("it listens").port();
            let receiver = spawn_local(receive(listener, answer, piece, manner));
            let keeper = spawn_local(keep_time(Arc::clone(&clock)));
            let mut exchanges = Vec::new();
            for _ in 0..REQUESTS {
                exchanges.push(client.send(request(port, timeout)).await);
            }
            keeper.abort();
            receiver.abort();
            exchanges
        });
        (exchanges, Duration::from_micros(clock.monotonic().as_us()))
    }

    fn client(&self, clock: &Arc<PatientClock>) -> Client {
        Client::new(ClientOptions {
            egress: EgressPolicy::parse("127.0.0.1").expect("an address"),
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            resolver: Rc::new(Nameless),
            tasks: Rc::new(Here),
            tls: Arc::clone(&self.tls),
            limits: ClientLimits::default(),
        })
    }
}

fn request(port: u16, timeout: Duration) -> OutboundRequest {
    let url = TargetUrl::parse(&format!("http://127.0.0.1:{port}/hook")).expect("a good URL");
    OutboundRequest {
        url: Arc::new(url),
        headers: vec![(Arc::from("content-type"), "application/json".to_owned())],
        secret_headers: Arc::default(),
        body: Bytes::from_static(b"{}"),
        timeout,
    }
}

async fn receive(listener: TcpListener, answer: Bytes, piece: usize, manner: Manner) {
    while let Ok((stream, _)) = listener.accept().await {
        let answer = answer.clone();
        // A client that goes away in the middle is nothing that a receiver could complain about.
        spawn_local(async move { drop(converse(stream, &answer, piece, manner).await) });
    }
}

async fn converse(mut stream: TcpStream, answer: &[u8], piece: usize, manner: Manner) -> io::Result<()> {
    // Thousands of connections in a second must not wait for their ports to be free again.
    stream.set_zero_linger()?;
    let mut request = [0; 1_024];
    while stream.read(&mut request).await? > 0 {
        for part in answer.chunks(piece) {
            stream.write_all(part).await?;
            yield_now().await;
        }
        if manner == Manner::Close {
            stream.shutdown().await?;
        }
    }
    Ok(())
}

/// Lets the clock go on to the next who waits for it, whenever everybody else had turns enough.
async fn keep_time(clock: Arc<PatientClock>) {
    loop {
        for _ in 0..TURNS_OF_REST {
            yield_now().await;
        }
        clock.go_on();
    }
}

/// Goes on when nobody has anything else to do.
#[derive(Clone, Default)]
struct PatientClock(Arc<Mutex<Times>>);

#[derive(Default)]
struct Times {
    now_us: u64,
    sleepers_made: u64,
    /// Who waits until when.
    sleepers: BTreeMap<(u64, u64), Waker>,
}

impl PatientClock {
    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn go_on(&self) {
        let mut times = self.times();
        if let Some(((until_us, _), waker)) = times.sleepers.pop_first() {
            times.now_us = times.now_us.max(until_us);
            drop(times);
            waker.wake();
        }
    }
}

impl Clock for PatientClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(1_777_975_606_150)
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_us(self.times().now_us)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut times = self.times();
        times.sleepers_made += 1;
        let wait_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let id = (times.now_us.saturating_add(wait_us), times.sleepers_made);
        drop(times);
        Box::pin(Sleep { clock: self.clone(), id })
    }

    fn give_way(&self) -> BoxFuture<'static, ()> {
        Box::pin(yield_now())
    }
}

/// Who stopped waiting is not waited for.
struct Sleep {
    clock: PatientClock,
    id: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut times = self.clock.times();
        if times.now_us >= self.id.0 {
            return Poll::Ready(());
        }
        times.sleepers.insert(self.id, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.times().sleepers.remove(&self.id);
    }
}

struct Here;

impl SpawnLocal for Here {
    fn spawn_local(&self, task: LocalBoxFuture<'static, ()>) {
        spawn_local(task);
    }
}

struct Nameless;

impl Resolve for Nameless {
    fn resolve(&self, _: &str) -> LocalBoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        Box::pin(std::future::ready(Err(ResolveError::NoAddress)))
    }
}
