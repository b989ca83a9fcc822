//! An event to ask filters about.

use bytes::Bytes;
use signalpost_core::event::EventContent;
use signalpost_core::time::Timestamp;
use signalpost_filter::{Filter, Subject};

/// `order.paid` of `D5`, of 2026-05-05T10:06:46.150Z.
pub(crate) fn event(data: &str) -> EventContent {
    EventContent {
        producer_id: None,
        event_type: "order.paid".to_owned(),
        subject: Some("D5".to_owned()),
        time: Timestamp::from_ms(1_777_975_606_150),
        attributes: Vec::new(),
        data: Bytes::copy_from_slice(data.as_bytes()),
        ordering_key: None,
    }
}

/// What the filter says of an event with this data, or why it cannot say it.
pub(crate) fn judged(filter: &str, data: &str) -> Result<bool, String> {
    let compiled = Filter::compile(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let content = event(data);
    compiled.admits(&Subject::of(&content)).map_err(|failure| failure.message)
}
