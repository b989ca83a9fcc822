//! What receivers and the network between do with a request.

use std::time::Duration;

use bytes::Bytes;
use signalpost_core::attempt::{Failure, Outcome};
use signalpost_core::limits::ANSWER_KEPT_FAILURE_BYTES;

use crate::chance::Chance;

/// One way in which an exchange can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request never arrives.
    Lost,
    /// The connection breaks before the request has arrived.
    ResetBefore,
    /// The receiver takes the request and the connection breaks before its answer.
    ResetAfter,
    /// The receiver takes the request and says nothing.
    Hang,
    /// The receiver answers with success when the sender has given up.
    LateSuccess,
    /// The receiver takes a good part of the permitted time and answers with success.
    Slow,
    Garbage,
    Dns,
    Blocked,
    Refused,
    Tls,
    Status(u16),
    /// 429 or 503 with a wish for more time.
    Busy(u16),
    /// The same with a wish that nobody can mean, from centuries to nothing at all.
    BusyForAges(u16),
    /// The receiver says at once how it went, and then sends its answer a byte at a time for as long as it is let.
    Drip(u16),
    /// An answer far beyond what is kept of it, and nothing that is text.
    Overlong(u16),
    /// A success that the receiver takes twice: the request came once more, from a network that thought it lost.
    TakenTwice,
}

pub(crate) const FAULTS: [Fault; 20] = [
    Fault::Lost,
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::Hang,
    Fault::LateSuccess,
    Fault::Slow,
    Fault::Garbage,
    Fault::Dns,
    Fault::Blocked,
    Fault::Refused,
    Fault::Tls,
    Fault::Status(500),
    Fault::Status(404),
    Fault::Status(410),
    Fault::Status(429),
    Fault::Status(503),
    Fault::Status(302),
    Fault::Status(100),
    Fault::Busy(429),
    Fault::Busy(503),
];

/// Of the network of few worlds. A list apart, so that the others stay what they were before there was it.
pub(crate) const LATER_FAULTS: [Fault; 7] = [
    Fault::BusyForAges(429),
    Fault::BusyForAges(503),
    Fault::Drip(200),
    Fault::Drip(500),
    Fault::Overlong(200),
    Fault::Overlong(500),
    Fault::TakenTwice,
];

impl Fault {
    /// Under which it is counted.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::ResetBefore => "reset before arrival",
            Self::ResetAfter => "reset after arrival",
            Self::Hang => "hang",
            Self::LateSuccess => "success too late",
            Self::Slow => "slow",
            Self::Garbage => "garbage",
            Self::Dns => "no such name",
            Self::Blocked => "blocked address",
            Self::Refused => "connection refused",
            Self::Tls => "bad certificate",
            Self::Status(410) => "410",
            Self::Status(429 | 503) => "busy",
            Self::Status(300..=399) => "redirect",
            Self::Status(400..=499) => "client error",
            Self::Status(500..=599) => "server error",
            Self::Status(_) => "odd status",
            Self::Busy(_) => "busy for a while",
            Self::BusyForAges(_) => "busy for ages",
            Self::Drip(200..=299) => "dripping success",
            Self::Drip(_) => "dripping error",
            Self::Overlong(200..=299) => "overlong success",
            Self::Overlong(_) => "overlong error",
            Self::TakenTwice => "taken twice",
        }
    }
}

/// How a receiver is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Every request succeeds.
    Calm,
    /// Faults by the odds of the run.
    Moody,
    /// Every request meets this fault.
    Down(Fault),
}

/// What becomes of one request, in microseconds from its start.
#[derive(Clone, Debug)]
pub(crate) struct Fate {
    /// When the receiver has it, each time.
    pub(crate) arrives_us: Vec<u64>,
    /// When the sender learns how it went, if its patience lasts that long.
    pub(crate) told_us: Option<u64>,
    /// What it goes on reading after that, as long as its patience lasts.
    pub(crate) body_us: u64,
    pub(crate) outcome: Outcome,
    pub(crate) retry_after: Option<Duration>,
    /// What the sender keeps of the answer.
    pub(crate) answer: Bytes,
}

/// The longest wish for more time that a busy receiver of most worlds has.
pub(crate) const RETRY_AFTER_MAX_S: u64 = 120;
/// Wishes of receivers that cannot mean it: a century, all there is, nothing.
const ODD_WISHES_S: [u64; 4] = [3_153_600_000, u64::MAX, 86_401, 0];
/// Bytes that spoil whatever takes them for text.
const NO_TEXT: [u8; 8] = [0xff, 0x00, b'\r', b'\n', b'"', 0xc3, 0x1b, b'<'];

impl Fate {
    pub(crate) fn success(chance: &mut Chance, latency_us: u64) -> Self {
        let status = *chance.pick(&[200, 204, 201, 299]);
        Self::answer(chance, latency_us, status)
    }

