//! Publishers that keep their pace whatever the server does, repeat what was not answered, and remember exactly what was
//! said to them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use signalpost_testkit::{HttpClient, Request, Response, Rng};

use super::book::{Book, Event, Fate};
use super::call::{Call, Receipt};
use super::events::DIALECTS;
use super::faults::Faults;
use super::stopwatch::{Ms, Span, Stopwatch};

/// Shorter than a freeze: what is given up here may be done all the same once the server goes on.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Before an unanswered call is repeated.
const REPEAT_AFTER: Duration = Duration::from_millis(40);
/// A publisher that fell behind catches up this much and no more.
const BEHIND_MAX: Duration = Duration::from_secs(1);
/// One answered call in so many is sent once more.
const REPLAY_ONE_IN: u64 = 40;
/// For what is unanswered when the troubles are over.
const LAST_ANSWERS: Duration = Duration::from_secs(60);

/// What others may know of the publishers while they work.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    pub(super) acknowledged: AtomicU64,
    /// Refusals because there is no room.
    pub(super) no_room: AtomicU64,
}

#[derive(Clone)]
pub(super) struct Load {
    /// Of every server.
    pub(super) operators: Vec<SocketAddr>,
    pub(super) key: String,
    /// Ids of the workspaces.
    pub(super) workspaces: Vec<String>,
    pub(super) stopwatch: Stopwatch,
    pub(super) faults: Arc<Faults>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) seed: u64,
    /// How long after an unanswered call its events may still be stored.
    pub(super) stored_late_ms: Ms,
}

pub(super) struct Publishers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Book>>,
}

impl Publishers {
    pub(super) fn start(load: &Load, connections: u32, rate_per_s: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let numbers = Arc::new(AtomicU32::new(0));
        let interval = Duration::from_secs(1) * connections / rate_per_s;
        let spawn = |index: u32| {
            let (load, stop, numbers) = (load.clone(), Arc::clone(&stop), Arc::clone(&numbers));
            std::thread::spawn(move || Publisher::new(load, index).work(interval, &stop, &numbers))
        };
        let threads = (0..connections).map(spawn).collect();
        Self { stop, threads }
    }

    /// Stops publishing, has everything answered that can be repeated, and joins what was said.
    pub(super) fn finish(self) -> Result<Book, String> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Book::default();
        for thread in self.threads {
            all.absorb(thread.join().map_err(|_| "a publisher panicked".to_owned())?);
        }
        Ok(all)
    }
}

/// A call that was sent.
struct Sent {
    call: Call,
    first_sent: Ms,
    /// Sent before, and not answered.
    is_repeated: bool,
}

struct Publisher {
    load: Load,
    /// One for each server.
    clients: Vec<HttpClient>,
    /// The server that is called, until it does not answer.
    at: usize,
    rng: Rng,
    book: Book,
    unanswered: VecDeque<Sent>,
    repeat_at: Instant,
}

impl Publisher {
    fn new(load: Load, index: u32) -> Self {
        let clients: Vec<HttpClient> =
            load.operators.iter().map(|operator| HttpClient::new(*operator, ANSWER_TIMEOUT)).collect();
        let at = index as usize % clients.len();
        let rng = Rng::new(load.seed ^ u64::from(index + 1) << 48);
        let (book, unanswered) = (Book::default(), VecDeque::new());
        Self { load, clients, at, rng, book, unanswered, repeat_at: Instant::now() }
    }

    fn work(mut self, per_event: Duration, stop: &AtomicBool, numbers: &AtomicU32) -> Book {
        let mut next_at = Instant::now();
        while !stop.load(Ordering::SeqCst) {
            let now = Instant::now();
            if now >= self.repeat_at && !self.unanswered.is_empty() {
                self.repeat();
            } else if now >= next_at {
                let (count, call) = Call::draw(&mut self.rng, DIALECTS.len());
                let call = call(numbers.fetch_add(count, Ordering::Relaxed));
                let behind = now.checked_sub(BEHIND_MAX).unwrap_or(now);
                next_at = next_at.max(behind) + per_event * count;
                self.send(Sent { call, first_sent: self.load.stopwatch.now(), is_repeated: false });
            } else {
                let until = if self.unanswered.is_empty() { next_at } else { next_at.min(self.repeat_at) };
                std::thread::sleep(until.saturating_duration_since(now));
            }
        }
        self.finish()
    }

