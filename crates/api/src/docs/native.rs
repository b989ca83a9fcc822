//! The operator side, as its document presents it.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;

use crate::dialect::{Dialect, native};
use crate::kit::codes::{Meaning, meaning};
use crate::kit::description::{Shape, Text};
use crate::kit::openapi::{Api, ErrorForm, Server};
use crate::kit::operation;
use crate::kit::problem::{self, Problem};

const ABOUT: &str = "A durable webhook engine. An event that was answered with 202 is on disk together with its \
                     deliveries; each is signed, sent, retried and recorded.\n\nUnknown fields and query parameters \
                     are refused by name. Errors are problem details (RFC 9457) with a stable `code`; each code is \
                     explained at `/docs/errors`. Every answer carries `X-Request-Id`.";

pub(super) fn api(dialects: &[Dialect]) -> Api {
    let mut operations = native::descriptions(dialects);
    operations.extend(operation::descriptions(native::health_operations()));
    operations.extend(super::descriptions());
    Api {
        title: "Signalpost".into(),
        about: ABOUT.into(),
        server: Server { address: "127.0.0.1:8081", about: "The operator address." },
        tags: native::TAGS.to_vec(),
        credentials: vec![("operatorKey", credential())],
        errors: errors(),
        operations,
        refined: Vec::new(),
    }
}

fn credential() -> Value {
    let about = "The installation's own key, or one made from it with `POST /v1/keys`. Answers to keys with a rate limit \
                 carry `RateLimit-Policy` and `RateLimit`.";
    json!({"type": "http", "scheme": "bearer", "description": about})
}

fn errors() -> ErrorForm {
    ErrorForm {
        media_type: problem::MEDIA_TYPE,
        schema: Shape::Of(|generator| generator.subschema_for::<Problem<'static>>()),
        status: |code| meaning(code).status,
        about,
        narrowed,
        headers,
    }
}

fn about(code: ErrorCode) -> Text {
    let Meaning { what, advice, .. } = meaning(code);
    Cow::Owned(format!("`{}`: {what} {advice}", code.name()))
}

fn narrowed(status: StatusCode, codes: &[ErrorCode]) -> Value {
    let names: Vec<&str> = codes.iter().map(|code| code.name()).collect();
    let title = status.canonical_reason().unwrap_or_default();
    json!({"properties": {
        "type": {"enum": names.iter().map(|name| problem::documented_at(name)).collect::<Vec<_>>()},
        "title": {"const": title},
        "status": {"const": status.as_u16()},
        "code": {"enum": names},
    }})
}

fn headers(code: ErrorCode) -> Option<(&'static str, &'static str)> {
    match code {
        ErrorCode::Unauthenticated => Some(("WWW-Authenticate", "`Bearer`")),
        code => meaning(code)
            .retry_after_s
            .map(|_| ("Retry-After", "Seconds after which another try makes sense.")),
    }
}
