//! What a producer published: stored once, never changed.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::id::{EventId, WebhookId, WorkspaceId};
use crate::limits::{EVENT_ID_CHARS_MAX, EVENT_TYPE_CHARS_MAX, ORDERING_KEY_CHARS_MAX, SUBJECT_CHARS_MAX};
use crate::time::Timestamp;

/// Position of something in a workspace's history. Grows in commit order, with gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub i64);

/// An event with its place in its workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub workspace: WorkspaceId,
    pub sequence: Sequence,
    pub content: EventContent,
    /// The webhooks chosen when it was accepted, and those that a replay has sent it to since: one delivery each.
    pub targets: Vec<WebhookId>,
    pub accepted_at: Timestamp,
    /// Set when retention has removed the payload: `data` is empty then.
    pub payload_removed_at: Option<Timestamp>,
}

/// What the producer said. `data` is kept byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventContent {
    /// What it means is the dialect's to say, see [`crate::profile::EventIdRule`]. Receivers see it in any case.
    pub producer_id: Option<String>,
    pub event_type: String,
    pub subject: Option<String>,
    /// Webhooks that keep an order get events with the same key one after the other, see [`crate::order`].
    pub ordering_key: Option<String>,
    /// When it happened, as the producer says, else when it was accepted.
    pub time: Timestamp,
    /// Further attributes that the dialect knows, each a raw JSON value, sorted by name.
    pub attributes: Vec<(String, String)>,
    /// A complete JSON value as the producer wrote it.
    pub data: Bytes,
}

/// SHA-256 over everything a producer said, each part with its length, so that no two contents share a text.
///
/// The time counts only when the producer gave it: an event without one gets the time of its arrival.
pub fn fingerprint(content: &EventContent, given_time: Option<Timestamp>) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut part = |bytes: &[u8]| {
        digest.update(u64::try_from(bytes.len()).expect("a length fits").to_be_bytes());
        digest.update(bytes);
    };
    part(content.event_type.as_bytes());
    part(content.subject.as_deref().map_or(b"-".as_slice(), |_| b"+"));
    part(content.subject.as_deref().unwrap_or_default().as_bytes());
    part(&given_time.map_or(Vec::new(), |time| time.as_ms().to_be_bytes().to_vec()));
    for (name, json) in &content.attributes {
        part(name.as_bytes());
        part(json.as_bytes());
    }
    // Only when it is there: what was accepted before there were keys is recognised still.
    if let Some(key) = &content.ordering_key {
        part(b"ordering_key");
        part(key.as_bytes());
    }
    part(&content.data);
    digest.finalize().into()
}

/// Event types are ASCII words with `.`, `_`, `-`, `:` or `/` between them: safe in headers, logs and URLs.
pub fn check_event_type(text: &str) -> Result<(), String> {
    let permitted = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '/');
    check_token(text, EVENT_TYPE_CHARS_MAX, permitted, "letters, digits and . _ - : /")
}

/// A producer's event id stands in headers and in signed text, where a full stop is a separator (Standard
/// Webhooks 1.0), hence no full stop.
pub fn check_producer_id(text: &str) -> Result<(), String> {
    let permitted =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '/' | '+' | '=' | '~' | '@');
    check_token(text, EVENT_ID_CHARS_MAX, permitted, "letters, digits and _ - : / + = ~ @")
}

/// A subject is any text without control characters.
pub fn check_subject(text: &str) -> Result<(), String> {
    check_token(text, SUBJECT_CHARS_MAX, |c| !c.is_control(), "anything but control characters")
}

/// An ordering key is any text without control characters.
pub fn check_ordering_key(text: &str) -> Result<(), String> {
    check_token(text, ORDERING_KEY_CHARS_MAX, |c| !c.is_control(), "anything but control characters")
}

fn check_token(
    text: &str,
    chars_max: usize,
    permitted: impl Fn(char) -> bool,
    words: &str,
) -> Result<(), String> {
    let length = text.chars().count();
    if length == 0 || length > chars_max {
        return Err(format!("must be 1 to {chars_max} characters long"));
    }
    if text.chars().all(permitted) { Ok(()) } else { Err(format!("may hold {words} only")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_every_part_apart() {
        let base = EventContent {
            producer_id: Some("1".to_owned()),
            event_type: "ab".to_owned(),
            subject: None,
            ordering_key: None,
            time: Timestamp::from_ms(5),
            attributes: Vec::new(),
            data: Bytes::from_static(b"c"),
        };
        let others = [
            (
                EventContent { event_type: "a".to_owned(), data: Bytes::from_static(b"bc"), ..base.clone() },
                None,
            ),
            (EventContent { subject: Some(String::new()), ..base.clone() }, None),
            (EventContent { attributes: vec![("c".to_owned(), String::new())], ..base.clone() }, None),
            (EventContent { ordering_key: Some(String::new()), ..base.clone() }, None),
            (base.clone(), Some(Timestamp::from_ms(5))),
        ];
        for (other, time) in others {
            assert_ne!(fingerprint(&base, None), fingerprint(&other, time), "{other:?}");
        }
        let later = EventContent { time: Timestamp::from_ms(6), ..base.clone() };
        assert_eq!(fingerprint(&base, None), fingerprint(&later, None), "the time of arrival does not count");
    }

    #[test]
    fn event_types_are_header_safe_words() {
        for good in ["a", "order.paid", "customer.points-mutation", "A_b:c/d", &"x".repeat(256)] {
            assert!(check_event_type(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "a b", "a\r\nb", "é", "a,b", &"x".repeat(257)] {
            assert!(check_event_type(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn producer_ids_hold_no_full_stop() {
        for good in ["1", "evt_1", "b7f2-4c", "voucher678599", &"x".repeat(128)] {
            assert!(check_producer_id(good).is_ok(), "{good}");
        }
        for bad in ["", "a.b", "a b", "a\0", &"x".repeat(129)] {
            assert!(check_producer_id(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn subjects_and_ordering_keys_are_any_printable_text() {
        for good in ["D5D0p7TUs66TTAEAx", "Käse 🧀", &"x".repeat(128)] {
            assert!(check_subject(good).is_ok() && check_ordering_key(good).is_ok(), "{good}");
        }
        for bad in ["", "a\0b", "a\nb", &"x".repeat(257)] {
            assert!(check_subject(bad).is_err() && check_ordering_key(bad).is_err(), "{bad:?}");
        }
        assert!(check_ordering_key(&"x".repeat(129)).is_err());
    }
}
