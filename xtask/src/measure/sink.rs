//! A receiver that takes everything, counts it, and times what says when it was due.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use signalpost_testkit::{Answer, Receiver};

use super::paced::MARK;

pub(super) struct Sink {
    receiver: Receiver,
    count: Arc<Count>,
}

#[derive(Default)]
struct Count {
    arrivals: AtomicUsize,
    /// Nanoseconds from `zero` to the latest arrival.
    last_ns: AtomicU64,
    /// From the scheduled time to the arrival, of deliveries that carry one.
    latencies: Mutex<Vec<Duration>>,
    zero: OnceLock<Instant>,
}

impl Sink {
    pub(super) fn start() -> Result<Self, String> {
        let count = Arc::new(Count::default());
        count.zero();
        let for_handler = Arc::clone(&count);
        let receiver = Receiver::start(Arc::new(move |request| {
            let since_zero = request.received_at.saturating_duration_since(for_handler.zero());
            let nanoseconds = u64::try_from(since_zero.as_nanos()).unwrap_or(u64::MAX);
            for_handler.last_ns.fetch_max(nanoseconds, Ordering::SeqCst);
            if let Some(due) = due_of(&request.body) {
                for_handler.latencies().push(since_zero.saturating_sub(due));
            }
            for_handler.arrivals.fetch_add(1, Ordering::SeqCst);
            Answer::status(200)
        }));
        let receiver = receiver.map_err(|error| format!("no receiver: {error}"))?;
        Ok(Self { receiver, count })
    }

    pub(super) fn url(&self, path: &str) -> String {
        self.receiver.url(path)
    }

    pub(super) fn since_zero(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.count.zero())
    }

    /// The latencies noted so far; from here on they are noted anew.
    pub(super) fn take_latencies(&self) -> Vec<Duration> {
        std::mem::take(&mut self.count.latencies())
    }

    pub(super) fn arrivals(&self) -> usize {
        self.count.arrivals.load(Ordering::SeqCst)
    }

    pub(super) fn last_arrival(&self) -> Instant {
        self.count.zero() + Duration::from_nanos(self.count.last_ns.load(Ordering::SeqCst))
    }
}

/// The scheduled time in a delivery's body, as time since the sink's zero.
fn due_of(body: &[u8]) -> Option<Duration> {
    let start = body.windows(MARK.len()).take(SEARCHED_BYTES).position(|window| window == MARK)? + MARK.len();
    let digits: String =
        body[start..].iter().take_while(|b| b.is_ascii_digit()).map(|b| char::from(*b)).collect();
    digits.parse().ok().map(Duration::from_nanos)
}

/// Where a mark can stand: behind the envelope's first members.
const SEARCHED_BYTES: usize = 256;

impl Count {
    fn latencies(&self) -> std::sync::MutexGuard<'_, Vec<Duration>> {
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn zero(&self) -> Instant {
        *self.zero.get_or_init(Instant::now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_when_a_delivery_was_due() {
        let body = br#"{"type":"measure.made","data":{"text":"due:1500;xxx"}}"#;
        assert_eq!(due_of(body), Some(Duration::from_nanos(1_500)));
        assert_eq!(due_of(br#"{"data":{"text":"xxx"}}"#), None);
    }
}
