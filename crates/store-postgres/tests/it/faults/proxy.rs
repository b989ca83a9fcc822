//! A line between the store and the server that can be cut without anybody being told.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use signalpost_testkit::wait_for;

/// How long a line may stay cut.
const CUT_MAX: Duration = Duration::from_secs(120);

/// What happens to bytes. Connections stay open, and new ones are taken, in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Whole,
    /// Nothing arrives anywhere.
    Cut,
    /// The server's answers do not arrive.
    Deaf,
    /// The server's word that something is committed does not arrive, nor anything behind it.
    DeafToCommits,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToServer,
    ToStore,
}

/// As the server says it.
const COMMITTED: &[u8] = b"COMMIT\0";

/// Takes connections on a port of its own and carries them on. A connection that has lost bytes stays silent for ever.
pub(crate) struct Proxy {
    carried: Arc<Carried>,
    port: u16,
}

struct Carried {
    line: AtomicU8,
    /// How many connections have lost something.
    losses: AtomicU64,
}

impl Proxy {
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let carried = Arc::new(Carried { line: AtomicU8::new(Line::Whole as u8), losses: AtomicU64::new(0) });
        let ours = Arc::clone(&carried);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    carry(&client, &server, &ours);
                }
            }
        });
        Self { carried, port }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set(&self, line: Line) {
        self.carried.line.store(line as u8, Ordering::SeqCst);
    }

    pub(crate) fn losses(&self) -> u64 {
        self.carried.losses.load(Ordering::SeqCst)
    }
}

fn carry(client: &TcpStream, server: &TcpStream, carried: &Arc<Carried>) {
    for (from, to, way) in [(client, server, Way::ToServer), (server, client, Way::ToStore)] {
        let (from, to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
        let carried = Arc::clone(carried);
        thread::spawn(move || pump(from, to, way, &carried));
    }
}

/// Carries bytes one way. Behind one that was lost nothing arrives any more.
fn pump(mut from: TcpStream, mut to: TcpStream, way: Way, carried: &Carried) {
    let mut buffer = [0; 16 * 1024];
    let mut is_lossy = false;
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..count];
        if !is_lossy && carried.is_lost(way, bytes) {
            is_lossy = true;
            carried.losses.fetch_add(1, Ordering::SeqCst);
        }
        if !is_lossy && to.write_all(bytes).is_err() {
            break;
        }
    }
    // The end does not arrive either while the line is cut.
    wait_for("the line", CUT_MAX, || !carried.is_lost(way, b"")).expect("it is mended");
    let _ = to.shutdown(Shutdown::Both);
}

impl Carried {
    fn is_lost(&self, way: Way, bytes: &[u8]) -> bool {
        let line = self.line.load(Ordering::SeqCst);
        let is_commit = || bytes.windows(COMMITTED.len()).any(|window| window == COMMITTED);
        line == Line::Cut as u8
            || way == Way::ToStore
                && (line == Line::Deaf as u8 || line == Line::DeafToCommits as u8 && is_commit())
    }
}
