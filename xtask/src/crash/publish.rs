//! Publishers that keep their pace whatever the server does, and remember exactly what was acknowledged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;
use signalpost_testkit::{HttpClient, Request, Response};

/// The agent that all events are about.
pub(super) const SUBJECT: &str = "agent1";
/// Event type of each lane.
pub(super) const TYPES: [&str; 2] = ["conversation_ended", "crash.tested"];

const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Makes an event as large as a usual one.
const PADDING_BYTES: usize = 400;

/// One delivery that is to happen: an event's number and the lane that it goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) lane: usize,
    pub(super) number: u64,
}

impl Key {
    /// Events go to the lanes in turn.
    fn of(number: u64) -> Self {
        Self { lane: usize::from(!number.is_multiple_of(2)), number }
    }
}

/// An event whose storage the server has confirmed.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    pub(super) key: Key,
    pub(super) sequence: u64,
}

/// What all publishers did.
#[derive(Debug, Default)]
pub(super) struct Published {
    pub(super) acknowledged: Vec<Acknowledged>,
    /// Requests that were not answered: the server may have stored them or not.
    pub(super) unanswered: u64,
    /// Requests answered with "come back later".
    pub(super) refused: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Load {
    pub(super) operator: SocketAddr,
    pub(super) key: String,
    /// Workspace of each lane.
    pub(super) workspaces: Vec<String>,
}

pub(super) struct Publishers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Result<Published, String>>>,
}

impl Publishers {
    pub(super) fn start(load: &Load, connections: u32, rate_per_s: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let numbers = Arc::new(AtomicU64::new(0));
        let interval = Duration::from_secs(1) * connections / rate_per_s;
        let spawn = |_| {
            let (load, stop, numbers) = (load.clone(), Arc::clone(&stop), Arc::clone(&numbers));
            std::thread::spawn(move || publish(&load, interval, &stop, &numbers))
        };
        let threads = (0..connections).map(spawn).collect();
        Self { stop, threads }
    }

    /// Stops publishing and joins what the connections remember.
    pub(super) fn finish(self) -> Result<Published, String> {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Published::default();
        for thread in self.threads {
            let one = thread.join().map_err(|_| "a publisher panicked".to_owned())??;
            all.acknowledged.extend(one.acknowledged);
            all.unanswered += one.unanswered;
            all.refused += one.refused;
        }
        Ok(all)
    }
}

fn publish(
    load: &Load,
    interval: Duration,
    stop: &AtomicBool,
    numbers: &AtomicU64,
) -> Result<Published, String> {
    let mut client = HttpClient::new(load.operator, ANSWER_TIMEOUT);
    let mut published = Published::default();
    let mut next_at = Instant::now();
    while !stop.load(Ordering::SeqCst) {
        std::thread::sleep(next_at.saturating_duration_since(Instant::now()));
        next_at += interval;
        let key = Key::of(numbers.fetch_add(1, Ordering::Relaxed));
        match client.send(&request(load, key)) {
            Ok(response) => published.answered(key, &response)?,
            Err(_) => published.unanswered += 1,
        }
    }
    Ok(published)
}

impl Published {
    /// Files an answer. Whatever is neither an acknowledgement nor "later" is a fault of the server.
    fn answered(&mut self, key: Key, response: &Response) -> Result<(), String> {
        match response.status {
            200..=299 => {
                let sequence = response.json()["sequence"].as_u64();
                let sequence = sequence.ok_or_else(|| format!("no sequence in {}", response.text()))?;
                self.acknowledged.push(Acknowledged { key, sequence });
            }
            429 | 503 => self.refused += 1,
            status => return Err(format!("publishing was answered with {status}: {}", response.text())),
        }
        Ok(())
    }
}

fn request(load: &Load, key: Key) -> Request {
    let Key { lane, number } = key;
    let path = format!("/v1/workspaces/{}/events", load.workspaces[lane]);
    let data = json!({"number": number, "padding": "x".repeat(PADDING_BYTES)});
    let event = json!({"type": TYPES[lane], "subject": SUBJECT, "data": data});
    Request::new("POST", &path).header("authorization", &format!("Bearer {}", load.key)).json(&event)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn only_a_2xx_with_a_sequence_is_an_acknowledgement() {
        let mut published = Published::default();
        let key = Key::of(3);
        assert_eq!(key.lane, 1);
        assert!(published.answered(key, &response(202, "{\"sequence\":7}")).is_ok());
        assert!(published.answered(key, &response(503, "")).is_ok());
        assert!(published.answered(key, &response(202, "{}")).is_err());
        assert!(published.answered(key, &response(500, "")).is_err());
        assert_eq!((published.acknowledged.len(), published.refused), (1, 1));
        assert_eq!(published.acknowledged[0].sequence, 7);
    }
}
