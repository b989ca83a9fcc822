//! Timestamps and durations: how they are written, and their parts, in UTC. Both are counted in nanoseconds.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::function::Part;

const NS_PER_MS: i128 = 1_000_000;
pub(crate) const NS_PER_S: i128 = 1_000 * NS_PER_MS;
/// From year 1 to the end of year 9999, as CEL has it.
const INSTANTS: std::ops::RangeInclusive<i128> =
    -62_135_596_800 * NS_PER_S..=253_402_300_799 * NS_PER_S + (NS_PER_S - 1);
/// Ten thousand years to either side, as CEL has it.
const SPAN_MAX: i128 = 315_576_000_000 * NS_PER_S;

pub(crate) fn instant_in_range(ns: i128) -> Option<i128> {
    INSTANTS.contains(&ns).then_some(ns)
}

pub(crate) fn span_in_range(ns: i128) -> Option<i128> {
    (-SPAN_MAX..=SPAN_MAX).contains(&ns).then_some(ns)
}

/// RFC 3339, for example `2026-05-05T10:06:46.150Z`.
pub(crate) fn parse_instant(text: &str) -> Option<i128> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    instant_in_range(instant.as_nanosecond())
}

/// Numbers with units, such as `1h30m`, `-1.5s` or `100ms`; the units are h, m, s, ms, us and ns.
pub(crate) fn parse_span(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut sum: i128 = 0;
    while !rest.is_empty() || text.len() < 2 {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        sum = span_in_range(sum + in_unit(number, unit_ns(unit)?)?)?;
        rest = next;
    }
    Some(sign * sum)
}

fn unit_ns(unit: &str) -> Option<i128> {
    Some(match unit {
        "h" => 3_600 * NS_PER_S,
        "m" => 60 * NS_PER_S,
        "s" => NS_PER_S,
        "ms" => NS_PER_MS,
        "us" => 1_000,
        "ns" => 1,
        _ => return None,
    })
}

/// What is below a nanosecond is cut off.
fn in_unit(number: &str, unit_ns: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || whole.len() > 21 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // An hour is below 10^13 nanoseconds: digits behind these make no difference.
    let fraction = fraction.get(..fraction.len().min(13))?;
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    whole.checked_mul(unit_ns)?.checked_add(part * unit_ns / scale)
}

/// RFC 3339 with as many digits of a second as it has.
pub(crate) fn write_instant(ns: i128) -> String {
    jiff::Timestamp::from_nanosecond(ns).map_or_else(|_| String::new(), |instant| instant.to_string())
}

/// In seconds, such as `5400s` or `-1.5s`.
pub(crate) fn write_span(ns: i128) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let (seconds, rest) = (ns.unsigned_abs() / 1_000_000_000, ns.unsigned_abs() % 1_000_000_000);
    let fraction = format!(".{rest:09}");
    let fraction = if rest == 0 { "" } else { fraction.trim_end_matches('0') };
    format!("{sign}{seconds}{fraction}s")
}

/// A part of an instant's date or time. Months, days of the month, of the week (Sunday first) and of the year are counted
/// from 0, as CEL has it; `Date` counts from 1.
pub(crate) fn part_of_instant(part: Part, ns: i128) -> Option<i128> {
    let instant = jiff::Timestamp::from_nanosecond(ns).ok()?;
    let at: DateTime = TimeZone::UTC.to_datetime(instant);
    Some(match part {
        Part::Year => i128::from(at.year()),
        Part::Month => i128::from(at.month()) - 1,
        Part::Date => i128::from(at.day()),
        Part::DayOfMonth => i128::from(at.day()) - 1,
        Part::DayOfWeek => i128::from(at.weekday().to_sunday_zero_offset()),
        Part::DayOfYear => i128::from(at.day_of_year()) - 1,
        Part::Hours => i128::from(at.hour()),
        Part::Minutes => i128::from(at.minute()),
        Part::Seconds => i128::from(at.second()),
        Part::Milliseconds => i128::from(at.subsec_nanosecond()) / NS_PER_MS,
    })
}

/// A duration in whole hours, minutes or seconds, or the milliseconds of its last second. It has no date.
pub(crate) fn part_of_span(part: Part, ns: i128) -> Option<i128> {
    Some(match part {
        Part::Hours => ns / (3_600 * NS_PER_S),
        Part::Minutes => ns / (60 * NS_PER_S),
        Part::Seconds => ns / NS_PER_S,
        Part::Milliseconds => ns % NS_PER_S / NS_PER_MS,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_they_are_written() {
        let table = [
            ("0", 0, "0s"),
            ("1h30m", 5_400 * NS_PER_S, "5400s"),
            ("-1.5s", -3 * NS_PER_S / 2, "-1.5s"),
            ("100ms", NS_PER_S / 10, "0.1s"),
            ("+1us1ns", 1_001, "0.000001001s"),
            (".5h", 1_800 * NS_PER_S, "1800s"),
            ("0.0000000009s", 0, "0s"),
        ];
        for (text, ns, written) in table {
            assert_eq!(parse_span(text), Some(ns), "{text}");
            assert_eq!(write_span(ns), written);
        }
        let bad = [
            "",
            "-",
            "1",
            "s",
            "1d",
            "1.s.s",
            "1..2s",
            ".s",
            "1h 2m",
            "é",
            "99999999999999999999999h",
            "--1s",
        ];
        for text in bad {
            assert_eq!(parse_span(text), None, "{text}");
        }
        assert_eq!(parse_span("315576000001s"), None, "more than ten thousand years");
    }

    #[test]
    fn an_instant_has_its_parts_in_utc() {
        // A Tuesday.
        let ns = parse_instant("2026-05-05T10:06:46.150+02:00").expect("an instant");
        assert_eq!(write_instant(ns), "2026-05-05T08:06:46.15Z");
        let parts = [
            (Part::Year, 2026),
            (Part::Month, 4),
            (Part::Date, 5),
            (Part::DayOfMonth, 4),
            (Part::DayOfWeek, 2),
            (Part::DayOfYear, 124),
            (Part::Hours, 8),
            (Part::Minutes, 6),
            (Part::Seconds, 46),
            (Part::Milliseconds, 150),
        ];
        for (part, expected) in parts {
            assert_eq!(part_of_instant(part, ns), Some(expected), "{part:?}");
        }
        assert_eq!(part_of_span(Part::Minutes, -90 * NS_PER_S), Some(-1));
        assert_eq!(part_of_span(Part::Year, NS_PER_S), None);
        for bad in ["", "2026-05-05", "10:06", "2026-13-05T10:06:46Z", "99999-01-01T00:00:00Z"] {
            assert_eq!(parse_instant(bad), None, "{bad}");
        }
    }
}
