//! How patient we are with a receiver.

use std::time::Duration;

use crate::health::{DisableRule, HealthRules, HoldAfter, HoldRule, ReleaseOrder};
use crate::limits::{ATTEMPT_TIMEOUT_MAX, ATTEMPT_TIMEOUT_MIN, RETRY_DELAY_MAX, RETRY_DELAYS_MAX};
use crate::retention::RetentionOverrides;

/// Delays between attempts: `n` delays allow `n + 1` attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetrySchedule(Vec<Duration>);

impl RetrySchedule {
    /// Whole seconds, at most [`RETRY_DELAYS_MAX`] of them, each at most [`RETRY_DELAY_MAX`].
    pub fn from_seconds(seconds: &[u64]) -> Result<Self, String> {
        if seconds.len() > RETRY_DELAYS_MAX {
            return Err(format!("may hold at most {RETRY_DELAYS_MAX} delays"));
        }
        let delay_max_s = RETRY_DELAY_MAX.as_secs();
        if seconds.iter().any(|delay| *delay > delay_max_s) {
            return Err(format!("each delay must be from 0 to {delay_max_s} seconds"));
        }
        Ok(Self(seconds.iter().copied().map(Duration::from_secs).collect()))
    }

    /// The delay after the `tries`-th attempt of a round, `None` when no attempt is left.
    pub fn delay_after(&self, tries: u32) -> Option<Duration> {
        let index = usize::try_from(tries).ok()?.checked_sub(1)?;
        self.0.get(index).copied()
    }

    pub fn attempts_max(&self) -> usize {
        self.0.len() + 1
    }

    pub fn as_seconds(&self) -> Vec<u64> {
        self.0.iter().map(Duration::as_secs).collect()
    }
}

/// Checks the limit of one attempt as an operator gives it.
pub fn check_timeout_ms(timeout_ms: u64) -> Result<Duration, String> {
    let timeout = Duration::from_millis(timeout_ms);
    if (ATTEMPT_TIMEOUT_MIN..=ATTEMPT_TIMEOUT_MAX).contains(&timeout) {
        return Ok(timeout);
    }
    Err(format!("must be from {} to {}", ATTEMPT_TIMEOUT_MIN.as_millis(), ATTEMPT_TIMEOUT_MAX.as_millis()))
}

/// The rules in force for a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryPolicy {
    pub retry: RetrySchedule,
    /// Limit of one attempt as a whole.
    pub timeout: Duration,
    pub disable: DisableRule,
    /// When the engine pauses a webhook; `None` is never.
    pub hold: Option<HoldRule>,
    /// In which order what was held meanwhile is sent.
    pub release: ReleaseOrder,
}

/// What a workspace changes of its dialect's rules and of the server's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyOverrides {
    pub retry: Option<RetrySchedule>,
    pub timeout: Option<Duration>,
    pub hold_after: Option<HoldAfter>,
    pub release: Option<ReleaseOrder>,
    pub retention: RetentionOverrides,
}

/// A change of a workspace's own rules. The outer `None` leaves a rule as it is, the inner one falls back to the
/// dialect's or the server's; whoever stores it merges it, so that two changes at once do not lose one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyChange {
    pub retry: Option<Option<RetrySchedule>>,
    pub timeout: Option<Option<Duration>>,
    pub hold_after: Option<Option<HoldAfter>>,
    pub release: Option<Option<ReleaseOrder>>,
    pub event_age_max: Option<Option<Duration>>,
    pub payload_age_max: Option<Option<Duration>>,
    pub bytes_max: Option<Option<u64>>,
}

impl PolicyChange {
    /// Gives up every rule of the workspace's own.
    pub const fn reset() -> Self {
        Self {
            retry: Some(None),
            timeout: Some(None),
            hold_after: Some(None),
            release: Some(None),
            event_age_max: Some(None),
            payload_age_max: Some(None),
            bytes_max: Some(None),
        }
    }

    pub fn apply_to(&self, overrides: &mut PolicyOverrides) {
        fn take<T: Clone>(rule: &mut Option<T>, change: &Option<Option<T>>) {
            if let Some(wanted) = change {
                rule.clone_from(wanted);
            }
        }
        take(&mut overrides.retry, &self.retry);
        take(&mut overrides.timeout, &self.timeout);
        take(&mut overrides.hold_after, &self.hold_after);
        take(&mut overrides.release, &self.release);
        take(&mut overrides.retention.event_age_max, &self.event_age_max);
        take(&mut overrides.retention.payload_age_max, &self.payload_age_max);
        take(&mut overrides.retention.bytes_max, &self.bytes_max);
    }
}

/// What a webhook changes of its workspace's rules; `None` leaves a rule as it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patience {
    pub retry: Option<RetrySchedule>,
    pub timeout: Option<Duration>,
}

impl DeliveryPolicy {
    /// The rules of one webhook.
    pub fn with_patience(self, own: &Patience) -> Self {
        Self {
            retry: own.retry.clone().unwrap_or(self.retry),
            timeout: own.timeout.unwrap_or(self.timeout),
            ..self
        }
    }

