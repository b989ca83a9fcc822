//! A request's body that must arrive in time: as a whole, and without long silences; and that says when nobody wanted it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use signalpost_api::BodyTimedOut;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::patience::Patience;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Ends with [`BodyTimedOut`] when its caller is too slow. Most bodies arrive with their head: until one has to be
/// waited for there is no timer.
pub(super) struct PatientBody<B: Body> {
    inner: B,
    patience: Patience,
    waiting: Option<Waiting>,
    /// Nothing more comes.
    ended: bool,
    /// Set when it goes before it has ended.
    unread: Arc<AtomicBool>,
}

struct Waiting {
    /// When the whole must be there.
    end: Instant,
    /// The next moment at which patience ends.
    timer: Pin<Box<Sleep>>,
    /// Something has arrived since the timer was set.
    heard: bool,
}

impl<B: Body> PatientBody<B> {
    pub(super) const fn new(inner: B, patience: Patience, unread: Arc<AtomicBool>) -> Self {
        Self { inner, patience, waiting: None, ended: false, unread }
    }

    /// Whether patience has come to its end; asks to be woken when it has.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let Patience { body, body_silence, .. } = self.patience;
        let now = Instant::now();
        let waiting = self.waiting.get_or_insert_with(|| {
            let end = now + body;
            Waiting { end, timer: Box::pin(sleep_until(end.min(now + body_silence))), heard: false }
        });
        if std::mem::take(&mut waiting.heard) {
            waiting.timer.as_mut().reset(waiting.end.min(now + body_silence));
        }
        waiting.timer.as_mut().poll(cx).is_ready()
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin> Body for PatientBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                if let Some(waiting) = &mut self.waiting {
                    waiting.heard = true;
                }
                self.ended |= frame.is_none();
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending if self.is_over(cx) => Poll::Ready(Some(Err(BodyTimedOut.into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Body> Drop for PatientBody<B> {
    fn drop(&mut self) {
        if !self.ended && !self.inner.is_end_stream() {
            self.unread.store(true, Ordering::Relaxed);
        }
    }
}
