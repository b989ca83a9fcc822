//! A connection that gives up a caller who lets an answer wait.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use signalpost_core::limits::CALLER_STALL_BYTES_MIN;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Passes everything through. Once the caller's side takes no more, [`CALLER_STALL_BYTES_MIN`] bytes must leave in
/// each `limit`, or writing fails: one byte now and then keeps nobody's memory and connection.
pub(super) struct Stalling<S> {
    stream: S,
    limit: Duration,
    waiting: Option<Waiting>,
}

struct Waiting {
    timer: Pin<Box<Sleep>>,
    /// Bytes that left since the timer was set.
    moved: usize,
}

impl<S> Stalling<S> {
    pub(super) const fn new(stream: S, limit: Duration) -> Self {
        Self { stream, limit, waiting: None }
    }

    /// What follows from one attempt to write `offered` bytes.
    fn judge(
        &mut self,
        cx: &mut Context<'_>,
        offered: usize,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(count)) => {
                if count >= offered {
                    // All went out: nothing waits for the caller.
                    self.waiting = None;
                } else if let Some(waiting) = &mut self.waiting {
                    waiting.moved = waiting.moved.saturating_add(count);
                }
                Poll::Ready(Ok(count))
            }
            Poll::Pending if self.is_over(cx) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the caller does not take its answer",
            ))),
            other => other,
        }
    }

    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let limit = self.limit;
        let waiting = self.waiting.get_or_insert_with(|| Waiting { timer: Box::pin(sleep(limit)), moved: 0 });
        while waiting.timer.as_mut().poll(cx).is_ready() {
            if waiting.moved < CALLER_STALL_BYTES_MIN {
                return true;
            }
            waiting.moved = 0;
            waiting.timer.as_mut().reset(Instant::now() + limit);
        }
        false
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, bytes.len(), written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.judge(cx, parts.iter().map(|part| part.len()).sum(), written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}
