//! A caller who writes what it likes, when it likes.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::PATIENCE;

/// How long a look at the connection takes when nothing comes.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) struct Raw {
    stream: TcpStream,
    pub(crate) heard: Vec<u8>,
    pub(crate) closed: bool,
}

impl Raw {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(LOOK)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, heard: Vec::new(), closed: false }
    }

    /// Sends bytes; whoever was cut off meanwhile will notice when it listens.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if let Err(error) = self.stream.write_all(bytes.as_ref()) {
            assert!(is_cut(error.kind()), "{error}");
            self.closed = true;
        }
    }

    /// Takes what has come, waiting for a moment at most.
    pub(crate) fn listen(&mut self) {
        let mut buffer = [0; 64 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.closed = true,
            Ok(count) => self.heard.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) if is_cut(error.kind()) => self.closed = true,
            Err(error) => panic!("{error}"),
        }
    }

    /// Listens until something is so; `drip` is sent after each look.
    pub(crate) fn listen_until(&mut self, what: &str, drip: &[u8], so: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !so(self) {
            assert!(started.elapsed() < PATIENCE, "waited in vain for {what}; heard {:?}", self.text());
            self.listen();
            if !drip.is_empty() && !self.closed {
                self.send(drip);
            }
        }
    }

    /// Everything that is answered to these bytes until the server closes.
    pub(crate) fn until_closed(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
        let mut raw = Self::connect(address);
        raw.send(bytes);
        raw.listen_until("the end", b"", |raw| raw.closed);
        raw.text()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.heard).into_owned()
    }
}

fn is_cut(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted)
}
