//! What the receiver has seen: when each delivery came, and how late live events were.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use signalpost_testkit::{Answer, Receiver, Recorded};

/// A path for what is replayed, and one for live events of another webhook.
pub(super) const TARGET: &str = "/target";
pub(super) const BYSTANDER: &str = "/bystander";

pub(super) struct Arrivals {
    began: Instant,
    is_broken: AtomicBool,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    /// By number of the event: when each copy came that was taken.
    replayed: Vec<Vec<Instant>>,
    count: usize,
    /// By path, the target first: how late live events came.
    live: [Vec<Duration>; 2],
}

impl Arrivals {
    /// A receiver for so many deliveries that are to be replayed. It refuses them until it is mended.
    pub(super) fn start(deliveries: usize) -> Result<(Arc<Self>, Receiver), String> {
        let pages = Pages { replayed: vec![Vec::new(); deliveries], ..Pages::default() };
        let (began, is_broken) = (Instant::now(), AtomicBool::new(true));
        let arrivals = Arc::new(Self { began, is_broken, pages: Mutex::new(pages) });
        let takes = Arc::clone(&arrivals);
        let receiver = Receiver::start(Arc::new(move |request| takes.take(&request)));
        Ok((arrivals, receiver.map_err(|error| format!("no receiver: {error}"))?))
    }

    fn take(&self, request: &Recorded) -> Answer {
        let data = &request.json()["data"];
        if let Some(due_us) = data["due_us"].as_u64() {
            let late =
                request.received_at.duration_since(self.began).saturating_sub(Duration::from_micros(due_us));
            self.pages().live[usize::from(request.path != TARGET)].push(late);
            return Answer::status(200);
        }
        if self.is_broken.load(Ordering::SeqCst) {
            return Answer::status(500);
        }
        let mut pages = self.pages();
        let number = data["number"].as_u64().and_then(|number| usize::try_from(number).ok());
        let Some(copies) = number.and_then(|number| pages.replayed.get_mut(number)) else {
            return Answer::status(400);
        };
        copies.push(request.received_at);
        pages.count += 1;
        Answer::status(200)
    }

    pub(super) fn mend(&self) {
        self.is_broken.store(false, Ordering::SeqCst);
    }

    /// Microseconds since it began, for live events.
    pub(super) fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Copies of replayed deliveries that came so far.
    pub(super) fn count(&self) -> usize {
        self.pages().count
    }

    /// Copies that came between two moments.
    pub(super) fn between(&self, from: Instant, to: Instant) -> usize {
        self.pages().replayed.iter().flatten().filter(|at| (from..to).contains(at)).count()
    }

    /// Takes out how late live events were, the target's first.
    pub(super) fn take_live(&self) -> [Vec<Duration>; 2] {
        std::mem::take(&mut self.pages().live)
    }

    /// Deliveries that never came, and the first copies of those that came more than once.
    pub(super) fn missing_and_repeated(&self) -> (usize, Vec<Instant>) {
        let pages = self.pages();
        let missing = pages.replayed.iter().filter(|copies| copies.is_empty()).count();
        let repeated = pages.replayed.iter().filter(|copies| copies.len() > 1);
        (missing, repeated.filter_map(|copies| copies.iter().min().copied()).collect())
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
