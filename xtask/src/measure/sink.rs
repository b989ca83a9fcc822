//! A receiver that takes everything, counts it and looks at nothing.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use signalpost_testkit::{Answer, Receiver};

pub(super) struct Sink {
    receiver: Receiver,
    count: Arc<Count>,
}

#[derive(Default)]
struct Count {
    arrivals: AtomicUsize,
    /// Nanoseconds from `zero` to the latest arrival.
    last_ns: AtomicU64,
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
            for_handler.arrivals.fetch_add(1, Ordering::SeqCst);
            Answer::status(200)
        }));
        let receiver = receiver.map_err(|error| format!("no receiver: {error}"))?;
        Ok(Self { receiver, count })
    }

    pub(super) fn url(&self, path: &str) -> String {
        self.receiver.url(path)
    }

    pub(super) fn arrivals(&self) -> usize {
        self.count.arrivals.load(Ordering::SeqCst)
    }

    pub(super) fn last_arrival(&self) -> Instant {
        self.count.zero() + Duration::from_nanos(self.count.last_ns.load(Ordering::SeqCst))
    }
}

impl Count {
    fn zero(&self) -> Instant {
        *self.zero.get_or_init(Instant::now)
    }
}
