//! The machine's clocks, and the database's where there is one.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use signalpost_core::ports::{BoxFuture, Clock};
use signalpost_core::time::{Monotonic, Timestamp};
use signalpost_store_postgres::ServerTime;

/// An operator is told of a machine whose clock is off by as much.
const TOLD_FROM_MS: i64 = 1_000;

/// A clock set back by more than this is believed: standing still for longer would stop every retry.
const STEP_BACK_MAX_MS: i64 = 2_000;

/// Three readings in whole milliseconds.
const ROUNDED_MS: i64 = 2;

/// What this process takes for the time.
pub(crate) struct SystemClock {
    start: Instant,
    wall: Wall,
    /// Whether the operator knows that the machine's clock is off.
    told: AtomicBool,
}

impl SystemClock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), wall: Wall::new(), told: AtomicBool::new(false) }
    }

    /// Goes by the server's clock from here on.
    pub(crate) fn hear(&self, heard: &ServerTime) {
        let off_ms = self.wall.hear(heard, machine_now(), self.monotonic());
        let is_off = off_ms.abs() >= TOLD_FROM_MS;
        if is_off && !self.told.load(Ordering::Relaxed) {
            tracing::warn!(
                ahead_ms = off_ms,
                "this machine's clock is not the database's, which is gone by: set it right"
            );
        }
        self.told.store(is_off, Ordering::Relaxed);
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.wall.read(machine_now(), self.monotonic())
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

fn machine_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Which time it is, by readings of the machine's two clocks and of a server's.
///
/// Without a server the machine's wall clock is believed, also when it steps: it may have been wrong at the start. Once a server
/// was heard, the monotonic clock tells how much has passed since. A step of the wall clock then counts for nothing, not
/// even until the server is heard again: what is put off meanwhile would be put off by the step.
struct Wall {
    /// The server's time when the monotonic clock was at zero.
    zero_ms: AtomicI64,
    /// Latest reading: a clock that is set back must not make time run backwards between two readings.
    latest_ms: AtomicI64,
}

/// Instead of the server's time.
const UNHEARD: i64 = i64::MIN;

impl Wall {
    const fn new() -> Self {
        Self { zero_ms: AtomicI64::new(UNHEARD), latest_ms: AtomicI64::new(i64::MIN) }
    }

    fn read(&self, machine: Timestamp, passed: Monotonic) -> Timestamp {
        let read_ms = match self.zero_ms.load(Ordering::Relaxed) {
            UNHEARD => machine.as_ms(),
            zero_ms => zero_ms.saturating_add(whole_ms(passed)),
        };
        let latest_ms = self.latest_ms.load(Ordering::Relaxed);
        if read_ms < latest_ms && latest_ms - read_ms <= STEP_BACK_MAX_MS {
            return Timestamp::from_ms(latest_ms);
        }
        self.latest_ms.store(read_ms, Ordering::Relaxed);
        Timestamp::from_ms(read_ms)
    }

    /// Gives by how much the machine's clock is ahead of the server's, for certain: not what a slow answer would explain. What a
    /// slow answer would explain is not corrected either.
    fn hear(&self, heard: &ServerTime, machine: Timestamp, passed: Monotonic) -> i64 {
        let machine_ms = machine.as_ms().saturating_sub(whole_ms(passed));
        let earliest_ms = heard.said.as_ms() - whole_ms(heard.answered) - ROUNDED_MS;
        let latest_ms = heard.said.as_ms() - whole_ms(heard.asked) + ROUNDED_MS;
        let known_ms = match self.zero_ms.load(Ordering::Relaxed) {
            UNHEARD => machine_ms,
            zero_ms => zero_ms,
        };
        let is_possible = (earliest_ms..=latest_ms).contains(&known_ms);
        let zero_ms = if is_possible { known_ms } else { earliest_ms.midpoint(latest_ms) };
        self.zero_ms.store(zero_ms, Ordering::Relaxed);
        machine_ms - machine_ms.clamp(earliest_ms, latest_ms)
    }
}

fn whole_ms(passed: Monotonic) -> i64 {
    i64::try_from(passed.as_us() / 1_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use tokio::io::AsyncReadExt;
    use tokio::runtime::Builder;
    use tokio::task::{LocalSet, spawn_local};

    const HOUR_MS: i64 = 3_600_000;
    /// The true time when the monotonic clock was at zero.
    const TRUE_MS: i64 = 1_800_000_000_000;

    const fn passed(ms: u64) -> Monotonic {
        Monotonic::from_us(ms * 1_000)
    }

    /// What is read after so many milliseconds on a machine that is so far ahead, as the distance from the true time.
    fn error_ms(wall: &Wall, at_ms: u64, machine_ahead_ms: i64) -> i64 {
        let true_ms = TRUE_MS + whole_ms(passed(at_ms));
        wall.read(Timestamp::from_ms(true_ms + machine_ahead_ms), passed(at_ms)).as_ms() - true_ms
    }

    /// Hears a server after so many milliseconds whose answer took as long as is said.
    fn hear(wall: &Wall, at_ms: u64, took_ms: u64, server_ahead_ms: i64, machine_ahead_ms: i64) -> i64 {
        let true_ms = TRUE_MS + whole_ms(passed(at_ms));
        let said = Timestamp::from_ms(true_ms - whole_ms(passed(took_ms)) / 2 + server_ahead_ms);
        let heard = ServerTime { asked: passed(at_ms - took_ms), said, answered: passed(at_ms) };
        wall.hear(&heard, Timestamp::from_ms(true_ms + machine_ahead_ms), passed(at_ms))
    }

    #[test]
    fn without_a_server_the_machine_is_believed_and_small_steps_back_are_waited_for() {
        let wall = Wall::new();
        assert_eq!([0, HOUR_MS, 0].map(|ahead| error_ms(&wall, 1_000, ahead)), [0, HOUR_MS, 0]);
        assert_eq!(error_ms(&wall, 1_100, -STEP_BACK_MAX_MS), -100, "it stands still");
        assert_eq!(error_ms(&wall, 1_100, -STEP_BACK_MAX_MS - 101), -STEP_BACK_MAX_MS - 101);
    }

    #[test]
    fn once_a_server_was_heard_no_step_of_the_machine_counts() {
        let wall = Wall::new();
        assert_eq!(error_ms(&wall, 0, -HOUR_MS), -HOUR_MS);
        assert_eq!(hear(&wall, 10, 4, 0, -HOUR_MS), -HOUR_MS + 4);
        let steps = [-HOUR_MS, 0, HOUR_MS, -20_000, 0];
        assert_eq!(steps.map(|ahead| error_ms(&wall, 1_500, ahead)), [0; 5]);
        assert_eq!(hear(&wall, 2_000, 4, 0, HOUR_MS), HOUR_MS - 4);
        assert_eq!(steps.map(|ahead| error_ms(&wall, 90_000, ahead)), [0; 5]);
    }

    #[test]
    fn a_server_is_followed_as_far_as_its_answer_is_certain() {
        let wall = Wall::new();
        assert_eq!(hear(&wall, 1_000, 600, 0, 200), 0);
        assert_eq!(error_ms(&wall, 1_000, 200), 200, "a slow answer would explain it");
        assert_eq!(error_ms(&wall, 1_999, 200), 200);
        assert_eq!(hear(&wall, 2_000, 10, 0, 200), 200 - 5 - ROUNDED_MS);
        assert_eq!(
            (error_ms(&wall, 2_000, 200), error_ms(&wall, 2_300, 200)),
            (199, 0),
            "it never goes back"
        );
        hear(&wall, 3_000, 10, HOUR_MS, 0);
        assert_eq!(error_ms(&wall, 3_000, 0), HOUR_MS, "the server's clock is right, whatever it says");
        hear(&wall, 4_000, 10, 0, 0);
        assert_eq!(error_ms(&wall, 4_000, 0), 0);
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
