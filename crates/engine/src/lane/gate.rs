//! When a lane may start another attempt: how many at once, how fast, and not before when.

use std::time::Duration;

use signalpost_core::concurrency::{Begun, Concurrency, Load};
use signalpost_core::limits::{ATTEMPT_COST_US_MIN, LANE_HOLD_MAX, SLOW_AFTER};
use signalpost_core::pace::{Pace, Rate};
use signalpost_core::ports::Clock;
use signalpost_core::time::Timestamp;

#[derive(Debug)]
pub(crate) struct Gate {
    in_flight: usize,
    concurrency: Concurrency,
    /// The limit that the store knows of.
    told: usize,
    /// What the store knows was learned before the receiver was away.
    is_anew: bool,
    pace: Pace,
    hold: Option<Hold>,
    /// Since when nothing has ended of what is in flight.
    quiet_since: Timestamp,
    /// Worker time that its attempts take; `None` before the first has ended.
    cost_us: Option<u64>,
}

/// Nothing starts in between. A wall clock that is set back before its beginning ends it.
#[derive(Clone, Copy, Debug)]
struct Hold {
    from: Timestamp,
    until: Timestamp,
}

impl Hold {
    fn lasts(self, now: Timestamp) -> bool {
        (self.from..self.until).contains(&now)
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            in_flight: 0,
            concurrency: Concurrency::default(),
            told: Concurrency::default().limit(),
            is_anew: false,
            pace: Pace::default(),
            hold: None,
            quiet_since: Timestamp::default(),
            cost_us: None,
        }
    }
}

impl Gate {
    pub(crate) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Worker time that is to be expected of an attempt.
    pub(crate) fn cost_us(&self) -> u64 {
        self.cost_us.unwrap_or(ATTEMPT_COST_US_MIN)
    }

    /// Whether another attempt may start beside `most` at most.
    pub(crate) fn is_open(&self, most: usize, now: Timestamp) -> bool {
        self.in_flight < self.concurrency.limit().min(most) && !self.hold.is_some_and(|hold| hold.lasts(now))
    }

    /// When it opens by itself.
    pub(crate) fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.hold.filter(|hold| hold.lasts(now)).map(|hold| hold.until)
    }

    /// Whether its receiver takes long to answer. One of which nothing is known has a first attempt to show that it does not.
    pub(crate) fn is_slow(&self, now: Timestamp) -> bool {
        let Some(cost_us) = self.cost_us else { return self.in_flight > 0 };
        let slow_us = u64::try_from(SLOW_AFTER.as_micros()).expect("seconds");
        // One that is quick is missed sooner: after a few times as long as it takes.
        let missed_us = (4 * cost_us).clamp(slow_us / 10, slow_us);
        let quiet_us = u64::try_from(now.ms_since(self.quiet_since)).expect("never below zero") * 1_000;
        cost_us >= slow_us || (self.in_flight > 0 && quiet_us >= missed_us)
    }

    /// Whether the pace allows for an attempt now. If not the gate is closed until it does.
    pub(crate) fn keeps_pace(&mut self, clock: &dyn Clock) -> bool {
        let wait = self.pace.wait(clock.monotonic());
        self.hold_for(wait, clock.now());
        wait.is_zero()
    }

    /// Charges the pace for an attempt, and closes the gate until the next may follow.
    pub(crate) fn pay(&mut self, rate: Rate, clock: &dyn Clock) {
        self.pace.pass(rate, clock.monotonic());
        self.keeps_pace(clock);
    }

    /// Counts an attempt that starts now, or will when its event was read. It must [leave](Self::leave) or
    /// [end](Self::end).
    pub(crate) fn enter(&mut self, now: Timestamp) -> Begun {
        let begun = self.concurrency.begin(self.in_flight);
        if self.in_flight == 0 {
            self.quiet_since = now;
        }
        self.in_flight += 1;
        begun
    }

    /// Counts an attempt that was not made.
    pub(crate) const fn leave(&mut self) {
        self.in_flight -= 1;
    }

    /// Counts an attempt that has ended.
    pub(crate) const fn end(&mut self, now: Timestamp) {
        self.leave();
        self.quiet_since = now;
    }

    /// Learns from an attempt that has ended how many at once the receiver bears and what the next will take: an eighth of
    /// the difference is believed.
    pub(crate) fn learn(&mut self, begun: Begun, load: Load, used_us: u64) {
        self.concurrency.learn(begun, load);
        self.cost_us = Some(self.cost_us.map_or(used_us, |known_us| known_us - known_us / 8 + used_us / 8));
    }

    /// Takes up what the store knows, unless that came from here. It knows nothing of a receiver that is new.
    pub(crate) fn recall(&mut self, concurrency: Option<u16>) {
        let remembered =
            concurrency.map_or_else(Concurrency::default, |limit| Concurrency::remembered(limit.into()));
        if std::mem::take(&mut self.is_anew) {
            self.told = remembered.limit();
        } else if remembered.limit() != self.told {
            self.told = remembered.limit();
            self.concurrency = remembered;
            self.cost_us = None;
        }
    }

    /// Whether it is closed for some time.
    pub(crate) const fn is_held(&self) -> bool {
        self.hold.is_some()
    }

    /// What the store is to be told: the limit, when it is not near to what it knows. A factor of two is learned again in a few
    /// answers, and costs no write for each of them.
    pub(crate) fn lesson(&mut self) -> Option<u16> {
        let limit = self.concurrency.limit();
        if limit > self.told / 2 && limit < self.told * 2 {
            return None;
        }
        self.told = limit;
        Some(u16::try_from(limit).expect("bounded by LANE_IN_FLIGHT_MAX"))
    }

    /// Closes for as long as a receiver asks, within [`LANE_HOLD_MAX`]. One that asks for less than it did before is not
    /// believed sooner.
    pub(crate) fn obey(&mut self, asked: Duration, now: Timestamp) {
        self.hold_for(asked.min(LANE_HOLD_MAX), now);
    }

    /// Closes until then.
    pub(crate) fn close_until(&mut self, until: Timestamp, now: Timestamp) {
        self.hold_for(
            Duration::from_millis(u64::try_from(until.ms_since(now)).expect("never below zero")),
            now,
        );
    }

    /// Forgets what was learned of a receiver that has been away.
    pub(crate) const fn begin_anew(&mut self) {
        self.concurrency.begin_anew();
        self.is_anew = true;
        self.cost_us = None;
        self.hold = None;
    }

    /// Opens, whatever its receiver has asked for: it may be another by now.
    pub(crate) const fn release(&mut self) {
        self.hold = None;
    }

    fn hold_for(&mut self, wait: Duration, now: Timestamp) {
        if wait.is_zero() {
            return;
        }
        let wait_ms = i64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(i64::MAX);
        let until = now.plus_ms(wait_ms);
        if self.opens_at(now).is_none_or(|known| known < until) {
            self.hold = Some(Hold { from: now, until });
        }
    }
}

#[cfg(test)]
mod tests;
