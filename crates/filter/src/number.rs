//! Numbers: integers from -2^63 to 2^64 - 1 and doubles, on one line.

use std::cmp::Ordering;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Int(i128),
    Double(f64),
}

/// The integer, if it is in the range of integers.
pub(crate) fn in_range(value: i128) -> Option<i128> {
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(value)
}

impl Number {
    /// By what they are worth, exactly; `None` when one is not a number.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(&right)),
            (Self::Double(left), Self::Double(right)) => left.partial_cmp(&right),
            (Self::Int(left), Self::Double(right)) => with_double(left, right),
            (Self::Double(left), Self::Int(right)) => with_double(right, left).map(Ordering::reverse),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a double is asked for")]
    pub(crate) const fn to_double(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Double(value) => value,
        }
    }

    /// The integer that it is, `None` when it has a fraction or is too large.
    pub(crate) fn to_int(self) -> Option<i128> {
        match self {
            Self::Int(value) => Some(value),
            Self::Double(value) if value.trunc() == value => truncated(value),
            Self::Double(_) => None,
        }
    }
}

/// Towards zero, `None` when it is out of the range of integers.
pub(crate) fn truncated(value: f64) -> Option<i128> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and the range is judged after it"
    )]
    let whole = value.trunc() as i128;
    if value.is_nan() { None } else { in_range(whole) }
}

/// No integer is turned into a double for this: above 2^53 it would lose what tells it apart.
fn with_double(left: i128, right: f64) -> Option<Ordering> {
    if right.is_nan() {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates far beyond any integer of ours")]
    let whole = right.trunc() as i128;
    let fraction = right - right.trunc();
    Some(left.cmp(&whole).then_with(|| 0.0_f64.total_cmp(&(fraction + 0.0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_doubles_stand_on_one_line() {
        use Ordering::{Equal, Greater, Less};
        let table = [
            (1, 1.0, Equal),
            (0, -0.0, Equal),
            (1, 1.5, Less),
            (-1, -1.5, Greater),
            (-2, -1.5, Less),
            (9_007_199_254_740_993, 9_007_199_254_740_992.0, Greater),
            (i128::from(u64::MAX), 18_446_744_073_709_551_616.0, Less),
            (i128::from(i64::MIN), -9_223_372_036_854_775_808.0, Equal),
            (5, f64::INFINITY, Less),
            (5, f64::NEG_INFINITY, Greater),
        ];
        for (int, double, expected) in table {
            assert_eq!(Number::Int(int).compare(Number::Double(double)), Some(expected), "{int} {double}");
            let reversed = Number::Double(double).compare(Number::Int(int));
            assert_eq!(reversed, Some(expected.reverse()), "{double} {int}");
        }
        assert_eq!(Number::Int(1).compare(Number::Double(f64::NAN)), None);
    }

    #[test]
    fn doubles_become_integers_only_in_their_range() {
        assert_eq!(truncated(-1.9), Some(-1));
        assert_eq!(truncated(1e30), None);
        assert_eq!(truncated(f64::NAN), None);
        assert_eq!(Number::Double(3.0).to_int(), Some(3));
        assert_eq!(Number::Double(3.5).to_int(), None);
        assert_eq!(Number::Double(f64::INFINITY).to_int(), None);
    }
}
