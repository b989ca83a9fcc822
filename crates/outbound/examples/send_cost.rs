//! What a request costs this client in CPU time: 64 connections, 1 KiB, a receiver in a process of its own.
//! Beside it the same requests over bare connections of the HTTP library, as the limit of what can be had.
//!
//! `cargo run --release -p signalpost-outbound --example send_cost [requests]`

#![expect(clippy::disallowed_methods, reason = "a measurement needs the real clock, tasks and processes")]
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use signalpost_core::attempt::Outcome;
use signalpost_core::ports::{BoxFuture, Clock, LocalBoxFuture, OutboundRequest, SpawnLocal, Transport};
use signalpost_core::target_url::TargetUrl;
use signalpost_core::time::{Monotonic, Timestamp};
use signalpost_outbound::tls::client_config;
use signalpost_outbound::{Client, ClientLimits, ClientOptions, EgressPolicy, Resolve, ResolveError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::LocalSet;

const CONNECTIONS: usize = 64;
const BODY_BYTES: usize = 1024;
const RECEIVER: &str = "--receiver";

fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1).as_deref() {
        Some(RECEIVER) => block_on(receive()),
        Some(text) => measure(text.parse()?),
        None => measure(400_000),
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, future)
}

fn measure(requests: usize) -> Result<(), Box<dyn Error>> {
    let mut receiver = Receiver::start()?;
    let url = format!("http://127.0.0.1:{}/hook", receiver.port()?);
    block_on(async {
        let client = client()?;
        let url = Arc::new(TargetUrl::parse(&url)?);
        send(&client, &url, requests / 10).await;
        for round in 1..=3 {
            let ours = cost(requests, send(&client, &url, requests)).await?;
            let bare = cost(requests, send_bare(&url, requests)).await?;
            println!("round {round}: {ours} | bare: {bare}");
        }
        Ok(())
    })
}

/// Runs `work` and tells its cost in words.
async fn cost(requests: usize, work: impl Future<Output = ()>) -> Result<String, Box<dyn Error>> {
    let (cpu_us, started) = (process_cpu_us()?, Instant::now());
    work.await;
    let (cpu_us, wall) = (process_cpu_us()? - cpu_us, started.elapsed());
    let (each_us, rate) = (cpu_us / requests as f64, requests as f64 / wall.as_secs_f64());
    Ok(format!("{each_us:.2} us of client CPU per request, {rate:.0} requests/s"))
}

/// Sends `requests` over as many lanes as there are connections, each waiting for its answer.
async fn send(client: &Client, url: &Arc<TargetUrl>, requests: usize) {
    let body = Bytes::from(vec![b'x'; BODY_BYTES]);
    let names = names();
    let lanes = (0..CONNECTIONS).map(|lane| {
        let (client, url, body, names) = (client.clone(), Arc::clone(url), body.clone(), Rc::clone(&names));
        let count = requests / CONNECTIONS;
        tokio::task::spawn_local(async move {
            for number in 0..count {
                let exchange = client.send(request(&url, &body, &names, lane * count + number)).await;
                assert_eq!(exchange.outcome, Outcome::Status(200), "{}", exchange.detail);
            }
        })
    });
    for lane in lanes.collect::<Vec<_>>() {
        lane.await.expect("a lane does not panic");
    }
}

/// The same without anything that guards or bounds.
async fn send_bare(url: &Arc<TargetUrl>, requests: usize) {
    let lanes = (0..CONNECTIONS).map(|lane| {
        let (url, count) = (Arc::clone(url), requests / CONNECTIONS);
        tokio::task::spawn_local(async move {
            let tcp = tokio::net::TcpStream::connect(("127.0.0.1", url.port())).await.expect("it listens");
            tcp.set_nodelay(true).expect("a socket");
            let made = hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(tcp)).await;
            let (mut sender, connection) = made.expect("a fresh connection");
            tokio::task::spawn_local(connection);
            let (body, names) = (Bytes::from(vec![b'x'; BODY_BYTES]), names());
            for number in 0..count {
                let outbound = request(&url, &body, &names, lane * count + number);
                let mut request = http::Request::post("/hook").header("host", "127.0.0.1");
                for (name, value) in outbound.headers {
                    request = request.header(&*name, value);
                }
                let request = request.body(Full::new(outbound.body)).expect("a good request");
                let response = sender.send_request(request).await.expect("an answer");
                assert_eq!(response.status(), 200);
                response.into_body().collect().await.expect("a body");
            }
        })
    });
    for lane in lanes.collect::<Vec<_>>() {
        lane.await.expect("a lane does not panic");
    }
}

fn names() -> Rc<[Arc<str>]> {
    ["content-type", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature"]
        .map(Arc::from)
        .into()
}

/// As an engine makes it: names shared, values made for each request. Signing is not part of this measurement.
fn request(url: &Arc<TargetUrl>, body: &Bytes, names: &[Arc<str>], number: usize) -> OutboundRequest {
    let values = [
        "application/json".to_owned(),
        "Signalpost/0.1".to_owned(),
        format!("msg_{number:022}"),
        "1777975606".to_owned(),
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=".to_owned(),
    ];
    OutboundRequest {
        url: Arc::clone(url),
        headers: names.iter().cloned().zip(values).collect(),
        secret_headers: Arc::default(),
        body: body.clone(),
        timeout: Duration::from_secs(15),
    }
}

fn client() -> Result<Client, Box<dyn Error>> {
    Ok(Client::new(ClientOptions {
        egress: EgressPolicy::parse("127.0.0.0/8")?,
        clock: Arc::new(RealClock { start: Instant::now() }),
        resolver: Rc::new(NoNames),
        tasks: Rc::new(Tasks),
        tls: client_config(None)?,
        limits: ClientLimits::default(),
    }))
}

/// User and system time of this process.
fn process_cpu_us() -> Result<f64, Box<dyn Error>> {
    const TICK_US: f64 = 10_000.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').ok_or("an unknown form of /proc/self/stat")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(ticks as f64 * TICK_US)
}

/// This program again, answering.
struct Receiver(Child);

impl Receiver {
    fn start() -> Result<Self, Box<dyn Error>> {
        let program = std::env::current_exe()?;
        Ok(Self(Command::new(program).arg(RECEIVER).stdout(Stdio::piped()).spawn()?))
    }

    fn port(&mut self) -> Result<u16, Box<dyn Error>> {
        let output = self.0.stdout.take().ok_or("the port is read once")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn receive() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (mut tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        tokio::task::spawn_local(async move {
            let mut buffer = vec![0; 16 * 1024];
            let mut filled = 0;
            // Each request ends with its body of known size; a client that goes away ends the task.
            while let Ok(count @ 1..) = tcp.read(&mut buffer[filled..]).await {
                filled += count;
                let head = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n");
                if head.is_some_and(|head| filled >= head + 4 + BODY_BYTES) {
                    filled = 0;
                    if tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

struct RealClock {
    start: Instant,
}

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        Timestamp::from_ms(i64::try_from(since.as_millis()).expect("before the year 292 million"))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_us(u64::try_from(self.start.elapsed().as_micros()).expect("a short run"))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
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

struct NoNames;

impl Resolve for NoNames {
    fn resolve(&self, _: &str) -> LocalBoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        Box::pin(async { Err(ResolveError::NoAddress) })
    }
}
