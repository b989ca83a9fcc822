//! The one clock of a run: `CLOCK_MONOTONIC`, which all processes of a machine share, and an alarm that keeps to it.

use std::io;
use std::os::fd::OwnedFd;

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

pub(super) const NS_PER_S: u64 = 1_000_000_000;

/// Nanoseconds since some moment before the machine's start.
pub(super) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let part = |number: i64| u64::try_from(number).expect("the monotonic clock is not negative");
    part(now.tv_sec) * NS_PER_S + part(now.tv_nsec)
}

/// Wakes at a moment. The runtime's own timers are exact to a millisecond only, which is what a delivery takes.
pub(super) struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    /// Must be called on a tokio runtime.
    pub(super) fn new() -> io::Result<Self> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "what it warns of cannot be: an OwnedFd keeps its descriptor until it is dropped"
        )]
        AsyncFd::new(timer).map(Self)
    }

    /// Resolves at `at_ns` or soon after, at once when that is past.
    pub(super) async fn wait_until(&self, at_ns: u64) -> io::Result<()> {
        if now_ns() >= at_ns {
            return Ok(());
        }
        let part = |number: u64| i64::try_from(number).expect("a moment of this machine's uptime fits");
        let at = Timespec { tv_sec: part(at_ns / NS_PER_S), tv_nsec: part(at_ns % NS_PER_S) };
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let setting = Itimerspec { it_interval: never, it_value: at };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::ABSTIME, &setting)?;
        loop {
            let mut ready = self.0.readable().await?;
            let mut expirations = [0; 8];
            match ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut expirations)?)) {
                Ok(read) => return read.map(drop),
                // It was readable because of an alarm before this one.
                Err(_would_block) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn an_alarm_does_not_ring_early() {
        let alarm = Alarm::new().expect("a timer");
        alarm.wait_until(0).await.expect("past");
        for _ in 0..3 {
            let at_ns = now_ns() + 300_000;
            alarm.wait_until(at_ns).await.expect("it rings");
            assert!(now_ns() >= at_ns);
        }
    }
}
