//! What an error says beside its sentence, by what went wrong.

use serde_json::{Map, Value, json};
use signalpost_core::error::{Error, ErrorCode, FieldError};

use super::{Instance, profile};
use crate::kit::refusal::Refusal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Details {
    /// The feature that the workspace does not have.
    FeatureOff(String),
    /// Scopes that the token lacks, and the event types that take them where it is about those.
    ScopesMissing {
        required: Vec<String>,
        event_types: Vec<String>,
    },
    UnknownTypes {
        unknown: Vec<String>,
        supported: Vec<String>,
    },
    /// An object that does not exist for the caller: the collection, and the name and value of its id.
    Missing {
        resource: String,
        id_name: String,
        id: String,
    },
    LimitReached {
        limit: usize,
    },
    /// The feed no longer goes back to the cursor; the oldest one from which on nothing is missing.
    CursorExpired {
        oldest: String,
    },
}

impl Details {
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::FeatureOff(feature) => json!({"featureKey": feature}),
            Self::ScopesMissing { required, event_types } if event_types.is_empty() => {
                json!({"requiredScopes": required})
            }
            Self::ScopesMissing { required, event_types } => {
                json!({"requiredScopes": required, "eventTypes": event_types})
            }
            Self::UnknownTypes { unknown, supported } => {
                json!({"field": "eventTypes", "unknownEventTypes": unknown, "supportedEventTypes": supported})
            }
            Self::Missing { resource, id_name, id } => Value::Object(Map::from_iter([
                ("resource".to_owned(), json!(resource)),
                (id_name.clone(), json!(id)),
            ])),
            Self::LimitReached { limit } => json!({"reason": profile::LIMIT_REACHED, "limit": limit}),
            Self::CursorExpired { oldest } => {
                json!({"field": "cursor", "reason": profile::CURSOR_EXPIRED, "oldestCursor": oldest})
            }
        }
    }
}

/// What is said of broken fields: the first one, and all of them when there are several.
pub(super) fn of_fields(fields: &[FieldError]) -> Option<Value> {
    // An element's place belongs to its list.
    let name = |field: &FieldError| field.field.split('/').next().unwrap_or_default().to_owned();
    let first = name(fields.first()?);
    if fields.len() == 1 {
        return Some(json!({"field": first}));
    }
    let issues: Vec<Value> =
        fields.iter().map(|field| json!({"field": name(field), "message": field.message})).collect();
    Some(json!({"field": first, "issues": issues}))
}

/// Says which webhook it is that does not exist, if that is what went wrong.
pub(super) fn of_webhook(instance: &Instance, id: &str) -> impl FnOnce(Error) -> Refusal {
    let missing = Details::Missing {
        resource: instance.objects.clone(),
        id_name: instance.id_name.clone(),
        id: id.to_owned(),
    };
    move |error| match error.code {
        ErrorCode::NotFound => Refusal::with(error, missing),
        _ => error.into(),
    }
}
