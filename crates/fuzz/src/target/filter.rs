//! Filters of strangers and events of strangers: a text compiles or says where it does not, an evaluation stays within its
//! counted steps, and the same two always say the same.

use std::str::from_utf8;

use bytes::Bytes;
use serde_json::value::RawValue;
use signalpost_core::event::EventContent;
use signalpost_core::limits::{FILTER_CHARS_MAX, FILTER_COST_MAX};
use signalpost_core::time::Timestamp;
use signalpost_filter::{Filter, Subject};

use crate::Target;
use crate::feed::parts;

/// A filter of full length in characters of one byte, and as much for the event.
const BYTES_MAX: usize = 2 * FILTER_CHARS_MAX;
/// Steps for each byte of data that is read, at most.
const BYTES_PER_STEP: usize = 4;

pub(super) fn target() -> Target {
    Target::new("filter", "compiles or says why; bounded steps; the same twice", BYTES_MAX, |input| {
        let [filter, data, subject] = parts(input);
        if let (Ok(filter), Ok(data), Ok(subject)) = (from_utf8(filter), from_utf8(data), from_utf8(subject))
        {
            run(filter, data, subject);
        }
    })
}

fn run(text: &str, data: &str, subject: &str) {
    let filter = match Filter::compile(text) {
        Ok(filter) => filter,
        Err(error) => {
            assert!(error.position <= text.chars().count() && !error.message.is_empty(), "{error:?}");
            return;
        }
    };
    assert!(text.chars().count() <= FILTER_CHARS_MAX);
    // Published data is one JSON value.
    let data = if serde_json::from_str::<&RawValue>(data).is_ok() { data } else { "{\"a\":[1,\"b\",null]}" };
    let content = EventContent {
        producer_id: None,
        event_type: "order.paid".to_owned(),
        subject: (!subject.is_empty()).then(|| subject.to_owned()),
        time: Timestamp::from_ms(1_777_975_606_150),
        attributes: Vec::new(),
        data: Bytes::copy_from_slice(data.as_bytes()),
        ordering_key: None,
    };
    let asked = Subject::of(&content);
    let said = filter.admits(&asked);
    let reading = u64::try_from(data.len() / BYTES_PER_STEP).expect("a short text");
    assert!(asked.evaluation_steps() <= FILTER_COST_MAX, "{} steps", asked.evaluation_steps());
    assert!(asked.steps() <= FILTER_COST_MAX + reading, "{} steps", asked.steps());
    let again = Filter::compile(text).expect("it compiled before");
    assert_eq!(said, again.admits(&Subject::of(&content)), "the same says something else");
    assert_eq!(said, filter.admits(&asked), "asked a second time it says something else");
    assert_eq!((filter.bytes(), filter.reads_data()), (again.bytes(), again.reads_data()));
}
