//! `signalpost bench-receiver`: the receiver of a bench run, a lean process of its own that verifies and notes.
//!
//! It is told what to do by lines on its input and answers on its output; `process` is the other end. It ends with its
//! input. One thread serves all connections, so that its cost does not hide in hand-overs.

pub(super) mod conduct;
pub(super) mod process;
mod wire;

use std::io::{BufRead, Write, stdin, stdout};
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signalpost_core::id::EventId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use self::conduct::{Conduct, Conducts};
use self::wire::Delivery;
use super::clock::now_ns;
use super::record::{NO_EVENT, NO_NUMBER, Record, Verdict};
use super::server::free_addresses;
use crate::cmd::Failure;

const SUCCESS: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const REFUSAL: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const READ_BYTES: usize = 16 * 1024;
/// Records kept at most, some 3 GB: far above what a run makes. Beyond it requests are refused, which voids the run.
const RECORDS_MAX: usize = 100_000_000;

/// What is sent byte by byte: an answer whose head has no end.
const DRIP: &[u8] = b"HTTP/1.1 200 OK\r\nx-drip: ";
const DRIP_ON: u8 = b'.';
const DRIP_EVERY: Duration = Duration::from_millis(100);

struct State {
    book: Mutex<Book>,
    /// Changes with every change of conduct.
    changed: watch::Sender<()>,
    doors: mpsc::UnboundedSender<Door>,
}

/// Whether anybody can connect.
#[derive(Clone, Copy)]
enum Wanted {
    Open,
    /// Connections that are open end.
    Shut,
}

struct Door {
    wanted: Wanted,
    done: std::sync::mpsc::Sender<std::io::Result<()>>,
}

#[derive(Default)]
struct Book {
    /// Signing keys by the number of the webhook.
    secrets: Vec<Vec<u8>>,
    records: Vec<Record>,
    conducts: Conducts,
}

/// What is done about one request, after it was noted.
#[derive(Clone, Copy)]
enum Reply {
    Conduct(Conduct),
    Refuse,
}

type Shared = Arc<State>;

pub(in super::super) fn run() -> Result<(), Failure> {
    // A port that stays ours while nobody listens on it.
    let [address, _] = free_addresses()?;
    let listener = StdListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    let listener = listener.map_err(|error| Failure::io("the receiver cannot listen", error))?;
    let (doors, doors_told) = mpsc::unbounded_channel();
    let shared = Arc::new(State { book: Mutex::default(), changed: watch::Sender::new(()), doors });
    let serving = Arc::clone(&shared);
    std::thread::Builder::new()
        .name("receive".to_owned())
        .spawn(move || receive(listener, address, doors_told, serving))
        .map_err(|error| Failure::io("the receiver's thread cannot be started", error))?;
    reply(format!("{address}\n").as_bytes())?;
    for line in stdin().lock().lines() {
        let line = line.map_err(|error| Failure::io("the receiver's input cannot be read", error))?;
        obey(&line, &shared)?;
    }
    Ok(())
}

fn receive(
    listener: StdListener,
    address: SocketAddr,
    mut doors: mpsc::UnboundedReceiver<Door>,
    shared: Shared,
) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a process that has just started can have an event loop");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("a fresh socket on a runtime");
        let mut connections = JoinSet::new();
        let mut listener = Some(listener);
        loop {
            tokio::select! {
                // An error of `accept` is that of one caller, who will come again.
                accepted = accept(listener.as_ref()) => if let Ok(stream) = accepted {
                    connections.spawn(serve(stream, Arc::clone(&shared)));
                },
                Some(Door { wanted, done }) = doors.recv() => {
                    let told = match wanted {
                        Wanted::Open => TcpListener::bind(address).await.map(|bound| listener = Some(bound)),
                        Wanted::Shut => {
                            listener = None;
                            connections.shutdown().await;
                            Ok(())
                        }
                    };
                    // Whoever asked has gone if nobody hears it, and then so shall we.
                    drop(done.send(told));
                }
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        }
    });
}

async fn accept(listener: Option<&TcpListener>) -> std::io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

/// Carries out one line of the generator's. The answer comes when it is done.
fn obey(line: &str, shared: &Shared) -> Result<(), Failure> {
    let mut words = line.split(' ');
    match (words.next(), words.next()) {
        (Some("trust"), Some(secret)) => {
            let secret = wire::secret_bytes(secret);
            lock(shared).secrets.push(secret.ok_or_else(|| Failure::new("a secret has an unknown form"))?);
            Ok(())
        }
        (Some("conduct"), Some(word)) => {
            let conduct = Conduct::of_word(word);
            let conduct = conduct.ok_or_else(|| Failure::new(format!("`{word}` is no conduct")))?;
            match (words.next().map(str::parse), words.next().map(str::parse)) {
                (None, _) => lock(shared).conducts.set_all(conduct),
                (Some(Ok(first)), Some(Ok(end))) => lock(shared).conducts.set(first..end, conduct),
                _ => return Err(Failure::new(format!("the receiver does not know whom `{line}` is about"))),
            }
            shared.changed.send_replace(());
            reply(b"done\n")
        }
        (Some("down"), None) => door(shared, Wanted::Shut),
        (Some("up"), None) => door(shared, Wanted::Open),
        (Some("done"), None) => reply(b"done\n"),
        (Some("take"), None) => {
            let records = std::mem::take(&mut lock(shared).records);
            reply(format!("{}\n", records.len()).as_bytes())?;
            reply(&wire::encode_all(&records))
        }
        _ => Err(Failure::new(format!("the receiver does not know `{line}`"))),
    }
}

