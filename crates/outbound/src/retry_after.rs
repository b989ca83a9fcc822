//! Reads the `Retry-After` header of an answer (RFC 9110 section 10.2.3).

use std::time::{Duration, SystemTime};

use http::HeaderValue;
use signalpost_core::time::Timestamp;

/// The wait that a receiver asks for, counted from `now`.
///
/// A date that has passed is a wait of zero; what is neither seconds nor a date is no wish at all. The value is
/// not bounded here: whoever decides on the retry does that.
pub(crate) fn parse(value: &HeaderValue, now: Timestamp) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Only a number that does not fit can fail here, and that is a wish for ever.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let since_epoch = date.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now_ms = u64::try_from(now.as_ms()).unwrap_or_default();
    Some(since_epoch.saturating_sub(Duration::from_millis(now_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_become_waits() {
        // 1994-11-06 08:49:37 UTC, the example of RFC 9110.
        let now = Timestamp::from_ms(784_111_777_000);
        let table = [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 7 ", Some(7_000)),
            ("Sun, 06 Nov 1994 08:49:39 GMT", Some(2_000)),
            ("Sunday, 06-Nov-94 08:49:38 GMT", Some(1_000)),
            ("Sun Nov  6 08:50:37 1994", Some(60_000)),
            ("Sun, 06 Nov 1994 08:49:36 GMT", Some(0)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("soon", None),
            ("Sun, 99 Nov 1994 08:49:36 GMT", None),
        ];
        for (text, expected_ms) in table {
            let value = HeaderValue::from_str(text).expect("a header value");
            assert_eq!(parse(&value, now), expected_ms.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn absurd_waits_do_not_overflow() {
        let value = HeaderValue::from_static("99999999999999999999999999999");
        assert_eq!(parse(&value, Timestamp::from_ms(0)), Some(Duration::from_secs(u64::MAX)));
        let value = HeaderValue::from_bytes(b"\xff").expect("a header value");
        assert_eq!(parse(&value, Timestamp::from_ms(-5)), None);
    }
}
