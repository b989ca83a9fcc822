//! How a webhook's receiver fares, by the outcomes of its attempts: when it goes to the slow lane, when it is paused and asked
//! from time to time whether it is back, and when it is switched off.
//!
//! - *normal*: fewer than [`SLOW_AFTER_FAILURES`] failures in a row.
//! - *slow*: more than that. What goes there is sent as further attempts are, behind everybody else's first ones.
//! - *paused*: its [`HoldRule`] applies. What is pending is held, and counts no tries; a *probe* sends what has waited longest,
//!   after [`PROBE_DELAY_MIN`] at first and after twice as long each time, up to [`PROBE_DELAY_MAX`].
//! - The first success ends all of it: what was held is released, in the [`ReleaseOrder`] of the workspace, and the
//!   requests in flight at once begin at one again.

use std::time::Duration;

use crate::attempt::{Failure, Outcome};
use crate::limits::{
    HOLD_AFTER_MAX, HOLD_AFTER_MIN, HOLD_FAILURES_MIN, PROBE_DELAY_MAX, PROBE_DELAY_MIN, SLOW_AFTER_FAILURES,
};
use crate::time::Timestamp;
use crate::webhook::DisableReason;

/// What is known of a webhook's receiver. The default is that of one that has never failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Failed attempts since the last success.
    pub consecutive_failures: u32,
    /// When the first of them ended; `None` when there is none, or when it ended before this was kept.
    pub failing_since: Option<Timestamp>,
    /// Set while the engine has paused the webhook.
    pub hold: Option<Hold>,
}

/// A pause by the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub since: Timestamp,
    /// Probes that have failed.
    pub probes: u32,
    /// When the next probe may begin.
    pub probe_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Normal,
    Slow,
    Paused,
}

impl Standing {
    pub const ALL: [Self; 3] = [Self::Normal, Self::Slow, Self::Paused];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Slow => "slow",
            Self::Paused => "paused",
        }
    }
}

impl Hold {
    /// When the next probe may begin, seen from now: a clock that was set back since must not put it off.
    pub fn next_probe(&self, now: Timestamp) -> Timestamp {
        self.probe_at.clamp(now, plus(now, PROBE_DELAY_MAX))
    }
}

impl Health {
    pub const fn standing(&self) -> Standing {
        if self.hold.is_some() {
            Standing::Paused
        } else if self.consecutive_failures >= SLOW_AFTER_FAILURES {
            Standing::Slow
        } else {
            Standing::Normal
        }
    }
}

/// A dialect's rule for switching a webhook off by itself. The default never does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DisableRule {
    /// After this many failed attempts in a row.
    pub consecutive_failures: Option<u32>,
    /// When the receiver answers 410 Gone (Standard Webhooks 1.0).
    pub on_gone: bool,
}

/// When a webhook is paused by the engine: it takes both, so that neither a burst nor a single delivery whose retries take
/// days is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldRule {
    /// So many failures in a row.
    pub failures_min: u32,
    /// Since the first of which so much time has gone by.
    pub failing_for: Duration,
}

impl HoldRule {
    pub const fn after(failing_for: Duration) -> Self {
        Self { failures_min: HOLD_FAILURES_MIN, failing_for }
    }
}

/// What a workspace says of its dialect's [`HoldRule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldAfter {
    Never,
    FailingFor(Duration),
}

impl HoldAfter {
    /// Whole seconds, from [`HOLD_AFTER_MIN`] to [`HOLD_AFTER_MAX`]; zero is never.
    pub fn from_seconds(seconds: u64) -> Result<Self, String> {
        let failing_for = Duration::from_secs(seconds);
        if seconds == 0 {
            Ok(Self::Never)
        } else if (HOLD_AFTER_MIN..=HOLD_AFTER_MAX).contains(&failing_for) {
            Ok(Self::FailingFor(failing_for))
        } else {
            let (min, max) = (HOLD_AFTER_MIN.as_secs(), HOLD_AFTER_MAX.as_secs());
            Err(format!("must be 0, or from {min} to {max}"))
        }
    }

