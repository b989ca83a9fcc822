//! The requests of a run as bytes, built for each event without a document tree: the generator shares the machine with
//! what it measures.

use std::net::SocketAddr;
use std::ops::Range;

use serde_json::Value;
use signalpost_core::id::EventId;

use super::group::Group;

/// Stands in an event's data before its number.
pub(super) const NUMBER_MARK: &str = "\"n\":\"";
const NUMBER_DIGITS: usize = 16;
/// Around the filler: `{"n":"0000000000000000","text":""}`.
const FRAME_BYTES: usize = NUMBER_MARK.len() + NUMBER_DIGITS + r#"{","text":""}"#.len();
/// The smallest data of an event.
pub(super) const PAYLOAD_BYTES_MIN: u64 = FRAME_BYTES as u64;

/// Where an event goes, and who is to get it.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) workspace: String,
    pub(super) event_type: String,
    /// Numbers of the webhooks that match the type.
    pub(super) targets: Range<u32>,
    pub(super) group: Group,
}

/// What all requests of a run share.
#[derive(Clone, Debug)]
pub(super) struct Letterhead {
    pub(super) operator: SocketAddr,
    /// Of further servers on the same database.
    pub(super) others: Vec<SocketAddr>,
    pub(super) key: String,
    pub(super) filler: String,
}

/// What the server said of one event it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) event: i64,
    pub(super) deliveries: u64,
}

impl Letterhead {
    /// Events whose data has `payload_bytes`, which is at least [`PAYLOAD_BYTES_MIN`].
    pub(super) fn new(operator: SocketAddr, key: String, payload_bytes: u64) -> Self {
        let filler = usize::try_from(payload_bytes - PAYLOAD_BYTES_MIN).expect("a payload fits into memory");
        Self { operator, others: Vec::new(), key, filler: "x".repeat(filler) }
    }

    /// Where the publisher with this number publishes: servers take them in turn.
    pub(super) fn operator_of(&self, publisher: usize) -> SocketAddr {
        match publisher % (self.others.len() + 1) {
            0 => self.operator,
            place => self.others[place - 1],
        }
    }

    /// Publishes one event; replaces what is in `bytes`.
    pub(super) fn event(&self, route: &Route, number: u64, bytes: &mut Vec<u8>) {
        let length = event_bytes(route, &self.filler);
        let path = format!("/v1/workspaces/{}/events", route.workspace);
        self.head("POST", &path, length, bytes);
        push_event(route, number, &self.filler, bytes);
    }

    /// Publishes events with consecutive numbers in one batch.
    pub(super) fn batch(&self, route: &Route, numbers: Range<u64>, bytes: &mut Vec<u8>) {
        let mut body = vec![b'['];
        for number in numbers {
            if body.len() > 1 {
                body.push(b',');
            }
            push_event(route, number, &self.filler, &mut body);
        }
        body.push(b']');
        let path = format!("/v1/workspaces/{}/events/batch", route.workspace);
        self.head("POST", &path, body.len(), bytes);
        bytes.extend_from_slice(&body);
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Vec<u8> {
        let body = body.to_string();
        let mut bytes = Vec::new();
        self.head("POST", path, body.len(), &mut bytes);
        bytes.extend_from_slice(body.as_bytes());
        bytes
    }

    pub(super) fn get(&self, path: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.head("GET", path, 0, &mut bytes);
        bytes
    }

    fn head(&self, method: &str, path: &str, body_bytes: usize, bytes: &mut Vec<u8>) {
        bytes.clear();
        let Self { operator, key, .. } = self;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {operator}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {body_bytes}\r\n\r\n"
        );
        bytes.extend_from_slice(head.as_bytes());
    }
}

const EVENT_FRAME: [&str; 2] = [r#"{"type":""#, r#"","data":"#];

fn event_bytes(route: &Route, filler: &str) -> usize {
    EVENT_FRAME[0].len() + route.event_type.len() + EVENT_FRAME[1].len() + FRAME_BYTES + filler.len() + 1
}

/// The digits are fixed in number, so that every event has the same size.
fn push_event(route: &Route, number: u64, filler: &str, bytes: &mut Vec<u8>) {
    let (start, middle, event_type) = (EVENT_FRAME[0], EVENT_FRAME[1], &route.event_type);
    let event = format!("{start}{event_type}{middle}{{{NUMBER_MARK}{number:016}\",\"text\":\"{filler}\"}}}}");
    bytes.extend_from_slice(event.as_bytes());
}

/// Reads the answer to one event.
pub(super) fn receipt(body: &[u8]) -> Option<Receipt> {
    receipt_of(&serde_json::from_slice(body).ok()?)
}

/// Reads the answer to a batch.
pub(super) fn receipts(body: &[u8]) -> Option<Vec<Receipt>> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    answer["events"].as_array()?.iter().map(receipt_of).collect()
}

/// The stable code of an error.
pub(super) fn code_of(body: &[u8]) -> Option<String> {
    let problem: Value = serde_json::from_slice(body).ok()?;
    problem["code"].as_str().map(str::to_owned)
}

fn receipt_of(answer: &Value) -> Option<Receipt> {
    let event = EventId::from_public(answer["id"].as_str()?)?.raw();
    Some(Receipt { event, deliveries: answer["deliveries"].as_u64()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letterhead(payload_bytes: u64) -> Letterhead {
        Letterhead::new(SocketAddr::from(([127, 0, 0, 1], 81)), "key".to_owned(), payload_bytes)
    }

    fn route() -> Route {
        let (workspace, event_type) = ("ws_1".to_owned(), "bench.made".to_owned());
        Route { workspace, event_type, targets: 0..1, group: Group::Measured }
    }

    /// Splits a request where the body begins and checks the length that it names.
    fn body_of(bytes: &[u8]) -> Value {
        let text = str::from_utf8(bytes).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len()))
                || head.ends_with(&body.len().to_string())
        );
        serde_json::from_str(body).expect("JSON")
    }

    #[test]
    fn data_has_the_size_that_was_asked_for() {
        for size in [PAYLOAD_BYTES_MIN, 512, 100_000] {
            let mut bytes = b"old".to_vec();
            letterhead(size).event(&route(), 42, &mut bytes);
            let event = body_of(&bytes);
            assert_eq!(event["data"].to_string().len() as u64, size);
            assert_eq!(
                (&event["type"], &event["data"]["n"]),
                (&"bench.made".into(), &"0000000000000042".into())
            );
        }
    }

    #[test]
    fn a_batch_is_an_array_of_the_same() {
        let mut bytes = Vec::new();
        letterhead(64).batch(&route(), 5..8, &mut bytes);
        let batch = body_of(&bytes);
        assert_eq!(batch.as_array().map(Vec::len), Some(3));
        assert_eq!(batch[2]["data"]["n"], "0000000000000007");
    }

    #[test]
    fn receipts_are_read() {
        let id = EventId::from_raw(77).to_public();
        let one = format!(r#"{{"id":"{id}","sequence":1,"deliveries":3}}"#);
        let expected = Receipt { event: 77, deliveries: 3 };
        assert_eq!(receipt(one.as_bytes()), Some(expected));
        assert_eq!(
            receipts(format!(r#"{{"accepted":1,"events":[{one}]}}"#).as_bytes()),
            Some(vec![expected])
        );
        assert_eq!(receipt(b"{}"), None);
    }
}
