//! Ages, times and sizes as people write them: `30d`, `500ms`, `20GiB`, `off`.

use std::time::Duration;

const TIMES: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60 * 1_000), ("h", 3_600 * 1_000), ("d", 24 * 3_600 * 1_000)];
const SIZES: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];
const OFF: &str = "off";

/// A time such as `10s` or `500ms`.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let ms = times(text, &TIMES);
    ms.map(Duration::from_millis)
        .ok_or_else(|| format!("`{text}` is not a time: a number with ms, s, m, h or d, such as 10s"))
}

/// An age of at least a second, `None` for `off`.
pub(crate) fn age(text: &str) -> Result<Option<Duration>, String> {
    if text == OFF {
        return Ok(None);
    }
    let ms = times(text, &TIMES[1..]).filter(|ms| *ms > 0);
    let age = ms.map(Duration::from_millis);
    age.map(Some).ok_or_else(|| {
        format!("`{text}` is not an age: a number above 0 with s, m, h or d, such as 30d, or `off`")
    })
}

/// A number of bytes, `None` for `off`.
pub(crate) fn bytes(text: &str) -> Result<Option<u64>, String> {
    if text == OFF {
        return Ok(None);
    }
    let bytes = times(text, &SIZES).filter(|bytes| *bytes > 0);
    bytes.map(Some).ok_or_else(|| {
        format!("`{text}` is not a size: a number above 0 with KiB, MiB, GiB or TiB, such as 20GiB, or `off`")
    })
}

/// Digits and a unit, as a number of the smallest unit.
fn times(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at(unit_at);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_nonsense_is_not() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("12h", 43_200), ("30d", 2_592_000)] {
            assert_eq!(age(text), Ok(Some(Duration::from_secs(seconds))), "{text}");
        }
        assert_eq!(age("off"), Ok(None));
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(bytes("20GiB"), Ok(Some(20 << 30)));
        assert_eq!(bytes("off"), Ok(None));
        for bad in
            ["", "30", "d", "-1d", "+1d", "1.5d", "30 d", "30D", "0s", "1w", "off ", "99999999999999999999d"]
        {
            assert!(age(bad).is_err() && bytes(bad).is_err(), "{bad}");
        }
        assert!(age("500ms").is_err() && bytes("20GB").is_err() && bytes("0KiB").is_err());
        assert!(time("213503982335d").is_err(), "beyond 64 bits of milliseconds");
    }
}