    pub const fn as_seconds(self) -> u64 {
        match self {
            Self::Never => 0,
            Self::FailingFor(failing_for) => failing_for.as_secs(),
        }
    }

    /// The rule in force, where the dialect has this one.
    pub fn rule(self, of_dialect: Option<HoldRule>) -> Option<HoldRule> {
        match self {
            Self::Never => None,
            Self::FailingFor(failing_for) => {
                let rule = of_dialect.unwrap_or(HoldRule::after(failing_for));
                Some(HoldRule { failing_for, ..rule })
            }
        }
    }
}

/// In which order a receiver that is back gets what was held for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReleaseOrder {
    #[default]
    OldestFirst,
    /// What comes meanwhile goes before what was held.
    NewestFirst,
    /// Nothing that was held is sent: it is dropped, on record.
    Skip,
}

impl ReleaseOrder {
    pub const ALL: [Self; 3] = [Self::OldestFirst, Self::NewestFirst, Self::Skip];

    pub const fn name(self) -> &'static str {
        match self {
            Self::OldestFirst => "oldest_first",
            Self::NewestFirst => "newest_first",
            Self::Skip => "skip",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.name() == name)
    }
}

/// By what a webhook's attempts are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthRules {
    pub disable: DisableRule,
    /// `None` never pauses.
    pub hold: Option<HoldRule>,
}

/// An attempt that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    pub outcome: Outcome,
    pub began_at: Timestamp,
    pub now: Timestamp,
}

/// What an attempt did to a webhook's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthAfter {
    pub health: Health,
    pub disable: Option<DisableReason>,
}

/// Counts an attempt. A success forgets all failures before it.
pub fn after_attempt(rules: HealthRules, before: Health, ended: Ended) -> HealthAfter {
    if ended.outcome.is_success() {
        return HealthAfter { health: Health::default(), disable: None };
    }
    // Our own faults must not cost a customer the webhook; a probe that was none is made again later all the same.
    if ended.outcome == Outcome::Failed(Failure::Internal) {
        let hold = before.hold.map(|hold| after_probe(hold, ended));
        return HealthAfter { health: Health { hold, ..before }, disable: None };
    }
    let consecutive_failures = before.consecutive_failures.saturating_add(1);
    let failing_since = before.failing_since.unwrap_or(ended.now);
    let hold = match before.hold {
        Some(hold) => Some(after_probe(hold, ended)),
        None => {
            let failing_for_ms = ended.now.ms_since(failing_since);
            let applies = |rule: &HoldRule| {
                let failing_for = Duration::from_millis(u64::try_from(failing_for_ms).unwrap_or(0));
                consecutive_failures >= rule.failures_min && failing_for >= rule.failing_for
            };
            rules.hold.filter(applies).map(|_| begin_hold(ended.now))
        }
    };
    let gone = rules.disable.on_gone && ended.outcome == Outcome::Status(410);
    let failing = rules.disable.consecutive_failures.is_some_and(|limit| consecutive_failures >= limit);
    let disable = match (gone, failing) {
        (true, _) => Some(DisableReason::Gone),
        (false, true) => Some(DisableReason::Failing),
        (false, false) => None,
    };
    HealthAfter { health: Health { consecutive_failures, failing_since: Some(failing_since), hold }, disable }
}

fn begin_hold(now: Timestamp) -> Hold {
    Hold { since: now, probes: 0, probe_at: plus(now, probe_delay(0)) }
}

/// What began before the pause is no probe. When the pause seems to begin later than now, the clock was set back, and nobody
/// knows.
fn after_probe(hold: Hold, ended: Ended) -> Hold {
    if ended.began_at <= hold.since && hold.since <= ended.now {
        return hold;
    }
    let probes = hold.probes.saturating_add(1);
    Hold { since: hold.since.min(ended.now), probes, probe_at: plus(ended.now, probe_delay(probes)) }
}

/// The time to the next probe after so many that have failed.
fn probe_delay(probes: u32) -> Duration {
    PROBE_DELAY_MIN.saturating_mul(2u32.saturating_pow(probes)).min(PROBE_DELAY_MAX)
}

