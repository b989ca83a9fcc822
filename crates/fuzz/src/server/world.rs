//! What the server is lent: a clock that stands, randomness that repeats itself, tasks that are polled by hand.

use std::future::poll_fn;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use signalpost_core::ports::{BoxFuture, Clock, Random, Spawn, requeue};
use signalpost_core::time::{Monotonic, Timestamp};

/// 2026-05-05T10:06:46.150Z
const NOW_MS: i64 = 1_777_975_606_150;

/// Goes on when it is told to. Whoever sleeps is woken by being looked at.
pub(super) struct StandingClock(Arc<AtomicI64>);

impl StandingClock {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW_MS)))
    }

    pub(super) fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_us(0)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let now = Arc::clone(&self.0);
        let wait_ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let until = now.load(Ordering::SeqCst).saturating_add(wait_ms);
        Box::pin(poll_fn(
            move |_| {
                if now.load(Ordering::SeqCst) < until { Poll::Pending } else { Poll::Ready(()) }
            },
        ))
    }

    fn give_way(&self) -> BoxFuture<'static, ()> {
        requeue()
    }
}

/// Not random, but never the same twice in a server: a counter through a mixing function (splitmix64).
pub(super) struct Counting(AtomicU64);

impl Counting {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(1))
    }
}

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut mixed = self.0.fetch_add(1, Ordering::SeqCst).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Tasks that bring calls to their end. Whoever makes a call drives them.
#[derive(Default)]
pub(super) struct Tasks(Mutex<Vec<BoxFuture<'static, ()>>>);

impl Tasks {
    /// Polls each once.
    pub(super) fn poll(&self, cx: &mut Context<'_>) {
        // Not under the lock: a task may come to make another.
        let mut polled = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        polled.retain_mut(|task| task.as_mut().poll(cx).is_pending());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(polled);
    }
}

impl Spawn for Tasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }
}
