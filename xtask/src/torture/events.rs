//! What an event is, by its number alone, and what a webhook wants of it: so that publishers, receivers and the judge agree
//! without asking one another, and without asking the server.

use serde_json::{Value, json};

/// The dialects of the workspaces, by the number of the workspace.
pub(super) const DIALECTS: [&str; 3] = ["native", "sigmamind", "opentrain-partner"];
pub(super) const NATIVE: usize = 0;
pub(super) const AGENTS: usize = 1;
pub(super) const PARTNER: usize = 2;

const TYPES: [[&str; 2]; 3] = [
    ["torture.begun", "torture.ended"],
    ["conversation_started", "conversation_ended"],
    ["contract.started", "contract.ended"],
];
/// What events are about; webhooks that are bound to a subject are bound to the first.
pub(super) const SUBJECTS: [&str; 2] = ["agent1", "agent2"];
/// So many events share so many ordering keys, and the next ones have others: one after the other takes its time where receivers
/// fail. One native event in four has none.
const KEYED_EVENTS: u32 = 128;
const ORDERING_KEYS: u32 = 32;
const SHARDS: [&str; 4] = ["a", "b", "c", "d"];
/// Makes an event as large as a small one usually is.
const PADDING_BYTES: usize = 200;
/// One event in so many is refused by receivers that fail, however often it comes.
const DOOMED_ONE_IN: u32 = 97;

/// Type of an event, as its place among the two of its workspace.
const fn kind(number: u32) -> usize {
    (number % 2) as usize
}

const fn subject(number: u32) -> usize {
    (number % 8 == 5) as usize
}

const fn shard(number: u32) -> usize {
    (number / 2 % 4) as usize
}

/// Events with the same one reach webhooks in order.
pub(super) const fn ordering_key(workspace: usize, number: u32) -> Option<u32> {
    if workspace == NATIVE && !number.is_multiple_of(4) {
        Some(number / KEYED_EVENTS * ORDERING_KEYS + number % ORDERING_KEYS)
    } else {
        None
    }
}

pub(super) const fn is_doomed(number: u32) -> bool {
    number % DOOMED_ONE_IN == 5
}

pub(super) const fn types(workspace: usize) -> [&'static str; 2] {
    TYPES[workspace]
}

/// The id that a producer gives, where it gives one.
pub(super) fn producer_id(number: u32) -> String {
    format!("torture-{number}")
}

/// The event as it is published.
pub(super) fn to_json(workspace: usize, number: u32) -> Value {
    let contract = json!({"id": number.to_string(), "status": "active"});
    let data = json!({
        "number": number, "shard": SHARDS[shard(number)], "contract": contract, "padding": "x".repeat(PADDING_BYTES)
    });
    let mut event = json!({
        "type": TYPES[workspace][kind(number)], "subject": SUBJECTS[subject(number)], "data": data
    });
    if workspace == PARTNER {
        event["resourceId"] = json!(number.to_string());
    }
    if let Some(key) = ordering_key(workspace, number) {
        event["ordering_key"] = json!(format!("key {key}"));
    }
    event
}

/// What a webhook selects of the events of its workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wants {
    pub(super) kinds: [bool; 2],
    /// Only of events about the first subject.
    pub(super) first_subject: bool,
    /// Shards that its filter admits; all without one.
    pub(super) shards: [bool; 4],
    /// Whether those with the same ordering key are to come one after the other.
    pub(super) in_order: bool,
}

impl Wants {
    pub(super) const ALL: Self =
        Self { kinds: [true; 2], first_subject: false, shards: [true; 4], in_order: false };

    pub(super) const fn fits(&self, number: u32) -> bool {
        self.kinds[kind(number)]
            && (!self.first_subject || subject(number) == 0)
            && self.shards[shard(number)]
    }

    /// The filter in CEL; `None` when it would admit everything.
    pub(super) fn filter(&self) -> Option<String> {
        if self.shards == [true; 4] {
            return None;
        }
        let names: Vec<String> = (0..SHARDS.len())
            .filter(|shard| self.shards[*shard])
            .map(|shard| format!("'{}'", SHARDS[shard]))
            .collect();
        Some(format!("data.shard in [{}] && data.number >= 0", names.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_webhook_wants_follows_from_the_number() {
        let second = Wants { kinds: [false, true], ..Wants::ALL };
        assert!(second.fits(1) && !second.fits(2));
        let bound = Wants { first_subject: true, ..Wants::ALL };
        assert!(bound.fits(1) && !bound.fits(5) && bound.fits(6));
        let filtered = Wants { shards: [false, true, false, true], ..Wants::ALL };
        assert_eq!((0..8).filter(|number| filtered.fits(*number)).collect::<Vec<_>>(), [2, 3, 6, 7]);
        assert_eq!(filtered.filter().as_deref(), Some("data.shard in ['b', 'd'] && data.number >= 0"));
        assert_eq!(Wants::ALL.filter(), None);
    }

    #[test]
    fn the_wire_form_says_what_the_number_says() {
        let event = to_json(PARTNER, 5);
        assert_eq!(event["type"], "contract.ended");
        assert_eq!((event["subject"].as_str(), event["data"]["shard"].as_str()), (Some("agent2"), Some("c")));
        assert_eq!((event["resourceId"].as_str(), event["data"]["number"].as_u64()), (Some("5"), Some(5)));
        assert!(is_doomed(5) && is_doomed(102) && !is_doomed(6));
        assert!(to_json(NATIVE, 5)["resourceId"].is_null());
    }
}
