//! The real world behind the engine's ports.

use std::rc::Rc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use signalpost_core::ports::{BoxFuture, Clock, LocalBoxFuture, Random, Spawn, SpawnLocal, Threads};
use signalpost_core::time::{Monotonic, Timestamp};

/// The system's clocks.
pub(crate) struct SystemClock {
    start: Instant,
    /// Latest wall reading: a clock that is set back must not make time run backwards between two readings.
    latest_ms: AtomicI64,
    /// What the machine's clock is behind the one that we go by.
    ahead_ms: AtomicI64,
}

/// Whoever is off by less is left in peace.
const DRIFT_MS_MAX: i64 = 1_000;

/// A clock set back by more than this is believed: standing still for longer would stop every retry.
const STEP_BACK_MAX_MS: i64 = 2_000;

impl SystemClock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), latest_ms: AtomicI64::new(i64::MIN), ahead_ms: AtomicI64::new(0) }
    }

    /// Goes by another clock, which is so far ahead of this one, unless that is next to nothing.
    pub(crate) fn follow(&self, ahead_ms: i64) {
        if ahead_ms.abs() >= DRIFT_MS_MAX {
            self.ahead_ms.fetch_add(ahead_ms, Ordering::Relaxed);
            // Standing still instead of going back would be measured as a drift once more.
            self.latest_ms.store(i64::MIN, Ordering::Relaxed);
            tracing::warn!(
                ahead_ms,
                "this machine's clock is not the database's, which is gone by from here on: set it right"
            );
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let machine_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let read_ms = machine_ms.saturating_add(self.ahead_ms.load(Ordering::Relaxed));
        let latest_ms = self.latest_ms.load(Ordering::Relaxed);
        if read_ms < latest_ms && latest_ms - read_ms <= STEP_BACK_MAX_MS {
            return Timestamp::from_ms(latest_ms);
        }
        self.latest_ms.store(read_ms, Ordering::Relaxed);
        Timestamp::from_ms(read_ms)
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_us(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    /// The runtime wakes the task only after it has looked at its sockets and timers.
    fn give_way(&self) -> BoxFuture<'static, ()> {
        Box::pin(tokio::task::yield_now())
    }
}

/// The operating system's random numbers.
pub(crate) struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes)
            .expect("the operating system gives random bytes; without them nothing is safe");
    }
}

/// Named operating-system threads.
pub(crate) struct SystemThreads;

impl Threads for SystemThreads {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) {
        let started = std::thread::Builder::new().name(name.to_owned()).spawn(body);
        started.expect("the operating system gives the few threads that we start with");
    }
}

/// Tasks of the core that serves the caller. They end with its runtime, once nothing of it is in flight.
pub(crate) struct CallerTasks;

impl Spawn for CallerTasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }
}

/// Tasks of the runtime of this thread.
pub(crate) struct LocalTasks;

impl SpawnLocal for LocalTasks {
    fn spawn_local(&self, task: LocalBoxFuture<'static, ()>) {
        tokio::task::spawn_local(task);
    }
}

impl LocalTasks {
    pub(crate) fn shared() -> Rc<dyn SpawnLocal> {
        Rc::new(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use tokio::io::AsyncReadExt;
    use tokio::runtime::Builder;
    use tokio::task::{LocalSet, spawn_local};

    #[test]
    fn a_clock_follows_another_that_is_far_off() {
        let clock = SystemClock::new();
        let before = clock.now();
        clock.follow(DRIFT_MS_MAX - 1);
        assert!(clock.now().ms_since(before) < DRIFT_MS_MAX - 1, "it is left in peace");
        clock.follow(3_600_000);
        assert!(clock.now().ms_since(before) >= 3_600_000);
        let ahead = clock.now();
        clock.follow(-DRIFT_MS_MAX);
        assert!(clock.now() < ahead, "it goes back and does not stand still");
        clock.follow(-7_200_000);
        assert!(before.ms_since(clock.now()) > 3_590_000);
    }

    /// Far below the polls after which the runtime would look at its sockets anyway.
    const PIECES_MAX: usize = 20;

    /// How much a caller's task does, giving way after each piece, until a task beside it has found what has come on its
    /// socket. The runtime looks at timers when it looks at sockets.
    async fn pieces_until_a_socket_is_read() -> usize {
        let (mut far, near) = UnixStream::pair().expect("two sockets");
        near.set_nonblocking(true).expect("it is a socket");
        let mut near = tokio::net::UnixStream::from_std(near).expect("a runtime");
        far.write_all(b"x").expect("there is room");
        let reader = spawn_local(async move { near.read_u8().await });
        let caller = tokio::spawn(async move {
            let clock = SystemClock::new();
            let mut pieces = 0;
            while !reader.is_finished() {
                pieces += 1;
                clock.give_way().await;
            }
            pieces
        });
        caller.await.expect("it does not panic")
    }

    /// On a runtime as cores have it.
    #[test]
    fn sockets_have_their_turn_between_two_pieces_of_work() {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let pieces = LocalSet::new().block_on(&runtime, pieces_until_a_socket_is_read());
        assert!(pieces <= PIECES_MAX, "{pieces}");
    }
}
