//! The figures of a measurement, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

#[derive(Debug)]
pub(super) struct Report {
    pub(super) binary_bytes: u64,
    pub(super) start_ms: f64,
    pub(super) idle_kib: u64,
    pub(super) latency: Latency,
    /// At half of the rate that fan-out 1 reached.
    pub(super) latency_at_half: Latency,
    pub(super) throughput: Vec<Throughput>,
    pub(super) peak_kib: u64,
    pub(super) stored: usize,
}

#[derive(Debug)]
pub(super) struct Throughput {
    pub(super) fan_out: usize,
    pub(super) deliveries: usize,
    pub(super) refused: usize,
    pub(super) per_second: f64,
    /// The server's CPU for each delivery.
    pub(super) cpu_us: f64,
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Latency {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Latency {
    /// Nearest-rank percentiles; `samples` is not empty.
    pub(super) fn of(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        let rank = |percent: usize| (samples.len() * percent).div_ceil(100).max(1) - 1;
        let ms = |percent| samples[rank(percent)].as_secs_f64() * 1_000.0;
        Self { p50_ms: ms(50), p99_ms: ms(99) }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.2} ms, p99 {:.2} ms", self.p50_ms, self.p99_ms)
    }
}

const MIB: f64 = 1024.0 * 1024.0;

impl Report {
    pub(super) fn to_json(&self) -> Value {
        let throughput = self.throughput.iter().map(|one| {
            json!({
                "fan_out": one.fan_out,
                "deliveries": one.deliveries,
                "refused": one.refused,
                "deliveries_per_s": one.per_second,
                "cpu_us_per_delivery": one.cpu_us,
            })
        });
        json!({
            "binary_bytes": self.binary_bytes,
            "start_to_ready_ms": self.start_ms,
            "idle_rss_kib": self.idle_kib,
            "peak_rss_kib": self.peak_kib,
            "stored_events": self.stored,
            "idle_latency_p50_ms": self.latency.p50_ms,
            "idle_latency_p99_ms": self.latency.p99_ms,
            "half_saturation_latency_p50_ms": self.latency_at_half.p50_ms,
            "half_saturation_latency_p99_ms": self.latency_at_half.p99_ms,
            "throughput": throughput.collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "binary              {:.1} MiB", self.binary_bytes as f64 / MIB)?;
        write!(f, "\nstart to ready      {:.0} ms", self.start_ms)?;
        write!(f, "\nresident, idle      {:.1} MiB", self.idle_kib as f64 / 1024.0)?;
        write!(f, "\nresident, peak      {:.1} MiB", self.peak_kib as f64 / 1024.0)?;
        write!(f, "\nstored before       {} events", self.stored)?;
        write!(f, "\nlatency, idle       {}", self.latency)?;
        write!(f, "\nlatency, half load  {}", self.latency_at_half)?;
        for one in &self.throughput {
            let Throughput { fan_out, deliveries, refused, per_second, cpu_us } = one;
            write!(
                f,
                "\nfan-out {fan_out:<11} {cpu_us:.1} us CPU per delivery, {per_second:.0} deliveries/s"
            )?;
            write!(f, " ({deliveries} in all, {refused} calls refused with \"later\")")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let samples = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(Latency::of(samples), Latency { p50_ms: 100.0, p99_ms: 198.0 });
        assert_eq!(Latency::of(vec![Duration::from_millis(7)]), Latency { p50_ms: 7.0, p99_ms: 7.0 });
    }
}
