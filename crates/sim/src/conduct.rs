//! What receivers and the network between do with a request.

use std::time::Duration;

use signalpost_core::attempt::{Failure, Outcome};

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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    pub(crate) arrives_us: Option<u64>,
    /// When the sender learns of the end, if its patience lasts that long.
    pub(crate) ends_us: Option<u64>,
    pub(crate) outcome: Outcome,
    pub(crate) retry_after: Option<Duration>,
}

/// The longest wish for more time that a busy receiver of this world has.
pub(crate) const RETRY_AFTER_MAX_S: u64 = 120;

impl Fate {
    pub(crate) fn success(chance: &mut Chance, latency_us: u64) -> Self {
        let status = *chance.pick(&[200, 204, 201, 299]);
        Self::answer(chance, latency_us, status)
    }

    pub(crate) fn of(fault: Fault, chance: &mut Chance, latency_us: u64, timeout_us: u64) -> Self {
        let quick = chance.between(0, latency_us);
        let failed = |failure, arrives_us, ends_us| Self {
            arrives_us,
            ends_us,
            outcome: Outcome::Failed(failure),
            retry_after: None,
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
                Self { ends_us: Some(late), ..Self::answer(chance, latency_us, 200) }
            }
            Fault::Slow => {
                let slow = chance.between(timeout_us / 2, timeout_us - 1);
                Self { ends_us: Some(slow), ..Self::answer(chance, (timeout_us / 4).min(latency_us), 200) }
            }
            Fault::Status(status) => Self::answer(chance, latency_us, status),
            Fault::Busy(status) => {
                let seconds = chance.between(0, RETRY_AFTER_MAX_S);
                let retry_after = Some(Duration::from_secs(seconds));
                Self { retry_after, ..Self::answer(chance, latency_us, status) }
            }
        }
    }

    fn answer(chance: &mut Chance, latency_us: u64, status: u16) -> Self {
        let (there, back) = (chance.between(0, latency_us), chance.between(0, latency_us));
        Self {
            arrives_us: Some(there),
            ends_us: Some(there + back),
            outcome: Outcome::Status(status),
            retry_after: None,
        }
    }
}
