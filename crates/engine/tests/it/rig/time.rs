//! Time that stands still until it is moved, and what wakes whoever waits for it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

use signalpost_core::ports::{BoxFuture, Clock, Random, requeue};
use signalpost_core::time::{Monotonic, Timestamp};

/// Whether somebody was woken.
#[derive(Default)]
pub(crate) struct Bell(pub(crate) AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[derive(Default)]
pub(crate) struct HandClock {
    now_ms: Arc<AtomicI64>,
    /// By how much the wall clock has been set back.
    back_ms: AtomicI64,
    turns: AtomicU64,
    sleepers: Arc<Mutex<Vec<Waker>>>,
}

impl HandClock {
    /// How often somebody has given way.
    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Ordering::SeqCst)
    }

    pub(crate) fn advance_s(&self, seconds: i64) {
        self.advance_ms(seconds * 1_000);
    }

    /// Sets the wall clock back. Nobody wakes of that.
    pub(crate) fn set_back_s(&self, seconds: i64) {
        self.back_ms.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    pub(crate) fn advance_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
        let sleepers = std::mem::take(&mut *self.sleepers.lock().expect("nobody panics with it"));
        sleepers.into_iter().for_each(Waker::wake);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        let shown_ms = self.now_ms.load(Ordering::SeqCst) - self.back_ms.load(Ordering::SeqCst);
        Timestamp::from_ms(1_777_975_606_150 + shown_ms)
    }

    fn monotonic(&self) -> Monotonic {
        let now_ms = u64::try_from(self.now_ms.load(Ordering::SeqCst)).expect("it only goes forward");
        Monotonic::from_us(1_000_000_000 + now_ms * 1_000)
    }

    /// Every sleeper looks at every move of the clock whether its time has come.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (now_ms, sleepers) = (Arc::clone(&self.now_ms), Arc::clone(&self.sleepers));
        let wait_ms = i64::try_from(duration.as_micros().div_ceil(1_000)).expect("hours");
        let until_ms = now_ms.load(Ordering::SeqCst) + wait_ms;
        Box::pin(std::future::poll_fn(move |context| {
            if now_ms.load(Ordering::SeqCst) >= until_ms {
                return Poll::Ready(());
            }
            sleepers.lock().expect("nobody panics with it").push(context.waker().clone());
            Poll::Pending
        }))
    }

    fn give_way(&self) -> BoxFuture<'static, ()> {
        self.turns.fetch_add(1, Ordering::SeqCst);
        requeue()
    }
}

/// Not random, but never the same twice.
pub(crate) struct Counting(pub(crate) AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut mixed = self.0.fetch_add(1, Ordering::SeqCst).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            mixed ^= mixed >> 29;
            chunk.copy_from_slice(&mixed.to_le_bytes()[..chunk.len()]);
        }
    }
}