fn door(shared: &Shared, wanted: Wanted) -> Result<(), Failure> {
    let (done, told) = std::sync::mpsc::channel();
    let gone = || Failure::new("the receiver's thread has ended");
    shared.doors.send(Door { wanted, done }).map_err(|_| gone())?;
    let changed = told.recv().map_err(|_| gone())?;
    changed.map_err(|error| Failure::io("the receiver cannot listen again", error))?;
    reply(b"done\n")
}

fn reply(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| Failure::io("the receiver cannot be heard", error))
}

fn lock(shared: &Shared) -> MutexGuard<'_, Book> {
    shared.book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves one connection until it ends. How it ends is the caller's business: what was noted stays noted.
async fn serve(mut stream: TcpStream, shared: Shared) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut buffer = Vec::with_capacity(READ_BYTES);
    loop {
        match stream.read_buf(&mut buffer).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
        loop {
            let (target, reply, length) = match wire::parse(&buffer) {
                Ok(None) => break,
                Ok(Some(delivery)) => (delivery.target, note(&delivery, &shared), delivery.length),
                Err(wire::Broken) => (u32::MAX, note_broken(&shared), buffer.len()),
            };
            buffer.drain(..length);
            let goes_on = match reply {
                Reply::Conduct(Conduct::Answer) => stream.write_all(SUCCESS).await.is_ok(),
                Reply::Conduct(Conduct::Status(status)) => stream.write_all(&decline(status)).await.is_ok(),
                Reply::Conduct(Conduct::Hold) => return hold(&mut stream, target, &shared).await,
                Reply::Conduct(Conduct::Drip) => return drip(&mut stream, target, &shared).await,
                Reply::Refuse => return stream.write_all(REFUSAL).await.unwrap_or_default(),
            };
            if !goes_on {
                return;
            }
        }
    }
}

fn decline(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} As Told\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

/// Lets the caller wait until it gives up, or until the conduct towards the webhook is another; then the connection ends.
async fn hold(stream: &mut TcpStream, target: u32, shared: &Shared) {
    let mut changed = shared.changed.subscribe();
    let mut ignored = [0; 1_024];
    while lock(shared).conducts.of(target) == Conduct::Hold {
        tokio::select! {
            read = stream.read(&mut ignored) => if !matches!(read, Ok(1..)) { return },
            // The sender lives as long as what we share.
            _ = changed.changed() => {}
        }
    }
}

/// The same, with a byte of an answer now and then.
async fn drip(stream: &mut TcpStream, target: u32, shared: &Shared) {
    let mut bytes = DRIP.iter().copied().chain(std::iter::repeat(DRIP_ON));
    let mut ticks = tokio::time::interval(DRIP_EVERY);
    while lock(shared).conducts.of(target) == Conduct::Drip {
        ticks.tick().await;
        let byte = bytes.next().expect("it goes on without an end");
        if stream.write_all(&[byte]).await.is_err() {
            return;
        }
    }
}

fn note(delivery: &Delivery<'_>, shared: &Shared) -> Reply {
    let at_ns = now_ns();
    let event = EventId::from_public(delivery.id).map(EventId::raw);
    let mut book = lock(shared);
    let secret = book.secrets.get(usize::try_from(delivery.target).expect("32 bits fit"));
    let verified = event.is_some() && secret.is_some_and(|secret| delivery.verifies(secret));
    let conduct = book.conducts.of(delivery.target);
    let verdict = match (conduct, verified) {
        (_, false) => Verdict::Refuted,
        (Conduct::Hold | Conduct::Drip, true) => Verdict::Held,
        (Conduct::Status(_), true) => Verdict::Declined,
        (Conduct::Answer, true) => Verdict::Verified,
    };
    let record = Record {
        event: event.unwrap_or(NO_EVENT),
        number: delivery.number(),
        at_ns,
        target: delivery.target,
        verdict,
    };
    let kept = book.keep(record);
    if kept && verified { Reply::Conduct(conduct) } else { Reply::Refuse }
}

fn note_broken(shared: &Shared) -> Reply {
    let (event, number, target) = (NO_EVENT, NO_NUMBER, u32::MAX);
    lock(shared).keep(Record { event, number, at_ns: now_ns(), target, verdict: Verdict::Refuted });
    Reply::Refuse
}

impl Book {
    /// False when there is no room for it.
    fn keep(&mut self, record: Record) -> bool {
        let has_room = self.records.len() < RECORDS_MAX;
        if has_room {
            self.records.push(record);
        }
        has_room
    }
}
