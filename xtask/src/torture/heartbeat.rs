//! How long the machine itself kept things waiting. With much other work the receivers read late what has come, and clocks
//! with it: a request over a connection of its own goes to a receiver all the time. And a disk that others write to syncs
//! late, which keeps outcomes from being recorded: a small file beside the data's disk is synced all the time. What takes
//! longer than its usual time is a standstill, and the judge allows for it beside fixed margins.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use signalpost_testkit::{HttpClient, Request};

use super::stopwatch::{Span, Stopwatch};

/// Where a receiver answers it, and writes nothing down.
pub(super) const PATH: &str = "/heartbeat";
const BEAT: Duration = Duration::from_millis(10);
/// Seldom enough to be no load of its own.
const SYNC_BEAT: Duration = Duration::from_millis(50);
/// Far above what an answer takes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Lateness that counts; what is below is well within every bound of the judge.
const NOTICED: Duration = Duration::from_millis(20);

pub(super) struct Heartbeat {
    stop: Arc<AtomicBool>,
    requests: JoinHandle<Vec<Span>>,
    syncs: JoinHandle<std::io::Result<Vec<Span>>>,
}

/// All standstills, in their order.
#[derive(Debug)]
pub(super) struct Standstills {
    /// Of this program.
    pub(super) stalls: Vec<Span>,
    /// Of the disk.
    pub(super) slow_syncs: Vec<Span>,
}

impl Heartbeat {
    /// `receiver` is one that never goes away, and `file` lies on the disk below the data's.
    pub(super) fn start(stopwatch: Stopwatch, receiver: SocketAddr, file: &Path) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let file = File::create(file)?;
        let requests = {
            let until = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut stalls = Vec::new();
                while !until.load(Ordering::SeqCst) {
                    let due = Instant::now() + BEAT;
                    std::thread::sleep(BEAT);
                    // Without an answer it stood still as well.
                    drop(HttpClient::new(receiver, ANSWER_TIMEOUT).send(&Request::new("GET", PATH)));
                    note(&mut stalls, &stopwatch, due, Instant::now());
                }
                stalls
            })
        };
        let syncs = {
            let until = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut slow = Vec::new();
                while !until.load(Ordering::SeqCst) {
                    std::thread::sleep(SYNC_BEAT);
                    let due = Instant::now();
                    file.write_all_at(&[0], 0)?;
                    file.sync_data()?;
                    note(&mut slow, &stopwatch, due, Instant::now());
                }
                Ok(slow)
            })
        };
        Ok(Self { stop, requests, syncs })
    }

    pub(super) fn finish(self) -> Result<Standstills, String> {
        self.stop.store(true, Ordering::SeqCst);
        let stalls = self.requests.join().map_err(|_| "the heartbeat panicked".to_owned())?;
        let slow_syncs = self.syncs.join().map_err(|_| "the heartbeat of the disk panicked".to_owned())?;
        let slow_syncs = slow_syncs.map_err(|error| format!("the disk below the data's: {error}"))?;
        Ok(Standstills { stalls, slow_syncs })
    }
}

fn note(stalls: &mut Vec<Span>, stopwatch: &Stopwatch, due: Instant, woke: Instant) {
    if woke.saturating_duration_since(due) >= NOTICED {
        stalls.push(Span::new(stopwatch.at(due), stopwatch.at(woke)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use signalpost_testkit::{Answer, Handler, Receiver, TempDir};

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
        let (beat, beats) = mpsc::channel();
        let slow: Handler = Arc::new(move |request| {
            assert_eq!(request.path, PATH);
            // Nobody waits for the later ones.
            let _ = beat.send(());
            Answer::status(200).after(2 * NOTICED)
        });
        let receiver = Receiver::start(slow).expect("a free port");
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("beat");
        let heartbeat = Heartbeat::start(Stopwatch::start(), receiver.address(), &file).expect("a file");
        beats.recv_timeout(ANSWER_TIMEOUT).expect("it beats");
        let stalls = heartbeat.finish().expect("it does not panic").stalls;
        assert!(stalls.is_sorted_by_key(|stall| stall.from) && !stalls.is_empty());
    }
}
