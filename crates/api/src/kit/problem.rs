//! RFC 9457 problem details: the operator side's errors, and those outside every dialect.

use axum::response::Response;
use http::HeaderValue;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use schemars::JsonSchema;
use serde::Serialize;
use signalpost_core::error::{ErrorCode, FieldError};

use crate::kit::codes::{Meaning, meaning};
use crate::kit::context::Context;
use crate::kit::refusal::Refusal;
use crate::kit::reply;

pub(crate) const MEDIA_TYPE: &str = "application/problem+json";
/// Where the documentation explains a problem's code, as a URI reference.
const DOCUMENTATION: &str = "/docs/errors#";

/// What every error looks like (RFC 9457).
#[derive(Serialize, JsonSchema)]
pub(crate) struct Problem<'a> {
    /// Where the code is explained: a reference relative to the operator address.
    #[schemars(example = &"/docs/errors#not_found", extend("format" = "uri-reference"))]
    r#type: String,
    /// The status in words.
    #[schemars(example = &"Not Found")]
    title: &'a str,
    /// The HTTP status.
    #[schemars(example = 404, range(min = 400, max = 599))]
    status: u16,
    /// What is wrong with this request, for a person.
    #[schemars(example = &"no such webhook")]
    detail: &'a str,
    /// The stable name of what went wrong, for a program.
    #[schemars(example = &"not_found", extend("enum" = ErrorCode::ALL.map(ErrorCode::name)))]
    code: &'a str,
    /// The name under which the server's log knows this request; equal to the header `X-Request-Id`.
    #[schemars(example = &"req_0aB3dE6gH9jK2mN5")]
    request_id: &'a str,
    /// Every broken rule, when `code` is `invalid_request`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<At<'a>>,
}

/// One broken rule.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BrokenRule")]
struct At<'a> {
    /// Leads into the body (RFC 6901), or names a query parameter or a header.
    #[schemars(example = &"/url")]
    pointer: String,
    /// The rule, without a full stop.
    #[schemars(example = &"must name a host")]
    detail: &'a str,
}

/// The `type` of a code's problems.
pub(crate) fn documented_at(code: &str) -> String {
    format!("{DOCUMENTATION}{code}")
}

pub(crate) fn render(refusal: &Refusal, context: &Context) -> Response {
    let error = refusal.error();
    let Meaning { status, retry_after_s, .. } = meaning(error.code);
    let code = error.code.name();
    let problem = Problem {
        r#type: documented_at(code),
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail: &error.message,
        code,
        request_id: &context.request_id,
        errors: error.fields.iter().map(at).collect(),
    };
    let bytes = serde_json::to_vec(&problem).expect("texts and numbers always serialise");
    let mut response = reply::with_type(status, MEDIA_TYPE, bytes);
    if error.code == ErrorCode::Unauthenticated {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response.headers_mut().extend(retry_after_s.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds))));
    response
}

fn at(field: &FieldError) -> At<'_> {
    At { pointer: format!("/{}", field.field), detail: &field.message }
}
