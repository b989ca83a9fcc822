//! A connection that is closed while its caller still speaks.
//!
//! Closing with bytes unread makes the system send a reset, which can reach the caller before the answer and destroy it.
//! So our side is closed first, and what still comes is thrown away for a while (RFC 9112 section 9.6).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use signalpost_core::limits::{CALLER_LINGER_BYTES_MAX, CALLER_LINGER_TIMEOUT};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Bytes thrown away at a time.
const CHUNK_BYTES: usize = 8 * 1024;

/// Passes everything through, but for its end: when a body was left unread, closing waits for the caller's own end.
pub(super) struct Lingering<S> {
    stream: S,
    unread: Arc<AtomicBool>,
    /// Set once our side is closed.
    rest: Option<Rest>,
}

/// What is still listened to.
struct Rest {
    timer: Pin<Box<Sleep>>,
    bytes_left: usize,
}

impl<S> Lingering<S> {
    /// `unread` is set by whoever leaves a body unread.
    pub(super) const fn new(stream: S, unread: Arc<AtomicBool>) -> Self {
        Self { stream, unread, rest: None }
    }
}

impl<S: AsyncRead + Unpin> Lingering<S> {
    /// Throws away what comes until the caller ends, or its time or its bytes are used up.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let rest = self.rest.get_or_insert_with(|| Rest {
            timer: Box::pin(sleep(CALLER_LINGER_TIMEOUT)),
            bytes_left: CALLER_LINGER_BYTES_MAX,
        });
        if rest.timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            let mut buffer = ReadBuf::new(&mut chunk);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
            let count = buffer.filled().len();
            rest.bytes_left = rest.bytes_left.saturating_sub(count);
            // An error is the caller's end as well.
            if read.is_err() || count == 0 || rest.bytes_left == 0 {
                return Poll::Ready(());
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.rest.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            if !self.unread.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_rest(cx).map(Ok)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}
