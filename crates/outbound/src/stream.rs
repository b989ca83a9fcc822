//! The byte stream under one connection: plain or TLS, metered so that a receiver cannot send without end.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use rustix::net::RecvFlags;
use signalpost_core::limits::{ANSWER_BYTES_MAX, ANSWER_HEADER_BYTES_MAX};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::outcome::Answered;

/// Bytes that a receiver may send in one exchange: headers, informational answers before them, and a body with
/// the overhead of its transfer coding. Also enough for any TLS handshake.
const EXCHANGE_BYTES_MAX: usize = ANSWER_HEADER_BYTES_MAX + 2 * ANSWER_BYTES_MAX;

/// Counts what one connection receives in the present exchange.
#[derive(Debug)]
pub(crate) struct Meter {
    left_bytes: Cell<usize>,
    answered: Cell<Answered>,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self { left_bytes: Cell::new(EXCHANGE_BYTES_MAX), answered: Cell::new(Answered::Nothing) }
    }

    /// Starts the count of another exchange.
    pub(crate) fn restart(&self) {
        self.left_bytes.set(EXCHANGE_BYTES_MAX);
        self.answered.set(Answered::Nothing);
    }

    pub(crate) fn answered(&self) -> Answered {
        self.answered.get()
    }
}

/// The socket. Reading fails with [`io::ErrorKind::FileTooLarge`] once the exchange's bytes are used up; what TLS
/// adds is counted as well.
#[derive(Debug)]
pub(crate) struct Wire {
    tcp: Rc<RefCell<TcpStream>>,
    meter: Rc<Meter>,
}

impl Wire {
    pub(crate) fn new(tcp: TcpStream, meter: Rc<Meter>) -> Self {
        Self { tcp: Rc::new(RefCell::new(tcp)), meter }
    }

    pub(crate) fn listener(&self) -> Listener {
        Listener(Rc::downgrade(&self.tcp))
    }
}

/// Hears what has come on a socket, and does not keep it open.
pub(crate) struct Listener(Weak<RefCell<TcpStream>>);

impl Listener {
    /// Whether the socket is open and nothing has come on it, an end included, that nobody has read yet.
    ///
    /// The system is asked, for the runtime only knows what it saw when it last waited. Whoever wrote a request first and
    /// looked then would take an answer that was there before for its answer.
    pub(crate) fn is_silent(&self) -> bool {
        let Some(tcp) = self.0.upgrade() else { return false };
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        matches!(rustix::net::recv(&*tcp.borrow(), &mut [0_u8; 1], flags), Err(Errno::AGAIN))
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let left = self.meter.left_bytes.get();
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut *self.tcp.borrow_mut()).poll_read(cx, buf))?;
        self.meter.left_bytes.set(left.saturating_sub(buf.filled().len() - before));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.tcp.borrow_mut()).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.tcp.borrow_mut()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.tcp.borrow_mut()).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.tcp.borrow_mut()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.borrow().is_write_vectored()
    }
}

/// What HTTP is spoken over. Notes on the meter when the first byte of an answer comes, above TLS: a session
/// ticket or a closing alert is no answer.
pub(crate) struct Stream {
    layer: Layer,
    meter: Rc<Meter>,
}

pub(crate) enum Layer {
    Plain(Wire),
    Tls(Box<TlsStream<Wire>>),
}

impl Stream {
    pub(crate) fn new(layer: Layer, meter: Rc<Meter>) -> Self {
        Self { layer, meter }
    }
}

/// Runs an expression on whichever layer is there.
macro_rules! on_layer {
    ($layer:expr, $io:ident => $call:expr) => {
        match $layer {
            Layer::Plain($io) => $call,
            Layer::Tls($io) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(on_layer!(&mut self.layer, io => Pin::new(io).poll_read(cx, buf)))?;
        if buf.filled().len() > before {
            self.meter.answered.set(Answered::Something);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        on_layer!(&mut self.layer, io => Pin::new(io).poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_layer!(&mut self.layer, io => Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_layer!(&mut self.layer, io => Pin::new(io).poll_shutdown(cx))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_layer!(&mut self.layer, io => Pin::new(io).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        on_layer!(&self.layer, io => io.is_write_vectored())
    }
}