    /// Repeats until everything that can be repeated was answered.
    fn finish(mut self) -> Book {
        let deadline = Instant::now() + LAST_ANSWERS;
        while !self.unanswered.is_empty() && Instant::now() < deadline {
            std::thread::sleep(self.repeat_at.saturating_duration_since(Instant::now()));
            self.repeat();
        }
        for sent in std::mem::take(&mut self.unanswered) {
            self.load.faults.add(format!(
                "the call of event {} was repeated in vain for {} s",
                sent.call.first,
                LAST_ANSWERS.as_secs()
            ));
            self.enter_unknown(&sent);
        }
        self.book
    }

    fn repeat(&mut self) {
        if let Some(sent) = self.unanswered.pop_front() {
            self.book.repeated += 1;
            self.send(Sent { is_repeated: true, ..sent });
        }
    }

    fn send(&mut self, sent: Sent) {
        let request = sent.call.request(&self.load.workspaces[sent.call.workspace], &self.load.key);
        match self.call(&request) {
            Ok(response) => self.answered(sent, &response),
            Err(_) if sent.call.can_be_repeated() => self.put_off(sent),
            Err(_) => self.enter_unknown(&sent),
        }
    }

    /// What is not answered goes to another server the next time.
    fn call(&mut self, request: &Request) -> std::io::Result<Response> {
        let answer = self.clients[self.at].send(request);
        if answer.is_err() {
            self.at = (self.at + 1) % self.clients.len();
        }
        answer
    }

    fn put_off(&mut self, sent: Sent) {
        self.unanswered.push_back(Sent { is_repeated: true, ..sent });
        self.repeat_at = Instant::now() + REPEAT_AFTER;
    }

    fn answered(&mut self, sent: Sent, response: &Response) {
        match response.status {
            200..=299 => match sent.call.receipts(response) {
                Ok(receipts) => {
                    self.enter(&sent, &receipts);
                    if sent.call.can_be_repeated() && self.rng.below(REPLAY_ONE_IN) == 0 {
                        self.replay(&sent.call, &receipts);
                    }
                }
                Err(fault) => self.load.faults.add(fault),
            },
            429 | 503 | 507 => {
                self.book.refused_calls += 1;
                if response.status == 507 {
                    self.load.pulse.no_room.fetch_add(1, Ordering::SeqCst);
                }
                if sent.is_repeated {
                    // It may have been stored the first time; only its own answer tells.
                    self.put_off(sent);
                } else {
                    self.enter_all(&sent, Fate::Refused);
                }
            }
            status => {
                let text = response.text();
                self.load.faults.add(format!("publishing was answered with {status}: {text}"));
                self.enter_unknown(&sent);
            }
        }
    }

    /// Sends an answered call once more, which must change nothing.
    fn replay(&mut self, call: &Call, receipts: &[Receipt]) {
        let request = call.request(&self.load.workspaces[call.workspace], &self.load.key);
        let Ok(response) = self.call(&request) else { return };
        if !(200..=299).contains(&response.status) {
            return;
        }
        self.book.replayed += 1;
        let again = call.receipts(&response);
        if again.as_deref() != Ok(receipts) {
            let fault = format!(
                "the repeated call of event {} was answered with {again:?} after {receipts:?}",
                call.first
            );
            self.load.faults.add(fault);
        }
    }

    fn enter(&mut self, sent: &Sent, receipts: &[Receipt]) {
        self.load.pulse.acknowledged.fetch_add(receipts.len() as u64, Ordering::SeqCst);
        let asked = Span::new(sent.first_sent, self.load.stopwatch.now());
        for (number, receipt) in sent.call.numbers().zip(receipts) {
            self.book.enter(Event {
                number,
                workspace: sent.call.workspace,
                fate: Fate::Acknowledged,
                id: receipt.id.as_str().into(),
                sequence: receipt.sequence,
                targets: receipt.targets,
                asked,
                stored_late_ms: 0,
            });
        }
    }

    fn enter_unknown(&mut self, sent: &Sent) {
        self.enter_all(sent, Fate::Unknown);
    }

    fn enter_all(&mut self, sent: &Sent, fate: Fate) {
        let asked = Span::new(sent.first_sent, self.load.stopwatch.now());
        for number in sent.call.numbers() {
            let (workspace, id, stored_late_ms) = (sent.call.workspace, "".into(), self.load.stored_late_ms);
            let (sequence, targets) = (0, 0);
            self.book.enter(Event { number, workspace, fate, id, sequence, targets, asked, stored_late_ms });
        }
    }
}
