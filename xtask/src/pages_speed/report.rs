//! What was measured, as a table and as a verdict.

use std::time::Duration;

use crate::Outcome;

/// Times of one page, or of one list page by page.
pub(super) struct Measured {
    name: String,
    times: Vec<Duration>,
    bytes_max: usize,
}

impl Measured {
    pub(super) fn of(name: &str) -> Self {
        Self { name: name.to_owned(), times: Vec::new(), bytes_max: 0 }
    }

    pub(super) fn add(&mut self, took: Duration, bytes: usize) {
        self.times.push(took);
        self.bytes_max = self.bytes_max.max(bytes);
    }

    pub(super) fn count(&self) -> usize {
        self.times.len()
    }

    /// The time that so many of a hundred did not exceed; zero without any.
    fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.times.clone();
        sorted.sort_unstable();
        let wanted = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(wanted).copied().unwrap_or_default()
    }
}

pub(super) fn print(all: &[Measured]) {
    println!("| page | fetched | p50 ms | p95 ms | max ms | KB |");
    println!("|---|---:|---:|---:|---:|---:|");
    for measured in all {
        let [p50, p95, max] =
            [50, 95, 100].map(|percent| measured.percentile(percent).as_secs_f64() * 1_000.0);
        let (count, kilobytes) = (measured.count(), measured.bytes_max.div_ceil(1_000));
        println!("| {} | {count} | {p50:.1} | {p95:.1} | {max:.1} | {kilobytes} |", measured.name);
    }
}

/// Names what is too slow.
pub(super) fn judge(all: &[Measured], limit: Duration) -> Outcome {
    let slow: Vec<&str> = all
        .iter()
        .filter(|measured| measured.percentile(95) >= limit)
        .map(|measured| measured.name.as_str())
        .collect();
    if slow.is_empty() {
        return Ok(());
    }
    Err(format!("the 95th percentile is {} ms or more of: {}", limit.as_millis(), slow.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(name: &str, times_ms: impl IntoIterator<Item = u64>) -> Measured {
        let mut measured = Measured::of(name);
        times_ms.into_iter().for_each(|ms| measured.add(Duration::from_millis(ms), 1));
        measured
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let one = measured("a page", (1..=100).rev());
        let of = |percent| one.percentile(percent).as_millis();
        assert_eq!([of(50), of(95), of(100)], [50, 95, 100]);
        assert_eq!(measured("a page", []).percentile(95), Duration::ZERO);
        assert_eq!(measured("a page", [7]).percentile(50).as_millis(), 7);
    }

    #[test]
    fn what_reaches_the_limit_fails_and_a_few_slow_ones_do_not() {
        let limit = Duration::from_millis(100);
        let mostly_quick = (0..100).map(|n| if n < 95 { 99 } else { 5_000 });
        assert_eq!(judge(&[measured("quick", mostly_quick)], limit), Ok(()));
        let slow = (0..100).map(|n| if n < 94 { 1 } else { 100 });
        let verdict = judge(&[measured("quick", [1]), measured("slow", slow)], limit);
        assert!(verdict.is_err_and(|error| error.ends_with(": slow")));
    }
}
