//! The vendor's API with an instance's names, as its document presents it.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;

use super::{Instance, error, operations, profile, wire};
use crate::kit::description::{Shape, Text};
use crate::kit::openapi::{Api, ErrorForm, Server};
use crate::kit::operation;

const ABOUT: &str = "Webhooks send the events of a chain to a URL. Parameters stand in the query string, in a form or in a JSON \
                     object, on every method; what the body says of one holds. Parameters that a call does not know are \
                     ignored. Every success is answered with 200; errors have a `code` and a `name`.";

pub(super) fn api(instance: &Instance) -> Api {
    let below = |operations, base_path: &str| {
        let descriptions = operation::descriptions(operations).into_iter();
        descriptions.map(|description| description.below(base_path)).collect::<Vec<_>>()
    };
    let mut all = below(operations::calls(instance), &instance.base_path);
    all.extend(below(operations::logins(instance), &instance.auth_path));
    let header = |end: &str, about: &str| json!({"type": "apiKey", "in": "header", "name": instance.header(end), "description": about});
    Api {
        title: Cow::Owned(format!("Webhooks: {}", instance.name)),
        about: ABOUT.into(),
        server: Server { address: "127.0.0.1:8080", about: "The public address." },
        tags: vec![operations::WEBHOOKS, operations::SIGNATURES, operations::SESSIONS],
        credentials: vec![
            ("sessionKey", header(profile::KEY_HEADER, "Key of a session.")),
            ("sessionUser", header(profile::USER_HEADER, "Id of the user whose session it is.")),
        ],
        errors: errors(),
        operations: all,
        refined: Vec::new(),
    }
}

fn errors() -> ErrorForm {
    ErrorForm {
        media_type: "application/json",
        schema: Shape::Of(|generator| generator.subschema_for::<wire::Failed<'static>>()),
        status: |code| error::shown(code).status,
        about,
        narrowed,
        headers,
    }
}

fn about(code: ErrorCode) -> Text {
    let sentence = match code {
        ErrorCode::Malformed => "The body is not JSON, or not a form.",
        ErrorCode::UnsupportedMediaType => "The body is neither a form nor JSON by its content type.",
        ErrorCode::Invalid => {
            "A parameter is missing or cannot be used, the webhook or signature is of another chain, or there is no such \
             webhook; `description` names the parameter."
        }
        ErrorCode::TooLarge => "The body is too large.",
        ErrorCode::RequestTimeout => "The request did not arrive in time.",
        ErrorCode::Unauthenticated => "There is no valid session, or the password is wrong.",
        ErrorCode::Forbidden => "The user has no such right on the chain, or it does not exist.",
        ErrorCode::NotFound => "There is no such signature.",
        ErrorCode::RateLimited => "Too many wrong keys or passwords came.",
        ErrorCode::LimitReached => "There are as many as there may be.",
        ErrorCode::Unavailable => "The request cannot be taken now; try again.",
        other => other.name(),
    };
    sentence.into()
}

/// What errors of this status there are.
fn narrowed(status: StatusCode, _: &[ErrorCode]) -> Value {
    let faults = || profile::FAULTS.iter().filter(|fault| fault.status == status);
    let codes: Vec<u32> = faults().map(|fault| fault.code).collect();
    let names: Vec<&str> = faults().map(|fault| fault.name).collect();
    let properties = json!({"code": {"enum": codes}, "name": {"enum": names}});
    json!({"properties": {"error": {"$ref": "#/components/schemas/Problem", "properties": properties}}})
}

fn headers(code: ErrorCode) -> Option<(&'static str, &'static str)> {
    let after = ("Retry-After", "Seconds after which another try makes sense.");
    let waits =
        matches!(error::shown(code).status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
    waits.then_some(after)
}
