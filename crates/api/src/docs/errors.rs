//! The page of error codes. Problems lead here: the anchor of each code is its name.

use signalpost_core::error::ErrorCode;

use super::html::Html;
use crate::kit::codes::{Meaning, meaning};

const ABOUT: &str = "Every error of the operator address is a problem (RFC 9457) in `application/problem+json`. `code` is \
                     stable and meant for programs, `detail` is for people and may change. `errors` names every broken \
                     rule with a pointer into the body (RFC 6901), or the name of a query parameter or header.\n\nA \
                     dialect on the public address answers in the error shape of its own document.";
const EXAMPLE: &str = r#"{
  "type": "/docs/errors#invalid_request",
  "title": "Unprocessable Entity",
  "status": 422,
  "detail": "url: must name a host",
  "code": "invalid_request",
  "request_id": "req_0aB3dE6gH9jK2mN5",
  "errors": [{"pointer": "/url", "detail": "must name a host"}]
}"#;

pub(super) fn content() -> String {
    let mut html = Html::default();
    html.element("h1", "Errors").paragraphs(ABOUT);
    html.raw("<pre tabindex=\"0\">").text(EXAMPLE).raw("</pre>\n");
    for code in ErrorCode::ALL {
        let Meaning { status, what, advice, retry_after_s } = meaning(code);
        html.open("h3", &[("id", code.name())]).element("code", code.name()).raw("</h3>\n");
        let reason = status.canonical_reason().unwrap_or_default();
        html.raw("<p class=\"muted\">").text(&format!("{} {reason}", status.as_u16()));
        if let Some(seconds) = retry_after_s {
            html.text(&format!(", with Retry-After: {seconds}"));
        }
        html.raw("</p>\n").paragraphs(what).paragraphs(advice);
    }
    html.finish()
}
