//! `signalpost bench-receiver`: the receiver of a bench run, a lean process of its own that verifies and notes.
//!
//! It is told what to do by lines on its input and answers on its output; `process` is the other end. It ends with its
//! input. One thread serves all connections, so that its cost does not hide in hand-overs.

pub(super) mod process;
mod wire;

use std::io::{BufRead, Write, stdin, stdout};
use std::net::TcpListener as StdListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signalpost_core::id::EventId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

use self::wire::Delivery;
use super::clock::now_ns;
use super::record::{NO_EVENT, NO_NUMBER, Record, Verdict};
use crate::cmd::Failure;

const SUCCESS: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const REFUSAL: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const READ_BYTES: usize = 16 * 1024;
/// Records kept at most, some 3 GB: far above what a run makes. Beyond it requests are refused, which voids the run.
const RECORDS_MAX: usize = 100_000_000;

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Conduct {
    #[default]
    Answer,
    /// Takes requests and leaves them without an answer.
    Hold,
}

#[derive(Default)]
struct Book {
    /// Signing keys by the number of the webhook.
    secrets: Vec<Vec<u8>>,
    records: Vec<Record>,
    conduct: Conduct,
}

type Shared = Arc<Mutex<Book>>;

pub(in super::super) fn run() -> Result<(), Failure> {
    let listener = StdListener::bind("127.0.0.1:0").and_then(|listener| {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    let (listener, address) = listener.map_err(|error| Failure::io("the receiver cannot listen", error))?;
    let shared = Shared::default();
    let serving = Arc::clone(&shared);
    std::thread::Builder::new()
        .name("receive".to_owned())
        .spawn(move || receive(listener, serving))
        .map_err(|error| Failure::io("the receiver's thread cannot be started", error))?;
    reply(format!("{address}\n").as_bytes())?;
    for line in stdin().lock().lines() {
        let line = line.map_err(|error| Failure::io("the receiver's input cannot be read", error))?;
        obey(&line, &shared)?;
    }
    Ok(())
}

fn receive(listener: StdListener, shared: Shared) {
    let runtime = Builder::new_current_thread().enable_io().build();
    let runtime = runtime.expect("a process that has just started can have an event loop");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("a fresh socket on a runtime");
        // An error of `accept` is that of one caller, who will come again.
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        }
    });
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
        (Some("hold"), None) => conduct(shared, Conduct::Hold),
        (Some("answer"), None) => conduct(shared, Conduct::Answer),
        (Some("done"), None) => reply(b"done\n"),
        (Some("take"), None) => {
            let records = std::mem::take(&mut lock(shared).records);
            reply(format!("{}\n", records.len()).as_bytes())?;
            reply(&wire::encode_all(&records))
        }
        _ => Err(Failure::new(format!("the receiver does not know `{line}`"))),
    }
}

fn conduct(shared: &Shared, conduct: Conduct) -> Result<(), Failure> {
    lock(shared).conduct = conduct;
    reply(b"done\n")
}

fn reply(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| Failure::io("the receiver cannot be heard", error))
}

fn lock(shared: &Shared) -> MutexGuard<'_, Book> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
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
            let (answer, length) = match wire::parse(&buffer) {
                Ok(None) => break,
                Ok(Some(delivery)) => (note(&delivery, &shared), delivery.length),
                Err(wire::Broken) => (note_broken(&shared), buffer.len()),
            };
            buffer.drain(..length);
            match answer {
                Verdict::Held => {}
                Verdict::Verified if stream.write_all(SUCCESS).await.is_ok() => {}
                Verdict::Verified => return,
                Verdict::Refuted => return stream.write_all(REFUSAL).await.unwrap_or_default(),
            }
        }
    }
}

fn note(delivery: &Delivery<'_>, shared: &Shared) -> Verdict {
    let at_ns = now_ns();
    let event = EventId::from_public(delivery.id).map(EventId::raw);
    let mut book = lock(shared);
    let secret = book.secrets.get(usize::try_from(delivery.target).expect("32 bits fit"));
    let verified = event.is_some() && secret.is_some_and(|secret| delivery.verifies(secret));
    let verdict = match (book.conduct, verified) {
        (_, false) => Verdict::Refuted,
        (Conduct::Hold, true) => Verdict::Held,
        (Conduct::Answer, true) => Verdict::Verified,
    };
    let record = Record {
        event: event.unwrap_or(NO_EVENT),
        number: delivery.number(),
        at_ns,
        target: delivery.target,
        verdict,
    };
    book.keep(record)
}

fn note_broken(shared: &Shared) -> Verdict {
    let (event, number, target) = (NO_EVENT, NO_NUMBER, u32::MAX);
    lock(shared).keep(Record { event, number, at_ns: now_ns(), target, verdict: Verdict::Refuted })
}

impl Book {
    fn keep(&mut self, record: Record) -> Verdict {
        if self.records.len() == RECORDS_MAX {
            return Verdict::Refuted;
        }
        self.records.push(record);
        record.verdict
    }
}
