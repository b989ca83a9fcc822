//! Instants as people fill them in: exact ones, or how long ago.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use signalpost_core::time::Timestamp;

/// Of the list that inputs refer to.
pub(crate) const AGES_ID: &str = "ages";
/// What may be filled in.
pub(crate) const HINT: &str =
    "An instant such as 2026-05-05T10:06Z (in UTC where it names no zone), or how long ago: 15m, 6h, 3d.";
/// What is proposed, and how it is called.
const AGES: [(&str, &str); 7] = [
    ("15m", "15 minutes ago"),
    ("1h", "an hour ago"),
    ("6h", "6 hours ago"),
    ("1d", "a day ago"),
    ("3d", "3 days ago"),
    ("7d", "a week ago"),
    ("30d", "30 days ago"),
];

/// As it was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Exact(Timestamp),
    Ago { seconds: u64 },
}

impl When {
    /// The error says what it must be.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let ago = |seconds| Self::Ago { seconds };
        let found = age(text).map(ago).or_else(|| instant(text).map(Self::Exact));
        found.ok_or_else(|| {
            "must be an instant such as 2026-05-05T10:06Z, or how long ago, such as 15m, 6h or 3d".to_owned()
        })
    }

    /// Seen from now, in whole seconds where it says how long ago: that is what an address can say.
    pub(crate) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Exact(at) => at,
            Self::Ago { seconds } => {
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
                Timestamp::from_ms(now.as_seconds().saturating_sub(seconds).max(0) * 1_000)
            }
        }
    }
}

/// What inputs with `list="ages"` propose.
pub(crate) fn ages() -> Markup {
    html! { datalist id=(AGES_ID) { @for (age, words) in AGES { option value=(age) { (words) } } } }
}

fn age(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let unit_s: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = text.strip_suffix(unit)?.trim_end();
    let number: u32 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(u64::from(number) * unit_s)
}

/// Cut to milliseconds.
fn instant(text: &str) -> Option<Timestamp> {
    let in_utc = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    let exact = text.parse::<jiff::Timestamp>().ok().or_else(|| in_utc().map(|zoned| zoned.timestamp()));
    exact.map(|at| Timestamp::from_ms(at.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_utc_unless_they_name_their_zone() {
        let exact = |text| match When::read(text) {
            Ok(When::Exact(at)) => Some(at.to_rfc3339_ms()),
            _ => None,
        };
        for (text, expected) in [
            ("2026-05-05T10:06:46.150Z", Some("2026-05-05T10:06:46.150Z")),
            ("2026-05-05T10:06Z", Some("2026-05-05T10:06:00.000Z")),
            ("2026-05-05T12:06+02:00", Some("2026-05-05T10:06:00.000Z")),
            ("2026-05-05T10:06", Some("2026-05-05T10:06:00.000Z")),
            ("2026-05-05 10:06:46", Some("2026-05-05T10:06:46.000Z")),
            ("2026-05-05", Some("2026-05-05T00:00:00.000Z")),
            ("2026-05-05T10:06+99:00", None),
            ("2026-02-30T10:06Z", None),
            ("10:06", None),
            ("1777975606", None),
            ("", None),
        ] {
            assert_eq!(exact(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn ages_count_back_from_now_to_whole_seconds() {
        let now = Timestamp::from_ms(10_000_500);
        for (text, expected) in [
            ("15m", Some(9_100_000)),
            ("0s", Some(10_000_000)),
            ("2 h", Some(2_800_000)),
            ("4294967295d", Some(0)),
            ("4294967296d", None),
            ("-1h", None),
            ("+1h", None),
            ("1w", None),
            ("h", None),
        ] {
            let at = When::read(text).ok().map(|when| when.at(now).as_ms());
            assert_eq!(at, expected, "{text}");
        }
        assert!(AGES.iter().all(|(text, _)| matches!(When::read(text), Ok(When::Ago { .. }))));
    }
}
