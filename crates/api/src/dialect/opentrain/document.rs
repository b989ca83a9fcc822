//! Both of the vendor's APIs with an instance's names, as its document presents them.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;

use super::{Instance, error, operations, schemas};
use crate::kit::description::{Shape, Text};
use crate::kit::openapi::{Api, ErrorForm, Server};
use crate::kit::operation;

const ABOUT: &str = "Webhooks send events to a URL of yours as they happen, signed with the webhook's secret. Errors have \
                     a `code` and, where there is more to say, `details`.";

pub(super) fn api(instance: &Instance) -> Api {
    let descriptions = operation::descriptions(operations::operations(instance)).into_iter();
    Api {
        title: Cow::Owned(format!("Webhooks: {}", instance.name)),
        about: ABOUT.into(),
        server: Server { address: "127.0.0.1:8080", about: "The public address." },
        tags: vec![operations::TAG],
        credentials: vec![("token", credential(instance))],
        errors: errors(),
        operations: descriptions.map(|description| description.below(&instance.base_path)).collect(),
        refined: Vec::new(),
    }
}

fn credential(instance: &Instance) -> Value {
    let about = format!("A token such as `{}…`.", instance.token_prefix);
    json!({"type": "http", "scheme": "bearer", "description": about})
}

fn errors() -> ErrorForm {
    ErrorForm {
        media_type: "application/json",
        schema: Shape::Named("Error", schemas::error()),
        status: |code| error::shown(code).0,
        about,
        narrowed,
        headers,
    }
}

fn about(code: ErrorCode) -> Text {
    let sentence = match code {
        ErrorCode::Malformed => "The body is not JSON.",
        ErrorCode::UnsupportedMediaType => "The content type is not `application/json`.",
        ErrorCode::Invalid => "Something in the request breaks a rule; `details.field` names it.",
        ErrorCode::TooLarge => "The body is too large.",
        ErrorCode::RequestTimeout => "The request did not arrive in time.",
        ErrorCode::Unauthenticated => "The token is missing, unknown, expired or revoked.",
        ErrorCode::Forbidden => {
            "The token lacks scopes, which `details.requiredScopes` names, or the account a feature, which \
             `details.featureKey` names."
        }
        ErrorCode::NotFound => "It does not exist for this token.",
        ErrorCode::RateLimited => "Too many requests with a wrong token came from this address.",
        ErrorCode::LimitReached => "There are as many webhooks as there may be.",
        ErrorCode::Unavailable => "The request cannot be taken now; try again.",
        other => other.name(),
    };
    sentence.into()
}

fn narrowed(_: StatusCode, codes: &[ErrorCode]) -> Value {
    let codes: Vec<&str> = codes.iter().map(|code| error::shown(*code).1).collect();
    json!({"properties": {"code": {"enum": codes}}})
}

fn headers(code: ErrorCode) -> Option<(&'static str, &'static str)> {
    match error::shown(code).0 {
        StatusCode::UNAUTHORIZED => Some(("WWW-Authenticate", "`Bearer`")),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            Some(("Retry-After", "Seconds after which another try makes sense."))
        }
        _ => None,
    }
}
