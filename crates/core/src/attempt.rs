//! One HTTP request of a delivery and exactly what came back.

use std::time::Duration;

use bytes::Bytes;

use crate::time::Timestamp;

/// How an exchange with a receiver ended. Closed: policy is decided on these, never on text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The receiver answered with this status. 2xx is success, everything else a failure.
    Status(u16),
    /// There was no answer.
    Failed(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The name did not resolve.
    Dns,
    /// The address is one that we never connect to.
    Blocked,
    /// No connection: refused, unreachable.
    Connect,
    /// The TLS handshake failed or the certificate was not acceptable.
    Tls,
    /// A limit of time passed before an answer's headers had come.
    Timeout,
    /// The connection closed before an answer's headers had come.
    Reset,
    /// What came was not HTTP, or broke its rules.
    Protocol,
    /// Our fault: the request could not be built, for example because its secret does not open.
    Internal,
}

impl Failure {
    pub const ALL: [Self; 8] = [
        Self::Dns,
        Self::Blocked,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Reset,
        Self::Protocol,
        Self::Internal,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Blocked => "blocked",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
            Self::Internal => "internal",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.name() == name)
    }
}

impl Outcome {
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Status(200..=299))
    }

    /// `success`, `status` for any other answer, else the failure's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status(200..=299) => "success",
            Self::Status(_) => "status",
            Self::Failed(failure) => failure.name(),
        }
    }

    pub const fn status(self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status),
            Self::Failed(_) => None,
        }
    }
}

/// Where the time of an exchange went, in microseconds. Phases that did not happen are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    pub dns_us: u64,
    pub connect_us: u64,
    pub tls_us: u64,
    /// From the request's start on the connection to the answer's headers.
    pub first_byte_us: u64,
    pub total_us: u64,
}

/// What a transport reports of one exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub outcome: Outcome,
    /// The failure in plain words, empty on an answer. No secret, safe to show to the webhook's owner.
    pub detail: String,
    /// What the receiver asked for, already as a duration from now.
    pub retry_after: Option<Duration>,
    pub timing: Timing,
    /// Beginning of the answer's body, at most [`crate::limits::ANSWER_KEPT_FAILURE_BYTES`].
    pub answer: Bytes,
}

/// An attempt as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Counts from 1 over the whole life of the delivery, redeliveries included.
    pub number: u32,
    pub at: Timestamp,
    pub outcome: Outcome,
    pub verdict: Verdict,
    pub detail: String,
    pub timing: Timing,
    /// Headers as sent, credentials masked.
    pub request_headers: Vec<(String, String)>,
    pub answer: Bytes,
}

/// What was decided on an attempt's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    RetryAt(Timestamp),
    /// Its webhook is paused by the engine: the delivery is owed again from then on, and this counts as none of its tries.
    HeldUntil(Timestamp),
    GiveUp,
    /// Nothing: when it ended its delivery had begun a new round, which goes on without it.
    Superseded,
}

impl Verdict {
    /// When the delivery is owed again, if it is.
    pub const fn next_at(self) -> Option<Timestamp> {
        match self {
            Self::RetryAt(at) | Self::HeldUntil(at) => Some(at),
            Self::Delivered | Self::GiveUp | Self::Superseded => None,
        }
    }
}

impl Attempt {
    /// Whether the other is a record of the same request: all that was seen of it is the same.
    pub fn is_same_request(&self, other: &Self) -> bool {
        self.at == other.at
            && self.outcome == other.outcome
            && self.timing == other.timing
            && self.detail == other.detail
            && self.request_headers == other.request_headers
            && self.answer == other.answer
    }
}
