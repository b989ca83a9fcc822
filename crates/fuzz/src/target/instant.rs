//! Instants: what we write another library reads as the same moment, and what filters read of a text is what that library
//! reads of it.

use std::str::from_utf8;

use bytes::Bytes;
use jiff::Timestamp as Known;
use signalpost_core::event::EventContent;
use signalpost_core::time::Timestamp;
use signalpost_filter::{Filter, Subject};

use crate::Target;
use crate::feed::Feed;

const BYTES_MAX: usize = 64;
/// The first instant that a filter knows. In whole seconds, which that library rounds towards zero, the one before is the same.
const YEAR_1_NS: i128 = -62_135_596_800 * 1_000_000_000;

pub(super) fn target() -> Target {
    Target::new("instant", "what is written is read as the same moment by others", BYTES_MAX, |input| {
        let mut feed = Feed::new(input);
        if feed.below(2) == 0 {
            written(feed.number());
        } else if let Ok(text) = from_utf8(feed.rest()) {
            read(text);
        }
    })
}

/// Any number of milliseconds can be written; those of years that others know return.
fn written(ms: i64) {
    for ms in [ms, ms >> 16, ms % 253_402_300_800_000] {
        let instant = Timestamp::from_ms(ms);
        let (text, seconds) = (instant.to_rfc3339_ms(), instant.to_rfc3339_s());
        assert_eq!(instant.plus_ms(0), instant);
        if (0..=Known::MAX.as_millisecond()).contains(&ms) {
            let known: Known = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(known.as_millisecond(), ms, "{text}");
            let known: Known = seconds.parse().unwrap_or_else(|error| panic!("{seconds}: {error}"));
            assert_eq!(known.as_second(), instant.as_seconds(), "{seconds}");
        }
    }
}

/// A text as a filter reads it from an event.
fn read(text: &str) {
    let filter = Filter::compile("string(timestamp(data)) != '' && timestamp(data).getFullYear() >= 1")
        .expect("a good filter");
    let data = serde_json::to_vec(text).expect("a text");
    let content = EventContent {
        producer_id: None,
        event_type: "a".to_owned(),
        subject: None,
        time: Timestamp::from_ms(0),
        attributes: Vec::new(),
        data: Bytes::from(data),
        ordering_key: None,
    };
    let said = filter.admits(&Subject::of(&content));
    let known = text.parse::<Known>().ok().filter(|known| known.as_nanosecond() >= YEAR_1_NS);
    assert_eq!(said.is_ok(), known.is_some(), "{text}: {said:?}");
    assert_ne!(said, Ok(false), "{text} has no year");
    let span = Filter::compile("duration(data) == duration(string(duration(data)))").expect("a good filter");
    let said = span.admits(&Subject::of(&content));
    assert_ne!(said, Ok(false), "{text} does not return as it was written");
}
