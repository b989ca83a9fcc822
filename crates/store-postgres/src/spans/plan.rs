//! Which spans there are to be: how wide, how far ahead, and when one may go. Pure.

use signalpost_core::id::first_id_at;
use signalpost_core::limits::{PARTITION_WIDTH_MAX, PARTITION_WIDTH_MIN, PARTITIONS_PER_AGE};
use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;

/// A span begins so far ahead of the clock at least that no event of its time was stored before: nodes' clocks differ by less.
const MARGIN_MS: i64 = 60 * 1_000;
/// After so long nothing is stored any more that was made before: nodes' clocks differ by less, and commits are faster.
const SETTLED_MS: i64 = 10 * 60 * 1_000;
/// Spans are made so far ahead that somebody may keep the next from being made for as long; no further than half of what one holds
/// where that is more, for each costs every look-up.
const AHEAD_MS_MIN: i64 = 2 * 3_600 * 1_000;
const AHEAD_MS_MAX: i64 = 24 * 3_600 * 1_000;

/// The ids of a span: from the first on, and below the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: i64,
    pub(super) ended: i64,
}

/// The time of spans whose events go with them by these rules; `None` where events go row by row.
pub(super) fn width_ms(rules: &RetentionRules) -> Option<i64> {
    let width = rules.event_age_max? / PARTITIONS_PER_AGE;
    (width >= PARTITION_WIDTH_MIN).then(|| as_ms(width.min(PARTITION_WIDTH_MAX)))
}

/// At which events go by these rules.
pub(super) fn age_ms(rules: &RetentionRules) -> Option<i64> {
    rules.event_age_max.map(as_ms)
}

/// What ids of a time take up.
pub(super) fn ids_of(ms: i64) -> i64 {
    first_id_at(Timestamp::from_ms(ms))
}

/// The span to be made now, if there is one: behind the last, and behind ids that are stored in none.
pub(super) fn next(
    last_ended: i64,
    highest_in_none: i64,
    now: Timestamp,
    rules: &RetentionRules,
) -> Option<Range> {
    let width = width_ms(rules).unwrap_or_else(|| as_ms(PARTITION_WIDTH_MAX));
    let ahead_ms = (width / 2).clamp(AHEAD_MS_MIN, AHEAD_MS_MAX);
    if last_ended >= first_id_at(now.plus_ms(ahead_ms)) {
        return None;
    }
    let soon = first_id_at(now.plus_ms(MARGIN_MS));
    let is_in_time = last_ended >= soon && highest_in_none < last_ended;
    let first =
        if is_in_time { last_ended } else { soon.max(last_ended).max(highest_in_none.saturating_add(1)) };
    // Aligned, and of half the width at least.
    let begins = first / ids_of(1);
    let ended = ids_of((begins + width / 2).div_euclid(width).saturating_add(1).saturating_mul(width));
    (ended > first).then_some(Range { first, ended })
}

/// Whether everything in a span is older than events may be, and nothing can come to it any more.
pub(super) fn is_over(range: Range, now: Timestamp, rules: &RetentionRules) -> bool {
    age_ms(rules).is_some_and(|age| {
        let before = now.as_ms().saturating_sub(age).saturating_sub(SETTLED_MS);
        range.ended <= ids_of(before)
    })
}

fn as_ms(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HOUR_MS: i64 = 3_600 * 1_000;
    const DAY_MS: i64 = 24 * HOUR_MS;

    fn rules(hours: u64) -> RetentionRules {
        let event_age_max = Some(Duration::from_secs(3_600 * hours));
        RetentionRules { event_age_max, payload_age_max: None, bytes_max: None }
    }

    /// In milliseconds.
    fn made(last_ended: i64, highest: i64, now: i64, rules: &RetentionRules) -> Option<(i64, i64)> {
        let range = next(ids_of(last_ended), ids_of(highest), Timestamp::from_ms(now), rules)?;
        Some((range.first / ids_of(1), range.ended / ids_of(1)))
    }

    #[test]
    fn a_span_is_an_eighth_of_the_age_and_of_an_hour_at_least() {
        assert_eq!(width_ms(&rules(7)), None);
        assert_eq!(width_ms(&rules(8)), Some(HOUR_MS));
        assert_eq!(width_ms(&rules(16 * 24)), Some(2 * DAY_MS));
        assert_eq!(width_ms(&RetentionRules { event_age_max: None, ..rules(1) }), None);
    }

    #[test]
    fn spans_follow_each_other_aligned_up_to_some_time_ahead() {
        let (rules, now) = (rules(8), 1_000 * HOUR_MS);
        assert_eq!(made(now + HOUR_MS, 0, now, &rules), Some((now + HOUR_MS, now + 2 * HOUR_MS)));
        assert_eq!(made(now + 2 * HOUR_MS, 0, now, &rules), None);
        let odd = now + HOUR_MS / 4;
        assert_eq!(made(odd, 0, now, &rules), Some((odd, now + HOUR_MS)));
        let late = now + HOUR_MS * 3 / 4;
        assert_eq!(made(late, 0, now, &rules), Some((late, now + 2 * HOUR_MS)), "no narrow one");
    }

    #[test]
    fn a_span_that_comes_too_late_begins_ahead_of_all_that_is_stored() {
        let (rules, now) = (rules(8), 1_000 * HOUR_MS);
        let soon = now + MARGIN_MS;
        assert_eq!(made(now - 5 * HOUR_MS, now, now, &rules), Some((soon, now + HOUR_MS)));
        assert_eq!(made(now - 5 * HOUR_MS, soon + 7, now, &rules).map(|made| made.0), Some(soon + 7));
        assert_eq!(
            made(now + HOUR_MS, now + HOUR_MS + 9, now, &rules).map(|made| made.0),
            Some(now + HOUR_MS + 9)
        );
    }

    #[test]
    fn where_events_go_row_by_row_a_span_is_wide() {
        let now = 400 * DAY_MS;
        let (_, ended) = made(now, 0, now, &rules(1)).expect("one is made");
        assert_eq!(ended, 720 * DAY_MS);
        assert_eq!(made(ended, 0, now, &rules(1)), None);
    }

    #[test]
    fn a_span_is_over_when_its_last_moment_is_old_and_some_time_ago() {
        let (rules, ended) = (rules(8), 1_000 * HOUR_MS);
        let over_at = ended + 8 * HOUR_MS + SETTLED_MS;
        let range = Range { first: 0, ended: ids_of(ended) };
        assert!(!is_over(range, Timestamp::from_ms(over_at - 1), &rules));
        assert!(is_over(range, Timestamp::from_ms(over_at), &rules));
        assert!(!is_over(
            range,
            Timestamp::from_ms(over_at),
            &RetentionRules { event_age_max: None, ..rules }
        ));
    }
}
