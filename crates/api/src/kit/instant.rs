//! Instants as callers write them: RFC 3339, nothing looser.

use signalpost_core::time::Timestamp;

/// 0001-01-01T00:00:00Z and the last millisecond of 9999, the years that RFC 3339 can write (but for year 0).
const FIRST_MS: i64 = -62_135_596_800_000;
const LAST_MS: i64 = 253_402_300_799_999;

/// Reads an instant, cut to milliseconds. The error is a sentence for the caller.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    let refused = || "must be an RFC 3339 instant such as 2026-05-05T10:06:46.150Z".to_owned();
    let parsed: Option<jiff::Timestamp> = text.parse().ok().filter(|_| has_form(text.as_bytes()));
    // Rounded down, so that a moment before the epoch does not become a later one.
    let ms = parsed.map(|instant| instant.as_nanosecond().div_euclid(1_000_000)).ok_or_else(refused)?;
    let ms = i64::try_from(ms).ok().filter(|ms| (FIRST_MS..=LAST_MS).contains(ms));
    ms.map(Timestamp::from_ms).ok_or_else(refused)
}

/// The parser also reads ISO 8601 forms and time-zone names that RFC 3339 does not have.
fn has_form(text: &[u8]) -> bool {
    let digits_at = |range: std::ops::Range<usize>| {
        text.get(range).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
    };
    let is_at = |index: usize, permitted: &[u8]| text.get(index).is_some_and(|byte| permitted.contains(byte));
    let date = digits_at(0..4) && is_at(4, b"-") && digits_at(5..7) && is_at(7, b"-") && digits_at(8..10);
    let time =
        is_at(10, b"Tt") && digits_at(11..13) && is_at(13, b":") && digits_at(14..16) && is_at(16, b":");
    if !(date && time && digits_at(17..19)) {
        return false;
    }
    let rest = &text[19..];
    let offset = match rest.split_first() {
        Some((b'.', fraction)) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            &fraction[digits..]
        }
        _ => rest,
    };
    let numeric = |offset: &[u8]| {
        let digit = |index: usize| offset[index].is_ascii_digit();
        offset.len() == 6
            && b"+-".contains(&offset[0])
            && digit(1)
            && digit(2)
            && offset[3] == b':'
            && digit(4)
            && digit(5)
    };
    matches!(offset, b"Z" | b"z") || numeric(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rfc_3339_and_nothing_else() {
        let table = [
            ("2026-05-05T10:06:46.150Z", 1_777_975_606_150),
            ("2026-05-05t10:06:46.150999z", 1_777_975_606_150),
            ("2026-05-05T12:06:46+02:00", 1_777_975_606_000),
            ("1969-12-31T23:59:59.9999Z", -1),
        ];
        for (text, ms) in table {
            assert_eq!(parse(text), Ok(Timestamp::from_ms(ms)), "{text}");
        }
        let bad = [
            "",
            "2026-05-05",
            "2026-05-05T10:06:46",
            "2026-05-05 10:06:46Z",
            "20260505T100646Z",
            "2026-05-05T10:06Z",
            "2026-05-05T10:06:46.Z",
            "2026-05-05T10:06:46+02",
            "2026-05-05T10:06:46Z[Europe/Amsterdam]",
            "2026-02-30T10:06:46Z",
            "2026-05-05T25:06:46Z",
            "+002026-05-05T10:06:46Z",
            "0000-06-01T00:00:00Z",
            "1777975606",
        ];
        for text in bad {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
