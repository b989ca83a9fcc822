//! A receiver of webhooks: a small HTTP/1.1 server on a free loopback port, a thread for each connection.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wire::{self, Head, WithoutLength};

/// Connections that may wait to be accepted. With fewer a server that has just started finds no place, and its system tries
/// again after a second, which looks like a request that began a second later.
const WAITING_MAX: i32 = 4_096;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case, in the order of arrival.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// When its last byte had been read.
    pub received_at: Instant,
}

impl Recorded {
    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        wire::find(&self.headers, name)
    }

    /// The body as JSON; `Null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What to answer, and how.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Time between the request's last byte and the answer's first.
    pub delay: Duration,
    pub ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    KeepAlive,
    /// Closes after the answer.
    Close,
    /// Closes instead of answering.
    CloseUnanswered,
    /// Sends the head and half of the body, stands still for this long, and closes.
    StandStill(Duration),
}

impl Answer {
    pub const fn status(status: u16) -> Self {
        let (delay, ending) = (Duration::ZERO, Ending::KeepAlive);
        Self { status, headers: Vec::new(), body: Vec::new(), delay, ending }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(self, body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..self }
    }

    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    pub fn ending(self, ending: Ending) -> Self {
        Self { ending, ..self }
    }

    fn encode(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} -\r\ncontent-length: {}\r\n", self.status, self.body.len());
        if self.ending == Ending::Close {
            head.push_str("connection: close\r\n");
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Decides the answer to each request; called on the connection's thread.
pub type Handler = Arc<dyn Fn(Recorded) -> Answer + Send + Sync>;

/// Listens until it is dropped.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    handler: Handler,
    closing: AtomicBool,
    /// Open connections, so that a drop can end them.
    open: Mutex<BTreeMap<u64, TcpStream>>,
}

impl Receiver {
    pub fn start(handler: Handler) -> io::Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), handler)
    }

    /// Listens at an address, such as that of a receiver that has gone.
    pub fn start_at(address: SocketAddr, handler: Handler) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        rustix::net::listen(&listener, WAITING_MAX)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { handler, closing: AtomicBool::new(false), open: Mutex::default() });
        let for_thread = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || accept_all(&listener, &for_thread));
        Ok(Self { address, shared, accepting: Some(accepting) })
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path, which starts with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        // Wakes the accepting thread; when nobody listens any more it has ended already.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().expect("the accepting thread does not panic");
        }
        for stream in self.shared.open().values() {
            // A connection that its peer has closed meanwhile cannot be shut down, and need not.
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl Shared {
    fn open(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept_all(listener: &TcpListener, shared: &Arc<Shared>) {
    for number in 0.. {
        let accepted = listener.accept();
        if shared.closing.load(Ordering::SeqCst) {
            return;
        }
        // A peer that has gone before it was accepted concerns nobody.
        let Ok((stream, _)) = accepted else { continue };
        let Ok(twin) = stream.try_clone() else { continue };
        shared.open().insert(number, twin);
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            // A peer may break off whenever it likes; what it had sent completely was handled.
            drop(serve(stream, &shared.handler));
            shared.open().remove(&number);
        });
    }
}

fn serve(stream: TcpStream, handler: &Handler) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = Head::read(&mut reader)? {
        let body = head.read_body(&mut reader, WithoutLength::Empty)?;
        let closes = head.closes();
        let answer = handler(record(head, body)?);
        if !answer.delay.is_zero() {
            std::thread::sleep(answer.delay);
        }
        if answer.ending == Ending::CloseUnanswered {
            break;
        }
        let bytes = answer.encode();
        if let Ending::StandStill(pause) = answer.ending {
            reader.get_mut().write_all(&bytes[..bytes.len() - answer.body.len() / 2])?;
            std::thread::sleep(pause);
            break;
        }
        reader.get_mut().write_all(&bytes)?;
        if closes || answer.ending == Ending::Close {
            break;
        }
    }
    reader.get_ref().shutdown(Shutdown::Both)
}

fn record(head: Head, body: Vec<u8>) -> io::Result<Recorded> {
    let mut words = head.start.split(' ');
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(wire::broken("not an HTTP request line"));
    };
    let (method, path) = (method.to_owned(), path.to_owned());
    Ok(Recorded { method, path, headers: head.headers, body, received_at: Instant::now() })
}
