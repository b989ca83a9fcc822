//! Moments and spans as people read them.

use maud::{Markup, html};
use signalpost_core::time::Timestamp;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// A moment as seen from now, with the exact instant on hover; a script may turn that into the reader's own zone.
pub(crate) fn moment(at: Timestamp, now: Timestamp) -> Markup {
    let exact = at.to_rfc3339_ms();
    html! { time datetime=(exact) title=(exact) { (relative(at, now)) } }
}

/// `12 s ago`, `in 2 h 10 min`, `now`. The script says the same later on.
fn relative(at: Timestamp, now: Timestamp) -> String {
    let apart_ms = at.as_ms().abs_diff(now.as_ms());
    match apart_ms < SECOND_MS {
        true => "now".to_owned(),
        false if at > now => format!("in {}", span(apart_ms / SECOND_MS * SECOND_MS)),
        false => format!("{} ago", span(apart_ms / SECOND_MS * SECOND_MS)),
    }
}

/// `12 ms`, `3.4 s`, `5 min`, `2 h 10 min`, `3 d 4 h`: two units at most.
pub(crate) fn span(ms: u64) -> String {
    let two = |large: u64, name: &str, small: u64, small_name: &str| match ms % large / small {
        0 => format!("{} {name}", ms / large),
        rest => format!("{} {name} {rest} {small_name}", ms / large),
    };
    match ms {
        0..SECOND_MS => format!("{ms} ms"),
        SECOND_MS..MINUTE_MS if ms % SECOND_MS < 100 => format!("{} s", ms / SECOND_MS),
        SECOND_MS..MINUTE_MS => format!("{}.{} s", ms / SECOND_MS, ms % SECOND_MS / 100),
        MINUTE_MS..HOUR_MS => two(MINUTE_MS, "min", SECOND_MS, "s"),
        HOUR_MS..DAY_MS => two(HOUR_MS, "h", MINUTE_MS, "min"),
        _ => two(DAY_MS, "d", HOUR_MS, "h"),
    }
}

/// A phase of an exchange: `640 µs`, `12 ms`.
pub(crate) fn short_span(us: u64) -> String {
    if us < 1_000 { format!("{us} µs") } else { span(us / 1_000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_at_most() {
        let table = [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1 s"),
            (3_450, "3.4 s"),
            (60_000, "1 min"),
            (61_999, "1 min 1 s"),
            (7_800_000, "2 h 10 min"),
            (86_400_000, "1 d"),
            (277_200_000, "3 d 5 h"),
        ];
        for (ms, text) in table {
            assert_eq!(span(ms), text);
        }
        assert_eq!([short_span(640), short_span(12_900)], ["640 µs", "12 ms"]);
    }

    #[test]
    fn moments_say_which_way_they_lie() {
        let now = Timestamp::from_ms(100_000);
        let seen = |at_ms| relative(Timestamp::from_ms(at_ms), now);
        assert_eq!([seen(99_500), seen(88_000), seen(165_400)], ["now", "12 s ago", "in 1 min 5 s"]);
    }
}