    pub(crate) fn of(fault: Fault, chance: &mut Chance, latency_us: u64, timeout_us: u64) -> Self {
        let quick = chance.between(0, latency_us);
        let failed = |failure, arrives_us: Option<u64>, told_us| Self {
            arrives_us: arrives_us.into_iter().collect(),
            told_us,
            body_us: 0,
            outcome: Outcome::Failed(failure),
            retry_after: None,
            answer: Bytes::new(),
        };
        match fault {
            Fault::Lost => failed(Failure::Timeout, None, None),
            Fault::Hang => failed(Failure::Timeout, Some(quick), None),
            Fault::ResetBefore => failed(Failure::Reset, None, Some(quick)),
            Fault::ResetAfter => failed(Failure::Reset, Some(quick), Some(quick + 1 + quick / 2)),
            Fault::Garbage => failed(Failure::Protocol, Some(quick), Some(quick + 1)),
            Fault::Dns => failed(Failure::Dns, None, Some(quick)),
            Fault::Blocked => failed(Failure::Blocked, None, Some(0)),
            Fault::Refused => failed(Failure::Connect, None, Some(quick)),
            Fault::Tls => failed(Failure::Tls, None, Some(quick)),
            Fault::LateSuccess => {
                let late = timeout_us + chance.between(1, timeout_us);
                Self { told_us: Some(late), ..Self::answer(chance, latency_us, 200) }
            }
            Fault::Slow => {
                let slow = chance.between(timeout_us / 2, timeout_us - 1);
                Self { told_us: Some(slow), ..Self::answer(chance, (timeout_us / 4).min(latency_us), 200) }
            }
            Fault::Status(status) => Self::answer(chance, latency_us, status),
            Fault::Busy(status) => {
                let seconds = chance.between(0, RETRY_AFTER_MAX_S);
                Self::busy(chance, latency_us, status, seconds)
            }
            Fault::BusyForAges(status) => {
                let seconds = *chance.pick(&ODD_WISHES_S);
                Self::busy(chance, latency_us, status, seconds)
            }
            Fault::Drip(status) => Self { body_us: timeout_us, ..Self::answer(chance, latency_us, status) },
            Fault::Overlong(status) => {
                let answer = NO_TEXT.iter().copied().cycle().take(ANSWER_KEPT_FAILURE_BYTES).collect();
                Self { answer, ..Self::answer(chance, latency_us, status) }
            }
            Fault::TakenTwice => {
                let once = Self::answer(chance, latency_us, 200);
                let again = once.arrives_us.iter().map(|us| us + 1 + latency_us);
                Self { arrives_us: once.arrives_us.iter().copied().chain(again).collect(), ..once }
            }
        }
    }

    /// What the sender sees when its patience is so long, and when.
    pub(crate) fn seen_within(&self, timeout_us: u64) -> (u64, Outcome) {
        match self.told_us.filter(|told_us| *told_us < timeout_us) {
            Some(told_us) => ((told_us + self.body_us).min(timeout_us), self.outcome),
            None => (timeout_us, Outcome::Failed(Failure::Timeout)),
        }
    }

    fn busy(chance: &mut Chance, latency_us: u64, status: u16, seconds: u64) -> Self {
        let retry_after = Some(Duration::from_secs(seconds));
        Self { retry_after, ..Self::answer(chance, latency_us, status) }
    }

    fn answer(chance: &mut Chance, latency_us: u64, status: u16) -> Self {
        let (there, back) = (chance.between(0, latency_us), chance.between(0, latency_us));
        Self {
            arrives_us: vec![there],
            told_us: Some(there + back),
            body_us: 0,
            outcome: Outcome::Status(status),
            retry_after: None,
            answer: Bytes::from_static(b"an answer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_from_its_head_and_is_read_for_as_long_as_it_may_take() {
        let fate = |fault| Fate::of(fault, &mut Chance::new(1, "fate"), 900, 1_000_000);
        assert_eq!(fate(Fault::Drip(200)).seen_within(1_000_000), (1_000_000, Outcome::Status(200)));
        let late = fate(Fault::LateSuccess).seen_within(1_000_000);
        assert_eq!(late, (1_000_000, Outcome::Failed(Failure::Timeout)));
        assert_eq!(fate(Fault::TakenTwice).arrives_us.len(), 2);
        assert_eq!(fate(Fault::Overlong(500)).answer.len(), ANSWER_KEPT_FAILURE_BYTES);
    }

    #[test]
    fn each_kind_has_a_name_and_those_of_later_faults_are_their_own() {
        let names: Vec<&str> = LATER_FAULTS.iter().map(|fault| fault.name()).collect();
        assert!(FAULTS.iter().all(|fault| !names.contains(&fault.name())));
        assert_eq!(Fault::Status(429).name(), "busy");
        assert_eq!(Fault::Status(100).name(), "odd status");
    }
}