fn plus(now: Timestamp, delay: Duration) -> Timestamp {
    now.plus_ms(i64::try_from(delay.as_millis()).expect("minutes"))
}

/// Failures in a row that a webhook has left before the rule switches it off, `None` when it never does. At least
/// one: a count beyond the limit, as after a change of the rule, waits for the next failure.
///
/// No more attempts than these may be in flight at once, for each may fail.
pub fn failures_left(rule: DisableRule, consecutive_failures: u32) -> Option<u32> {
    rule.consecutive_failures.map(|limit| limit.saturating_sub(consecutive_failures).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_ms(1_000_000);

    fn failing(consecutive_failures: u32) -> Health {
        Health {
            consecutive_failures,
            failing_since: (consecutive_failures > 0).then_some(START),
            hold: None,
        }
    }

    fn ended(outcome: Outcome, after_s: i64) -> Ended {
        let now = START.plus_ms(after_s * 1_000);
        Ended { outcome, began_at: now.plus_ms(-10), now }
    }

    fn check(
        disable: DisableRule,
        before: u32,
        outcome: Outcome,
        after: u32,
        expected: Option<DisableReason>,
    ) {
        let rules = HealthRules { disable, hold: None };
        let found = after_attempt(rules, failing(before), ended(outcome, 0));
        let expected = HealthAfter { health: failing(after), disable: expected };
        assert_eq!(found, expected, "{disable:?} {before} {outcome:?}");
    }

    #[test]
    fn counts_failures_until_a_success() {
        let never = DisableRule::default();
        check(never, 0, Outcome::Status(500), 1, None);
        check(never, 7, Outcome::Failed(Failure::Timeout), 8, None);
        check(never, 7, Outcome::Status(204), 0, None);
        check(never, u32::MAX, Outcome::Status(301), u32::MAX, None);
        check(never, 0, Outcome::Status(410), 1, None);
        check(never, 7, Outcome::Failed(Failure::Internal), 7, None);
    }

    #[test]
    fn disables_at_the_limit_and_on_gone() {
        let ten = DisableRule { consecutive_failures: Some(10), on_gone: false };
        check(ten, 8, Outcome::Status(500), 9, None);
        check(ten, 9, Outcome::Status(500), 10, Some(DisableReason::Failing));
        check(ten, 10, Outcome::Failed(Failure::Dns), 11, Some(DisableReason::Failing));
        check(ten, 9, Outcome::Failed(Failure::Internal), 9, None);
        check(ten, 9, Outcome::Status(200), 0, None);
        let left = [0, 1, 9, 10, u32::MAX].map(|failures| failures_left(ten, failures));
        assert_eq!(left, [10, 9, 1, 1, 1].map(Some));
        assert_eq!(failures_left(DisableRule::default(), 5), None);
        let gone = DisableRule { consecutive_failures: None, on_gone: true };
        check(gone, 0, Outcome::Status(410), 1, Some(DisableReason::Gone));
        check(gone, 0, Outcome::Status(404), 1, None);
    }

    #[test]
    fn a_pause_takes_many_failures_and_a_long_time() {
        let rule = HoldRule { failures_min: 50, failing_for: Duration::from_secs(1_800) };
        let rules = HealthRules { hold: Some(rule), ..HealthRules::default() };
        let hold = |before: u32, after_s| {
            after_attempt(rules, failing(before), ended(Outcome::Status(500), after_s)).health.hold
        };
        assert_eq!(hold(48, 9_999), None, "too few");
        assert_eq!(hold(49, 1_799), None, "too early");
        assert_eq!(hold(0, 9_999), None, "the first one begins the time");
        let since = START.plus_ms(1_800_000);
        let expected = Hold { since, probes: 0, probe_at: since.plus_ms(60_000) };
        assert_eq!(hold(49, 1_800), Some(expected));
        let never = after_attempt(HealthRules::default(), failing(49), ended(Outcome::Status(500), 9_999));
        assert_eq!(never.health.hold, None);
    }

    #[test]
    fn probes_come_less_and_less_often_until_one_succeeds() {
        let mut health = Health { hold: Some(begin_hold(START)), ..failing(50) };
        let mut delays_s = Vec::new();
        for outcome in [500, 429, 302, 500, 500, 500].map(Outcome::Status) {
            let began_at = health.hold.expect("it is paused").probe_at;
            let now = began_at.plus_ms(5_000);
            health = after_attempt(HealthRules::default(), health, Ended { outcome, began_at, now }).health;
            delays_s.push(health.hold.expect("it is paused").probe_at.ms_since(now) / 1_000);
        }
        assert_eq!(delays_s, [120, 240, 480, 900, 900, 900]);
        assert_eq!((health.consecutive_failures, health.standing()), (56, Standing::Paused));
        let fault =
            after_attempt(HealthRules::default(), health, ended(Outcome::Failed(Failure::Internal), 9_000));
        assert_eq!(fault.health.hold.expect("it is paused").probe_at, START.plus_ms(9_900_000));
        let back = after_attempt(HealthRules::default(), health, ended(Outcome::Status(204), 9_000));
        assert_eq!(back, HealthAfter { health: Health::default(), disable: None });
    }

    #[test]
    fn what_was_in_flight_when_the_pause_began_is_no_probe() {
        let health = Health { hold: Some(begin_hold(START)), ..failing(50) };
        let late = Ended { outcome: Outcome::Status(500), began_at: START, now: START.plus_ms(900) };
        let after = after_attempt(HealthRules::default(), health, late).health;
        assert_eq!(after, Health { consecutive_failures: 51, ..health });
    }

    #[test]
    fn a_clock_that_was_set_back_puts_no_probe_off() {
        let health = Health { hold: Some(begin_hold(START)), ..failing(50) };
        let now = START.plus_ms(-7_200_000);
        assert_eq!(health.hold.expect("it is paused").next_probe(now), now.plus_ms(900_000));
        let late = Ended { outcome: Outcome::Status(500), began_at: now.plus_ms(-5), now };
        let after = after_attempt(HealthRules::default(), health, late).health.hold;
        assert_eq!(after, Some(Hold { since: now, probes: 1, probe_at: now.plus_ms(120_000) }));
        let later = START.plus_ms(7_200_000);
        assert_eq!(health.hold.expect("it is paused").next_probe(later), later);
    }

    #[test]
    fn standings_have_numbers() {
        let standings =
            [0, SLOW_AFTER_FAILURES - 1, SLOW_AFTER_FAILURES, u32::MAX].map(|n| failing(n).standing());
        assert_eq!(standings, [Standing::Normal, Standing::Normal, Standing::Slow, Standing::Slow]);
    }

    #[test]
    fn a_workspace_says_when_or_never() {
        let (day, native) =
            (Duration::from_secs(86_400), HoldRule { failures_min: 3, failing_for: HOLD_AFTER_MIN });
        assert_eq!(HoldAfter::from_seconds(0), Ok(HoldAfter::Never));
        assert_eq!(HoldAfter::from_seconds(86_400), Ok(HoldAfter::FailingFor(day)));
        for wrong in [1, HOLD_AFTER_MIN.as_secs() - 1, HOLD_AFTER_MAX.as_secs() + 1, u64::MAX] {
            assert!(HoldAfter::from_seconds(wrong).is_err(), "{wrong}");
        }
        assert_eq!(HoldAfter::Never.rule(Some(native)), None);
        assert_eq!(HoldAfter::FailingFor(day).rule(None), Some(HoldRule::after(day)));
        let longer = HoldRule { failing_for: day, ..native };
        assert_eq!(HoldAfter::FailingFor(day).rule(Some(native)), Some(longer));
        assert_eq!(HoldAfter::FailingFor(day).as_seconds(), 86_400);
        for order in ReleaseOrder::ALL {
            assert_eq!(ReleaseOrder::from_name(order.name()), Some(order));
        }
    }
}
