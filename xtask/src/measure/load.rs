//! Publishers that send the next event as soon as the last one is acknowledged.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signalpost_testkit::{HttpClient, Request};

const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a publisher waits that was told to come back later.
const LATER: Duration = Duration::from_millis(5);
/// Events of one batch while filling.
const BATCH: usize = 500;

/// Where to publish.
#[derive(Clone, Debug)]
pub(super) struct Workspace {
    pub(super) address: SocketAddr,
    pub(super) key: String,
    pub(super) id: String,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) connections: usize,
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Published {
    pub(super) accepted: usize,
    /// Calls that were told to come back later.
    pub(super) refused: usize,
}

enum Answered {
    Accepted,
    Later,
}

impl Workspace {
    pub(super) fn client(&self) -> HttpClient {
        HttpClient::new(self.address, ANSWER_TIMEOUT)
    }

    /// One event whose data has this many bytes.
    pub(super) fn request(&self, bytes: usize) -> Request {
        self.post("events").json(&event(bytes))
    }

    pub(super) fn post(&self, what: &str) -> Request {
        let path = format!("/v1/workspaces/{}/{what}", self.id);
        Request::new("POST", &path).header("authorization", &format!("Bearer {}", self.key))
    }
}

impl Load {
    pub(super) fn run(self, workspace: &Workspace) -> Result<Published, String> {
        let end = Instant::now() + self.time;
        let request = workspace.request(self.bytes);
        thread::scope(|scope| {
            let spawn = |_| scope.spawn(|| publish_until(workspace, &request, end));
            let threads: Vec<_> = (0..self.connections).map(spawn).collect();
            let mut all = Published::default();
            for thread in threads {
                let one = thread.join().map_err(|_| "a publisher panicked".to_owned())??;
                all.accepted += one.accepted;
                all.refused += one.refused;
            }
            Ok(all)
        })
    }
}

fn publish_until(workspace: &Workspace, request: &Request, end: Instant) -> Result<Published, String> {
    let mut client = workspace.client();
    let mut published = Published::default();
    while Instant::now() < end {
        match send(&mut client, request)? {
            Answered::Accepted => published.accepted += 1,
            Answered::Later => {
                published.refused += 1;
                thread::sleep(LATER);
            }
        }
    }
    Ok(published)
}

/// Publishes one event that must be taken.
pub(super) fn publish_one(client: &mut HttpClient, request: &Request) -> Result<(), String> {
    match send(client, request)? {
        Answered::Accepted => Ok(()),
        Answered::Later => Err("an idle server refused an event".to_owned()),
    }
}

/// Publishes events in batches.
pub(super) fn fill(workspace: &Workspace, events: usize, bytes: usize) -> Result<(), String> {
    let mut client = workspace.client();
    let mut left = events;
    while left > 0 {
        let count = left.min(BATCH);
        let batch = Value::Array(vec![event(bytes); count]);
        match send(&mut client, &workspace.post("events/batch").json(&batch))? {
            Answered::Accepted => left -= count,
            Answered::Later => thread::sleep(LATER),
        }
    }
    Ok(())
}

fn send(client: &mut HttpClient, request: &Request) -> Result<Answered, String> {
    let response = client.send(request).map_err(|error| format!("publishing was not answered: {error}"))?;
    match response.status {
        200..=299 => Ok(Answered::Accepted),
        429 | 503 => Ok(Answered::Later),
        status => Err(format!("publishing was answered with {status}: {}", response.text())),
    }
}

/// An event whose data is a JSON object of exactly this many bytes (at least 10).
fn event(bytes: usize) -> Value {
    let around = json!({"text": ""}).to_string().len();
    event_with_text(&"x".repeat(bytes.saturating_sub(around)))
}

pub(super) fn event_with_text(text: &str) -> Value {
    json!({"type": "measure.made", "data": {"text": text}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_has_the_size_that_was_asked_for() {
        assert_eq!(event(512)["data"].to_string().len(), 512);
    }
}