    pub fn with(&self, overrides: &PolicyOverrides) -> Self {
        Self {
            retry: overrides.retry.clone().unwrap_or_else(|| self.retry.clone()),
            timeout: overrides.timeout.unwrap_or(self.timeout),
            disable: self.disable,
            hold: overrides.hold_after.map_or(self.hold, |after| after.rule(self.hold)),
            release: overrides.release.unwrap_or(self.release),
        }
    }

    pub const fn health(&self) -> HealthRules {
        HealthRules { disable: self.disable, hold: self.hold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n_delays_allow_n_plus_one_attempts() {
        let schedule = RetrySchedule::from_seconds(&[0, 5]).expect("in bounds");
        assert_eq!(schedule.attempts_max(), 3);
        assert_eq!(schedule.delay_after(0), None, "no attempt was made");
        assert_eq!(schedule.delay_after(1), Some(Duration::ZERO));
        assert_eq!(schedule.delay_after(2), Some(Duration::from_secs(5)));
        assert_eq!(schedule.delay_after(3), None);
        assert_eq!(RetrySchedule::default().delay_after(1), None, "one attempt only");
    }

    #[test]
    fn schedules_and_timeouts_out_of_bounds_are_refused() {
        assert!(RetrySchedule::from_seconds(&[1; RETRY_DELAYS_MAX]).is_ok());
        assert!(RetrySchedule::from_seconds(&[1; RETRY_DELAYS_MAX + 1]).is_err());
        assert!(RetrySchedule::from_seconds(&[86_400]).is_ok());
        assert!(RetrySchedule::from_seconds(&[86_401]).is_err());
        for (ms, fine) in
            [(0, false), (99, false), (100, true), (60_000, true), (60_001, false), (u64::MAX, false)]
        {
            assert_eq!(check_timeout_ms(ms).is_ok(), fine, "{ms}");
        }
    }

    #[test]
    fn overrides_replace_only_what_they_name() {
        let base = DeliveryPolicy {
            retry: RetrySchedule::from_seconds(&[60]).expect("in bounds"),
            timeout: Duration::from_secs(10),
            disable: DisableRule::default(),
            hold: None,
            release: ReleaseOrder::default(),
        };
        assert_eq!(base.with(&PolicyOverrides::default()), base);
        let hasty = PolicyOverrides { timeout: Some(Duration::from_secs(1)), ..PolicyOverrides::default() };
        assert_eq!(base.with(&hasty), DeliveryPolicy { timeout: Duration::from_secs(1), ..base.clone() });
    }

    #[test]
    fn a_workspace_says_when_its_webhooks_are_paused() {
        let rule = HoldRule::after(Duration::from_secs(60));
        let base = DeliveryPolicy {
            retry: RetrySchedule::default(),
            timeout: Duration::from_secs(10),
            disable: DisableRule::default(),
            hold: Some(rule),
            release: ReleaseOrder::default(),
        };
        let hold = |own| base.with(&PolicyOverrides { hold_after: own, ..PolicyOverrides::default() }).hold;
        let hour = Duration::from_secs(3_600);
        assert_eq!(hold(None), Some(rule));
        assert_eq!(hold(Some(HoldAfter::Never)), None);
        assert_eq!(hold(Some(HoldAfter::FailingFor(hour))), Some(HoldRule { failing_for: hour, ..rule }));
    }

    #[test]
    fn a_change_changes_only_what_it_names() {
        let mut rules = PolicyOverrides::default();
        let second = Some(Duration::from_secs(1));
        PolicyChange { timeout: Some(second), event_age_max: Some(second), ..PolicyChange::default() }
            .apply_to(&mut rules);
        PolicyChange { bytes_max: Some(Some(9)), timeout: Some(None), ..PolicyChange::default() }
            .apply_to(&mut rules);
        let retention =
            RetentionOverrides { event_age_max: second, bytes_max: Some(9), ..RetentionOverrides::default() };
        assert_eq!(rules, PolicyOverrides { retention, ..PolicyOverrides::default() });
        PolicyChange::reset().apply_to(&mut rules);
        assert_eq!(rules, PolicyOverrides::default());
    }

    #[test]
    fn a_webhook_may_be_more_or_less_patient_than_its_workspace() {
        let schedule = |seconds: &[u64]| RetrySchedule::from_seconds(seconds).expect("in bounds");
        let base = DeliveryPolicy {
            retry: schedule(&[60]),
            timeout: Duration::from_secs(10),
            disable: DisableRule::default(),
            hold: None,
            release: ReleaseOrder::default(),
        };
        assert_eq!(base.clone().with_patience(&Patience::default()), base);
        let own = Patience { retry: Some(schedule(&[])), timeout: None };
        assert_eq!(base.clone().with_patience(&own), DeliveryPolicy { retry: schedule(&[]), ..base.clone() });
        let own = Patience { retry: None, timeout: Some(Duration::from_secs(1)) };
        let hasty = DeliveryPolicy { timeout: Duration::from_secs(1), ..base.clone() };
        assert_eq!(base.with_patience(&own), hasty);
    }
}
