//! The receiver's side of the crash test: writes down every delivery and answers some of them badly.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use signalpost_testkit::{Answer, Recorded};

use super::publish::Key;
use crate::signature::Scheme;

/// One event in so many is refused when it first comes, so that retries cross kills too.
const REFUSE_ONE_IN: u64 = 10;
/// Receivers take their time, each event another one; what is in flight at a kill is never nothing.
const DELAYS_MS: u64 = 20;

/// A delivery as it arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receipt {
    pub(super) key: Key,
    pub(super) at: Instant,
    pub(super) kind: ReceiptKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReceiptKind {
    /// Answered with 200.
    Taken,
    /// Answered with 503, to be tried again.
    Refused,
    /// Not signed as documented, or not one of our events.
    Wrong,
}

#[derive(Default)]
pub(super) struct Ledger(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    /// Signature scheme and secret of each lane.
    lanes: Vec<(Scheme, String)>,
    receipts: Vec<Receipt>,
    taken: BTreeSet<Key>,
    refused: BTreeSet<Key>,
}

impl Ledger {
    pub(super) fn add_lane(&self, scheme: Scheme, secret: String) {
        self.pages().lanes.push((scheme, secret));
    }

    /// Decides the answer to a delivery and writes both down.
    pub(super) fn receive(&self, request: &Recorded) -> Answer {
        let mut pages = self.pages();
        let key = key_of(request);
        let kind = match key.filter(|key| pages.is_signed(*key, request)) {
            None => ReceiptKind::Wrong,
            Some(key) if key.number.is_multiple_of(REFUSE_ONE_IN) && pages.refused.insert(key) => {
                ReceiptKind::Refused
            }
            Some(key) => {
                pages.taken.insert(key);
                ReceiptKind::Taken
            }
        };
        let key = key.unwrap_or(Key { lane: usize::MAX, number: u64::MAX });
        pages.receipts.push(Receipt { key, at: request.received_at, kind });
        let delay = Duration::from_millis(key.number % DELAYS_MS);
        match kind {
            ReceiptKind::Taken => Answer::status(200).after(delay),
            ReceiptKind::Refused => Answer::status(503).after(delay),
            ReceiptKind::Wrong => Answer::status(400),
        }
    }

    pub(super) fn has(&self, key: Key) -> bool {
        self.pages().taken.contains(&key)
    }

    /// Number of different events taken so far.
    pub(super) fn arrivals(&self) -> usize {
        self.pages().taken.len()
    }

    pub(super) fn receipts(&self) -> Vec<Receipt> {
        self.pages().receipts.clone()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn is_signed(&self, key: Key, request: &Recorded) -> bool {
        let lane = self.lanes.get(key.lane);
        lane.is_some_and(|(scheme, secret)| scheme.verify(secret, request).is_ok())
    }
}

fn key_of(request: &Recorded) -> Option<Key> {
    let lane = request.path.strip_prefix('/')?.parse().ok()?;
    let number = request.json()["data"]["number"].as_u64()?;
    Some(Key { lane, number })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(number: u64, signature: &str) -> Recorded {
        Recorded {
            method: "POST".to_owned(),
            path: "/0".to_owned(),
            headers: vec![("x-s".to_owned(), signature.to_owned())],
            body: format!("{{\"data\":{{\"number\":{number}}}}}").into_bytes(),
            received_at: Instant::now(),
        }
    }

    #[test]
    fn takes_refuses_once_and_notices_forgeries() {
        let ledger = Ledger::default();
        // A scheme whose signature is a constant, so that the test needs no HMAC.
        let scheme = Scheme { value: "good".to_owned(), ..Scheme::hex_of_body("x-s") };
        ledger.add_lane(scheme, "secret".to_owned());
        let statuses: Vec<u16> = [(1, "good"), (10, "good"), (10, "good"), (2, "bad")]
            .map(|(number, signature)| ledger.receive(&delivery(number, signature)).status)
            .to_vec();
        assert_eq!(statuses, [200, 503, 200, 400]);
        assert_eq!(ledger.arrivals(), 2);
        assert!(ledger.has(Key { lane: 0, number: 10 }) && !ledger.has(Key { lane: 0, number: 2 }));
        assert_eq!(ledger.receipts().len(), 4);
    }
}
