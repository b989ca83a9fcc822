//! What every page shares: head, navigation, style, and the headers that let a browser do nothing else.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use super::html::Html;
use crate::kit::reply;

const STYLE: &str = include_str!("style.css");

/// A place in the navigation.
pub(super) struct Link {
    pub(super) to: String,
    pub(super) text: String,
}

/// A whole page. `here` is the path of the page, as it stands in the navigation.
pub(super) fn page(title: &str, links: &[Link], here: &str, content: &str) -> String {
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.element("title", title).raw("\n<style>").raw(STYLE).raw("</style>\n</head>\n<body>\n");
    html.raw("<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<div class=\"page\">\n");
    html.raw("<nav aria-label=\"Documents\"><strong>Signalpost</strong>\n");
    for Link { to, text } in links {
        let current = [("href", to.as_str()), ("aria-current", "page")];
        html.open("a", if to == here { &current } else { &current[..1] }).text(text).raw("</a>\n");
    }
    html.raw("</nav>\n<main id=\"content\">\n").raw(content).raw("</main>\n</div>\n</body>\n</html>\n");
    html.finish()
}

/// A page as an answer. It may use its own style and nothing else: no script, no image, no other host, no frame.
pub(super) fn answer(page: &Bytes) -> Response {
    let hash = BASE64.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let mut response = reply::with_type(StatusCode::OK, "text/html; charset=utf-8", page.clone());
    let headers = response.headers_mut();
    let policy = HeaderValue::from_str(&policy).expect("base64 and words are good in a header");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
