//! Answers of hostile receivers: an input is what the receiver says, byte for byte, to each of two requests.
//!
//! Every exchange ends within its limits of time and bytes with an outcome that has a name, and what is made of
//! `Retry-After` stays within the schedule's bounds.

mod world;

use std::time::Duration;

use signalpost_core::attempt::{Exchange, Failure, Outcome, Verdict};
use signalpost_core::limits::{ANSWER_KEPT_FAILURE_BYTES, RETRY_DELAY_MAX};
use signalpost_core::policy::RetrySchedule;
use signalpost_core::retry::{Ended, JITTER_DIVISOR, decide};
use signalpost_core::time::Timestamp;

use crate::Target;
use crate::feed::Feed;
use world::{Manner, World};

const BYTES_MAX: usize = 4_096;
/// The limit of each exchange.
const TIMEOUT: Duration = Duration::from_secs(15);

pub(super) fn target() -> Target {
    let about = "every exchange ends within its bounds, with an outcome that has a name";
    let world = World::new();
    Target::new("answer", about, BYTES_MAX, move |input| {
        let mut feed = Feed::new(input);
        let choice = feed.byte();
        let piece = if choice & 2 == 0 { usize::MAX } else { 1 + usize::from(feed.byte()) };
        let manner = if choice & 1 == 0 { Manner::Close } else { Manner::Hang };
        let (exchanges, elapsed) = world.exchanges(feed.rest(), piece, manner, TIMEOUT);
        assert!(elapsed <= TIMEOUT * 2 + Duration::from_secs(1), "{elapsed:?} have passed");
        exchanges.iter().for_each(check);
    })
}

fn check(exchange: &Exchange) {
    assert!(exchange.answer.len() <= ANSWER_KEPT_FAILURE_BYTES, "{} bytes are kept", exchange.answer.len());
    match exchange.outcome {
        Outcome::Status(status) => assert!((100..=999).contains(&status) && status != 101, "{status}"),
        Outcome::Failed(failure) => {
            assert!(!matches!(failure, Failure::Internal | Failure::Blocked), "{exchange:?}");
            assert!(!exchange.detail.is_empty() && exchange.answer.is_empty(), "{exchange:?}");
        }
    }
    assert!(exchange.detail.chars().count() < 400 && !exchange.detail.contains('\n'), "{exchange:?}");
    assert!(exchange.timing.total_us <= u64::try_from(TIMEOUT.as_micros()).expect("short") + 1_000_000);
    let schedule = RetrySchedule::from_seconds(&[5]).expect("a good schedule");
    let (outcome, retry_after, now) = (exchange.outcome, exchange.retry_after, Timestamp::from_ms(1));
    let ended = Ended { outcome, tries: 1, schedule: &schedule, retry_after, now };
    if let Verdict::RetryAt(at) = decide(ended, &mut |bound| bound) {
        let longest = RETRY_DELAY_MAX + RETRY_DELAY_MAX / JITTER_DIVISOR;
        let waits = Duration::from_millis(u64::try_from(at.ms_since(now)).expect("later"));
        assert!((Duration::from_secs(5)..=longest).contains(&waits), "{waits:?}");
    }
}
