//! How long a caller may take over each step of a call.

use std::time::Duration;

use signalpost_core::limits::{
    CALLER_BODY_SILENCE, CALLER_BODY_TIMEOUT, CALLER_FIRST_HEAD_TIMEOUT, CALLER_HANDSHAKE_TIMEOUT,
    CALLER_HEAD_TIMEOUT, CALLER_STALL_TIMEOUT,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// The TLS handshake.
    pub(crate) handshake: Duration,
    /// From there to the end of the first request's head.
    pub(crate) first_head: Duration,
    /// From one answer to the end of the next head.
    pub(crate) next_head: Duration,
    /// A body as a whole, from when it is first waited for.
    pub(crate) body: Duration,
    /// Between two parts of a body.
    pub(crate) body_silence: Duration,
    /// For each 64 KiB of an answer that waits to be taken.
    pub(crate) stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: CALLER_HANDSHAKE_TIMEOUT,
            first_head: CALLER_FIRST_HEAD_TIMEOUT,
            next_head: CALLER_HEAD_TIMEOUT,
            body: CALLER_BODY_TIMEOUT,
            body_silence: CALLER_BODY_SILENCE,
            stall: CALLER_STALL_TIMEOUT,
        }
    }
}
