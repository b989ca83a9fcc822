//! Instants and durations with their unit in the type, and their RFC 3339 text.

use std::fmt;

/// A wall-clock instant in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as signature schemes want them.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self`; zero when `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> i64 {
        let ms = self.0.saturating_sub(earlier.0);
        if ms < 0 { 0 } else { ms }
    }

    /// RFC 3339 in UTC with milliseconds, for example `2026-05-05T10:06:46.150Z`.
    pub fn to_rfc3339_ms(self) -> String {
        format!("{}.{:03}Z", self.to_the_second(), self.0.rem_euclid(1_000))
    }

    /// RFC 3339 in UTC in whole seconds, those begun left out: for example `2026-05-05T10:06:46Z`.
    pub fn to_rfc3339_s(self) -> String {
        format!("{}Z", self.to_the_second())
    }

    fn to_the_second(self) -> String {
        let (year, month, day) = civil_from_days(self.0.div_euclid(86_400_000));
        let seconds = self.0.rem_euclid(86_400_000) / 1_000;
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339_ms())
    }
}

/// A reading of a clock that never goes back, in microseconds since an arbitrary start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(u64);

impl Monotonic {
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// Microseconds from `earlier` to `self`; zero when `earlier` is later.
    pub const fn us_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Proleptic Gregorian date of a day number counted from 1970-01-01.
///
/// The era arithmetic counts years from 1 March, so that the leap day is the last day of a year.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_instants_with_known_text() {
        let table = [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_777_975_606_150, "2026-05-05T10:06:46.150Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (ms, text) in table {
            assert_eq!(Timestamp::from_ms(ms).to_rfc3339_ms(), text);
            assert_eq!(Timestamp::from_ms(ms).to_rfc3339_s(), format!("{}Z", &text[..19]));
        }
    }

    #[test]
    fn differences_never_go_below_zero() {
        let (early, late) = (Timestamp::from_ms(5), Timestamp::from_ms(9));
        assert_eq!(late.ms_since(early), 4);
        assert_eq!(early.ms_since(late), 0);
    }
}
