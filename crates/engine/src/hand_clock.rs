//! A clock for tests that moves when it is told to, the wall clock apart from the other.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use signalpost_core::ports::{BoxFuture, Clock, requeue};
use signalpost_core::time::{Monotonic, Timestamp};

/// Both begin well above zero.
#[derive(Debug)]
pub(crate) struct HandClock {
    wall_ms: AtomicI64,
    monotonic_us: AtomicU64,
}

impl Default for HandClock {
    fn default() -> Self {
        Self { wall_ms: AtomicI64::new(1_777_975_606_150), monotonic_us: AtomicU64::new(1_000_000_000) }
    }
}

impl HandClock {
    /// Lets time pass.
    pub(crate) fn advance_ms(&self, ms: u32) {
        self.jump_ms(ms.into());
        self.monotonic_us.fetch_add(u64::from(ms) * 1_000, Ordering::SeqCst);
    }

    /// Sets the wall clock forward or back.
    pub(crate) fn jump_ms(&self, ms: i64) {
        self.wall_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.wall_ms.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_us(self.monotonic_us.load(Ordering::SeqCst))
    }

    /// Whoever sleeps is not woken.
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    fn give_way(&self) -> BoxFuture<'static, ()> {
        requeue()
    }
}
