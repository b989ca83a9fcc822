//! The event types: their names, and whether a delivery's body wraps their data.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

/// One type of event. A configuration may write its name alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventType {
    pub name: String,
    pub envelope: Envelope,
}

/// What stands around the data of an event in a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// `id`, `type`, `chain_id` and `created` beside it.
    Common,
    /// Nothing: the data is the body.
    Absent,
}

/// As documented.
const DOCUMENTED: [&str; 7] = [
    "shopper.voucher-issued",
    "shopper.voucher-claimed",
    "shopper.voucher-redeemed",
    "shopper.voucher-expiring",
    "shopper.points-mutation",
    "shopper.loyalty-level-changed",
    "shopper.opted-in",
];
/// Events that are said to exist; their names are ours.
const NAMED_HERE: [&str; 3] = ["shopper.opted-out", "shopper.created", "shopper.updated"];
/// The same. The documented body is the basket itself.
const RECEIPT: &str = "shopper.receipt-created";

pub(super) fn all() -> Vec<EventType> {
    let enveloped = DOCUMENTED.into_iter().chain(NAMED_HERE).map(EventType::named);
    let receipt = EventType { name: RECEIPT.to_owned(), envelope: Envelope::Absent };
    enveloped.chain([receipt]).collect()
}

impl EventType {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), envelope: Envelope::Common }
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.envelope {
            Envelope::Common => serializer.serialize_str(&self.name),
            Envelope::Absent => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("type", &self.name)?;
                map.serialize_entry("envelope", &false)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

/// With everything that can be said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    r#type: String,
    envelope: bool,
}

impl<'de> Visitor<'de> for Written {
    type Value = EventType;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event type, or a table of `type` and `envelope`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<EventType, E> {
        Ok(EventType::named(name))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EventType, A::Error> {
        let Whole { r#type, envelope } = Whole::deserialize(MapAccessDeserializer::new(map))?;
        Ok(EventType { name: r#type, envelope: if envelope { Envelope::Common } else { Envelope::Absent } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn event_types_are_written_short_or_whole() {
        let bare = EventType { name: "a.b".to_owned(), envelope: Envelope::Absent };
        for (written, event_type) in
            [(json!("a.b"), EventType::named("a.b")), (json!({"type": "a.b", "envelope": false}), bare)]
        {
            assert_eq!(serde_json::to_value(&event_type).expect("it writes"), written);
            assert_eq!(serde_json::from_value::<EventType>(written).expect("it reads"), event_type);
        }
        let read = |value: Value| serde_json::from_value::<EventType>(value);
        let whole = json!({"type": "a.b", "envelope": true});
        assert_eq!(read(whole).expect("it reads"), EventType::named("a.b"));
        for (bad, words) in [
            (json!(7), "expected an event type, or a table of `type` and `envelope`"),
            (json!({"type": "a.b"}), "missing field `envelope`"),
            (json!({"type": "a.b", "envelop": false}), "unknown field `envelop`"),
        ] {
            let problem = read(bad).expect_err(words).to_string();
            assert!(problem.contains(words), "{problem}");
        }
    }
}
