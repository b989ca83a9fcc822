//! How long this program itself stood still: on a machine with much other work its threads may not run for a while, and then
//! it reads its clocks late. The judge allows for what was seen here, and for no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::stopwatch::{Span, Stopwatch};

const BEAT: Duration = Duration::from_millis(5);
/// Lateness that counts; what is below is well within every bound of the judge.
const NOTICED: Duration = Duration::from_millis(20);

pub(super) struct Heartbeat {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Span>>,
}

impl Heartbeat {
    pub(super) fn start(stopwatch: Stopwatch) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut stalls = Vec::new();
            while !until.load(Ordering::SeqCst) {
                let due = Instant::now() + BEAT;
                std::thread::sleep(BEAT);
                note(&mut stalls, &stopwatch, due, Instant::now());
            }
            stalls
        });
        Self { stop, thread }
    }

    /// All standstills, in their order.
    pub(super) fn finish(self) -> Result<Vec<Span>, String> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| "the heartbeat panicked".to_owned())
    }
}

fn note(stalls: &mut Vec<Span>, stopwatch: &Stopwatch, due: Instant, woke: Instant) {
    if woke.saturating_duration_since(due) >= NOTICED {
        stalls.push(Span::new(stopwatch.at(due), stopwatch.at(woke)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_late_is_a_standstill() {
        let (stopwatch, due, mut stalls) = (Stopwatch::start(), Instant::now(), Vec::new());
        note(&mut stalls, &stopwatch, due, due + NOTICED / 2);
        assert_eq!(stalls, []);
        note(&mut stalls, &stopwatch, due, due + 3 * NOTICED);
        assert_eq!(stalls.iter().map(|stall| stall.length()).collect::<Vec<_>>(), [60]);
    }

    #[test]
    fn a_heart_that_beats_ends_when_it_is_told_to() {
        let stalls = Heartbeat::start(Stopwatch::start()).finish().expect("it does not panic");
        assert!(stalls.is_sorted_by_key(|stall| stall.from));
    }
}
