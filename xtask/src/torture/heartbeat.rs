//! How long this program itself took to notice things: on a machine with much other work its receivers read late what has
//! come, and its clocks with it. A request over a connection of its own goes to a receiver all the time, and what it takes
//! beyond its usual time is a standstill. The judge allows for what was seen here, and for no more.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use signalpost_testkit::{HttpClient, Request};

use super::stopwatch::{Span, Stopwatch};

/// Where a receiver answers it, and writes nothing down.
pub(super) const PATH: &str = "/heartbeat";
const BEAT: Duration = Duration::from_millis(10);
/// Far above what an answer takes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Lateness that counts; what is below is well within every bound of the judge.
const NOTICED: Duration = Duration::from_millis(20);

pub(super) struct Heartbeat {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Span>>,
}

impl Heartbeat {
    /// `receiver` is one that never goes away.
    pub(super) fn start(stopwatch: Stopwatch, receiver: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut stalls = Vec::new();
            while !until.load(Ordering::SeqCst) {
                let due = Instant::now() + BEAT;
                std::thread::sleep(BEAT);
                // Without an answer it stood still as well.
                drop(HttpClient::new(receiver, ANSWER_TIMEOUT).send(&Request::new("GET", PATH)));
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
    use signalpost_testkit::{Answer, Handler, Receiver};

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
        let slow: Handler = Arc::new(|request| {
            assert_eq!(request.path, PATH);
            Answer::status(200).after(2 * NOTICED)
        });
        let receiver = Receiver::start(slow).expect("a free port");
        let heartbeat = Heartbeat::start(Stopwatch::start(), receiver.address());
        let began = Instant::now();
        std::thread::sleep(5 * NOTICED);
        let stalls = heartbeat.finish().expect("it does not panic");
        assert!(stalls.is_sorted_by_key(|stall| stall.from) && !stalls.is_empty(), "{:?}", began.elapsed());
    }
}
