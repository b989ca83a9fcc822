//! The event types of both APIs: who may read them and what their data holds.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

/// One type of event. A configuration may write its name alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventType {
    pub name: String,
    /// The scope that reading it takes, in a feed or by a webhook; `None` for any token.
    pub scope: Option<String>,
    /// Members that its data has at least.
    pub data: Vec<String>,
}

/// With the scope that reading takes and the documented keys of the data, which may hold more.
const PUBLIC: [(&str, &str, &[&str]); 8] = [
    ("proposal.received", "proposals:read", &["proposalId", "jobId"]),
    ("proposal.status_changed", "proposals:read", &["proposalId", "status"]),
    ("message.received", "messages:read", &["conversationId", "messageId"]),
    ("contract.created", "payments:read", &["contractId", "jobId", "proposalId"]),
    ("milestone.status_changed", "payments:read", &["milestoneId", "contractId", "status"]),
    ("payment.pending", "payments:read", &["invoiceId", "milestoneId", "contractId"]),
    ("approval.confirmed", "payments:read", &["approvalId", "status"]),
    ("contract.budget_state_changed", "payments:read", &["contractId", "state", "previousState"]),
];
/// The last event of an install.
pub(super) const REVOKED: &str = "install.revoked";
/// Any token of an install reads them, and their data is any object.
const PARTNER: [&str; 8] = [
    "contract.started",
    "contract.ended",
    "project_link.created",
    "project_link.removed",
    REVOKED,
    "milestone.funded",
    "milestone.budget_low",
    "milestone.budget_depleted",
];

pub(super) fn public() -> Vec<EventType> {
    let event_type = |(name, scope, data): (&str, &str, &[&str])| EventType {
        name: name.to_owned(),
        scope: Some(scope.to_owned()),
        data: data.iter().map(|member| (*member).to_owned()).collect(),
    };
    PUBLIC.map(event_type).into()
}

pub(super) fn partner() -> Vec<EventType> {
    PARTNER.map(EventType::named).into()
}

impl EventType {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), scope: None, data: Vec::new() }
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { name, scope, data } = self;
        if scope.is_none() && data.is_empty() {
            return serializer.serialize_str(name);
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", name)?;
        if let Some(scope) = scope {
            map.serialize_entry("scope", scope)?;
        }
        map.serialize_entry("data", data)?;
        map.end()
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
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    data: Vec<String>,
}

impl<'de> Visitor<'de> for Written {
    type Value = EventType;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event type, or a table of `type`, `scope` and `data`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<EventType, E> {
        Ok(EventType::named(name))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EventType, A::Error> {
        let Whole { r#type, scope, data } = Whole::deserialize(MapAccessDeserializer::new(map))?;
        Ok(EventType { name: r#type, scope, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn event_types_are_written_short_or_whole() {
        let table = [
            (json!("a.b"), EventType::named("a.b")),
            (
                json!({"type": "a.b", "scope": "a:read", "data": ["aId"]}),
                EventType {
                    name: "a.b".to_owned(),
                    scope: Some("a:read".to_owned()),
                    data: vec!["aId".to_owned()],
                },
            ),
        ];
        for (written, event_type) in table {
            assert_eq!(serde_json::to_value(&event_type).expect("it writes"), written);
            assert_eq!(serde_json::from_value::<EventType>(written).expect("it reads"), event_type);
        }
        let read = |value: Value| serde_json::from_value::<EventType>(value);
        assert_eq!(read(json!({"type": "a.b"})).expect("it reads"), EventType::named("a.b"));
        for (bad, words) in [
            (json!(7), "expected an event type, or a table of `type`, `scope` and `data`"),
            (json!({"scope": "a:read"}), "missing field `type`"),
            (json!({"type": "a.b", "scpe": "a:read"}), "unknown field `scpe`"),
        ] {
            let problem = read(bad).expect_err(words).to_string();
            assert!(problem.contains(words), "{problem}");
        }
    }
}
