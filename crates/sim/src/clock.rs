//! Virtual time: it stands still while anything can run, and then jumps to the next timer.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use signalpost_core::ports::{BoxFuture, Clock, requeue};
use signalpost_core::time::{Monotonic, Timestamp};

/// The wall clock's first reading.
const START_MS: i64 = 1_777_975_606_150;

/// All readers of one virtual time.
#[derive(Clone, Default)]
pub(crate) struct SimClock(Arc<Mutex<Time>>);

#[derive(Default)]
struct Time {
    now_us: u64,
    /// What jumps of the wall clock, and its running at another pace before the present one, have added up to.
    wall_offset_us: i64,
    /// How much faster than true the wall clock runs, in thousandths, and since when.
    drift_permille: i64,
    drifts_since_us: u64,
    /// By instant, then in the order in which they were set.
    timers: BTreeMap<(u64, u64), Waker>,
    timers_set: u64,
}

impl Time {
    /// What the present pace has added up to.
    fn drifted_us(&self) -> i64 {
        let elapsed_us =
            i64::try_from(self.now_us - self.drifts_since_us).expect("a run is shorter than an age");
        elapsed_us * self.drift_permille / 1_000
    }
}

impl SimClock {
    pub(crate) fn now_us(&self) -> u64 {
        self.time().now_us
    }

    /// Sets the wall clock forward or back.
    pub(crate) fn jump_wall(&self, by_ms: i64) {
        self.time().wall_offset_us += by_ms * 1_000;
    }

    /// Lets the wall clock run this much faster than true, in thousandths, or slower, from what it shows now.
    pub(crate) fn drift_wall(&self, permille: i64) {
        let mut time = self.time();
        time.wall_offset_us += time.drifted_us();
        (time.drift_permille, time.drifts_since_us) = (permille, time.now_us);
    }

    pub(crate) fn sleep_us(&self, us: u64) -> Sleep {
        let until_us = self.now_us().saturating_add(us);
        Sleep { clock: self.clone(), until_us, timer: None }
    }

    /// Moves time to the next timer and wakes everybody who waits for that instant; `false` when nobody waits.
    pub(crate) fn advance(&self) -> bool {
        let mut due = Vec::new();
        {
            let mut time = self.time();
            let Some((at, _)) = time.timers.first_key_value().map(|(key, _)| *key) else { return false };
            time.now_us = time.now_us.max(at);
            while let Some(first) = time.timers.first_entry().filter(|first| first.key().0 <= at) {
                due.push(first.remove());
            }
        }
        due.into_iter().for_each(Waker::wake);
        true
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.lock().expect("nobody panics while reading the clock")
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let time = self.time();
        let elapsed_us = i64::try_from(time.now_us).expect("a run is shorter than an age");
        let strayed_us = time.wall_offset_us + time.drifted_us();
        Timestamp::from_ms(START_MS + (elapsed_us + strayed_us).div_euclid(1_000))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_us(self.now_us())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let us = u64::try_from(duration.as_micros()).expect("a pause is shorter than an age");
        Box::pin(self.sleep_us(us))
    }

    fn give_way(&self) -> BoxFuture<'static, ()> {
        requeue()
    }
}

/// Resolves when virtual time has reached an instant. Takes its timer along when it is dropped.
pub(crate) struct Sleep {
    clock: SimClock,
    until_us: u64,
    timer: Option<(u64, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut time = clock.time();
        if let Some(timer) = self.timer.take() {
            time.timers.remove(&timer);
        }
        if time.now_us >= self.until_us {
            return Poll::Ready(());
        }
        time.timers_set += 1;
        let timer = (self.until_us, time.timers_set);
        time.timers.insert(timer, context.waker().clone());
        self.timer = Some(timer);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.clock.time().timers.remove(&timer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(clock: &SimClock, seconds: u64) {
        clock.time().now_us += seconds * 1_000_000;
    }

    #[test]
    fn a_wall_clock_that_drifts_goes_on_from_what_it_showed() {
        let clock = SimClock::default();
        let shown = || clock.now().as_ms() - START_MS;
        pass(&clock, 100);
        clock.drift_wall(20);
        assert_eq!(shown(), 100_000);
        pass(&clock, 100);
        assert_eq!(shown(), 202_000);
        clock.drift_wall(-50);
        assert_eq!(shown(), 202_000);
        pass(&clock, 100);
        assert_eq!(shown(), 297_000);
        clock.jump_wall(-1_000);
        clock.drift_wall(0);
        pass(&clock, 1);
        assert_eq!(shown(), 297_000);
        assert_eq!(clock.now_us(), 301_000_000, "the other clock runs true");
    }
}
