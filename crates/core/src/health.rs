//! When a webhook that fails is switched off.

use crate::attempt::Outcome;
use crate::webhook::DisableReason;

/// A dialect's rule for switching a webhook off by itself. The default never does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DisableRule {
    /// After this many failed attempts in a row.
    pub consecutive_failures: Option<u32>,
    /// When the receiver answers 410 Gone (Standard Webhooks 1.0).
    pub on_gone: bool,
}

/// What an attempt did to a webhook's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthAfter {
    pub consecutive_failures: u32,
    pub disable: Option<DisableReason>,
}

/// Counts an attempt. A success forgets all failures before it.
pub fn after_attempt(rule: DisableRule, consecutive_failures: u32, outcome: Outcome) -> HealthAfter {
    if outcome.is_success() {
        return HealthAfter { consecutive_failures: 0, disable: None };
    }
    let failures = consecutive_failures.saturating_add(1);
    let gone = rule.on_gone && outcome == Outcome::Status(410);
    let failing = rule.consecutive_failures.is_some_and(|limit| failures >= limit);
    let disable = match (gone, failing) {
        (true, _) => Some(DisableReason::Gone),
        (false, true) => Some(DisableReason::Failing),
        (false, false) => None,
    };
    HealthAfter { consecutive_failures: failures, disable }
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
    use crate::attempt::Failure;

    fn check(rule: DisableRule, before: u32, outcome: Outcome, after: u32, disable: Option<DisableReason>) {
        let expected = HealthAfter { consecutive_failures: after, disable };
        assert_eq!(after_attempt(rule, before, outcome), expected, "{rule:?} {before} {outcome:?}");
    }

    #[test]
    fn counts_failures_until_a_success() {
        let never = DisableRule::default();
        check(never, 0, Outcome::Status(500), 1, None);
        check(never, 7, Outcome::Failed(Failure::Timeout), 8, None);
        check(never, 7, Outcome::Status(204), 0, None);
        check(never, u32::MAX, Outcome::Status(301), u32::MAX, None);
        check(never, 0, Outcome::Status(410), 1, None);
    }

    #[test]
    fn disables_at_the_limit_and_on_gone() {
        let ten = DisableRule { consecutive_failures: Some(10), on_gone: false };
        check(ten, 8, Outcome::Status(500), 9, None);
        check(ten, 9, Outcome::Status(500), 10, Some(DisableReason::Failing));
        check(ten, 10, Outcome::Failed(Failure::Dns), 11, Some(DisableReason::Failing));
        check(ten, 9, Outcome::Status(200), 0, None);
        let left = [0, 1, 9, 10, u32::MAX].map(|failures| failures_left(ten, failures));
        assert_eq!(left, [10, 9, 1, 1, 1].map(Some));
        assert_eq!(failures_left(DisableRule::default(), 5), None);
        let gone = DisableRule { consecutive_failures: None, on_gone: true };
        check(gone, 0, Outcome::Status(410), 1, Some(DisableReason::Gone));
        check(gone, 0, Outcome::Status(404), 1, None);
    }
}
