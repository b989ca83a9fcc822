//! A receiver that does what a test tells it, byte by byte, and counts what it could.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// No test waits longer than this for a condition.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a receiver does with its connections, the number of which counts from 0.
type Behaviour = Arc<dyn Fn(usize, &mut Conversation) -> io::Result<()> + Send + Sync>;

pub(crate) struct Receiver {
    address: SocketAddr,
    seen: Arc<Seen>,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
    ended: mpsc::Receiver<End>,
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The receiver had said all, or the client closed.
    Over,
    /// The client neither closed nor did anything else in a long time.
    OutOfPatience,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    bytes_written: AtomicUsize,
    bytes_read: AtomicUsize,
    requests: Mutex<Vec<String>>,
    server_names: Mutex<Vec<String>>,
}

impl Receiver {
    pub(crate) fn start(
        behaviour: impl Fn(usize, &mut Conversation) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(None, Arc::new(behaviour))
    }

    pub(crate) fn start_tls(
        tls: Arc<ServerConfig>,
        behaviour: impl Fn(usize, &mut Conversation) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(tls), Arc::new(behaviour))
    }

    fn listen(tls: Option<Arc<ServerConfig>>, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let (seen, stopping) = (Arc::new(Seen::default()), Arc::new(AtomicBool::new(false)));
        let (end, ended) = mpsc::channel();
        let acceptor = {
            let (seen, stopping) = (Arc::clone(&seen), Arc::clone(&stopping));
            std::thread::spawn(move || accept_all(&listener, &seen, &stopping, tls, &behaviour, &end))
        };
        Self { address, seen, stopping, acceptor: Some(acceptor), ended }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Bytes of answers that the kernel took, its buffers of some megabytes included.
    pub(crate) fn bytes_written(&self) -> usize {
        self.seen.bytes_written.load(Ordering::SeqCst)
    }

    pub(crate) fn bytes_read(&self) -> usize {
        self.seen.bytes_read.load(Ordering::SeqCst)
    }

    /// All requests so far, heads and bodies, those with a whole body only.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().expect("no thread panicked").clone()
    }

    /// Waits until `count` connections were closed by the client and left by the receiver's threads.
    pub(crate) fn wait_for_ends(&self, count: usize) {
        for number in 0..count {
            let end = self.ended.recv_timeout(PATIENCE).unwrap_or(End::OutOfPatience);
            assert_eq!(end, End::Over, "connection {number} is still open");
        }
    }
}

impl Receiver {
    /// The names that TLS handshakes asked for, of connections that have ended; empty for those that named nobody.
    pub(crate) fn server_names(&self) -> Vec<String> {
        self.seen.server_names.lock().expect("no thread panicked").clone()
    }

    /// Whether another connection has ended; each end is told once.
    pub(crate) fn has_ended(&self) -> bool {
        let end = self.ended.try_recv().ok();
        assert_ne!(end, Some(End::OutOfPatience), "a connection was left open");
        end.is_some()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor; if it is gone already there is nothing to wake.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().expect("the acceptor does not panic");
        }
    }
}

fn accept_all(
    listener: &TcpListener,
    seen: &Arc<Seen>,
    stopping: &AtomicBool,
    tls: Option<Arc<ServerConfig>>,
    behaviour: &Behaviour,
    end: &mpsc::Sender<End>,
) {
    for accepted in listener.incoming() {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        let tcp = accepted.expect("accepting works on loopback");
        tcp.set_nodelay(true).expect("a socket");
        tcp.set_read_timeout(Some(PATIENCE)).expect("a socket");
        tcp.set_write_timeout(Some(PATIENCE)).expect("a socket");
        let number = seen.connections.fetch_add(1, Ordering::SeqCst);
        let (seen, tls, behaviour, end) = (Arc::clone(seen), tls.clone(), Arc::clone(behaviour), end.clone());
        std::thread::spawn(move || {
            let peer = Peer::new(tcp, tls);
            let mut conversation = Conversation { peer, seen, buffer: Vec::new() };
            // A client that goes away in the middle is what most of these tests are about; one that stays
            // beyond all patience is a fault.
            let how = match behaviour(number, &mut conversation) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    End::OutOfPatience
                }
                _ => End::Over,
            };
            conversation.note_server_name();
            drop(conversation);
            // The test may have ended before.
            let _ = end.send(how);
        });
    }
}

