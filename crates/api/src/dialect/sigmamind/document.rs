//! The vendor's API with an instance's names, as its document presents it.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};
use signalpost_core::error::{Error, ErrorCode};

use super::{Instance, error, operations, wire};
use crate::kit::description::{Shape, Text};
use crate::kit::openapi::{Api, ErrorForm, Server};
use crate::kit::operation;

const ABOUT: &str = "Webhooks notify a URL of yours when a conversation starts, ends or has been analysed. Each request \
                     carries a signature made with the webhook's secret.";

pub(super) fn api(instance: &Instance) -> Api {
    let descriptions = operation::descriptions(operations::operations(instance)).into_iter();
    Api {
        title: Cow::Owned(format!("Webhooks: {}", instance.name)),
        about: ABOUT.into(),
        server: Server { address: "127.0.0.1:8080", about: "The public address." },
        tags: vec![operations::TAG],
        credentials: vec![("apiKeyAuth", credential(instance))],
        errors: errors(),
        operations: descriptions.map(|description| description.below(&instance.base_path)).collect(),
        refined: vec![(
            "/Webhook/properties/events/items",
            json!({"type": "string", "enum": instance.events}),
        )],
    }
}

fn credential(instance: &Instance) -> Value {
    json!({"type": "apiKey", "in": "header", "name": instance.api_key_header, "description": "API key of a workspace."})
}

fn errors() -> ErrorForm {
    ErrorForm {
        media_type: "application/json",
        schema: Shape::Of(|generator| generator.subschema_for::<wire::Error<'static>>()),
        status: error::status,
        about,
        narrowed,
        headers,
    }
}

/// The documented sentences where there are any.
fn about(code: ErrorCode) -> Text {
    let sentence = match code {
        ErrorCode::Malformed => "The body is not JSON.",
        ErrorCode::UnsupportedMediaType => "The content type is not `application/json`.",
        ErrorCode::Invalid => "Invalid request parameters; `validationErrors` names them.",
        ErrorCode::TooLarge => "The body is too large.",
        ErrorCode::RequestTimeout => "The request did not arrive in time.",
        ErrorCode::Unauthenticated => "The API key is missing or invalid.",
        ErrorCode::Unavailable => "The request cannot be taken now; try again.",
        other => return Cow::Owned(error::shown(&Error::new(other, other.name())).1.to_owned()),
    };
    sentence.into()
}

fn narrowed(status: StatusCode, _: &[ErrorCode]) -> Value {
    let reason = status.canonical_reason().unwrap_or_default();
    json!({"properties": {"status": {"const": status.as_u16()}, "error": {"const": reason}}})
}

fn headers(code: ErrorCode) -> Option<(&'static str, &'static str)> {
    let after = ("Retry-After", "Seconds after which another try makes sense.");
    (error::status(code) == StatusCode::SERVICE_UNAVAILABLE).then_some(after)
}