enum Peer {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Peer {
    fn new(tcp: TcpStream, tls: Option<Arc<ServerConfig>>) -> Self {
        match tls {
            None => Self::Plain(tcp),
            Some(config) => {
                let connection = ServerConnection::new(config).expect("a good server config");
                Self::Tls(Box::new(StreamOwned::new(connection, tcp)))
            }
        }
    }
}

/// One accepted connection.
pub(crate) struct Conversation {
    peer: Peer,
    seen: Arc<Seen>,
    buffer: Vec<u8>,
}

impl Conversation {
    /// Reads a whole request and notes it; `false` when the client closed instead.
    pub(crate) fn read_request(&mut self) -> io::Result<bool> {
        loop {
            if let Some(length) = whole_request(&self.buffer) {
                let request: Vec<u8> = self.buffer.drain(..length).collect();
                let text = String::from_utf8(request).expect("requests of these tests are text");
                self.seen.requests.lock().expect("no thread panicked").push(text);
                return Ok(true);
            }
            let mut chunk = [0; 4096];
            let count = self.read(&mut chunk)?;
            if count == 0 {
                return Ok(false);
            }
            self.buffer.extend_from_slice(&chunk[..count]);
        }
    }

    fn note_server_name(&self) {
        if let Peer::Tls(tls) = &self.peer {
            let name = tls.conn.server_name().unwrap_or_default().to_owned();
            self.seen.server_names.lock().expect("no thread panicked").push(name);
        }
    }

    /// Reads something, such as a TLS greeting.
    pub(crate) fn read_hello(&mut self) -> io::Result<()> {
        let mut chunk = [0; 4096];
        self.read(&mut chunk).map(|_| ())
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let count = match &mut self.peer {
                Peer::Plain(tcp) => tcp.write(rest)?,
                Peer::Tls(tls) => tls.write(rest)?,
            };
            self.seen.bytes_written.fetch_add(count, Ordering::SeqCst);
            rest = &rest[count..];
        }
        match &mut self.peer {
            Peer::Plain(tcp) => tcp.flush(),
            Peer::Tls(tls) => tls.flush(),
        }
    }

    /// Writes `bytes` one by one with a pause after each, until the client is gone.
    pub(crate) fn drip(&mut self, bytes: &[u8], pause: Duration) -> io::Result<()> {
        for byte in bytes {
            self.write([*byte])?;
            std::thread::sleep(pause);
        }
        Ok(())
    }

    /// Answers every request on this connection with the same bytes.
    pub(crate) fn answer_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        while self.read_request()? {
            self.write(bytes)?;
        }
        Ok(())
    }

    /// Waits until the client closes, whatever it sends before.
    pub(crate) fn wait_for_close(&mut self) -> io::Result<()> {
        let mut chunk = [0; 4096];
        while self.read(&mut chunk)? > 0 {}
        Ok(())
    }

    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.peer {
            Peer::Plain(tcp) => tcp.read(chunk)?,
            Peer::Tls(tls) => tls.read(chunk)?,
        };
        self.seen.bytes_read.fetch_add(count, Ordering::SeqCst);
        Ok(count)
    }
}

/// Length of the request at the beginning of `buffer`, once it is all there.
fn whole_request(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).expect("heads of these tests are text");
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let body: usize = length.map_or(0, |digits| digits.parse().expect("our own client wrote it"));
    (buffer.len() >= head + body).then_some(head + body)
}
