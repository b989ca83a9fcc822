//! Builds the HTTP request from what the engine wants sent.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::Full;
use signalpost_core::attempt::Failure;
use signalpost_core::custom_header::{is_reserved, reads_as};
use signalpost_core::ports::OutboundRequest;
use signalpost_core::target_url::TargetUrl;

use crate::outcome::Fault;

/// Headers that say how the message travels. Whoever sets them could make two readers of the connection
/// disagree about where a request ends, so they are the transport's alone.
const OURS: [&str; 11] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "proxy-connection",
    "keep-alive",
    "upgrade",
    "http2-settings",
    "te",
    "trailer",
    "expect",
];

/// A `POST` with the headers in their order, `Host` first, the secret ones last. `Host` and the target are filled in by the
/// connection that sends it.
///
/// The secret ones are a customer's. Their names were judged when they were set; here they are once more, because what was
/// stored then is sent now, and neither may they stand beside a header of the delivery that receivers could take them for.
pub(crate) fn build(outbound: &OutboundRequest) -> Result<Request<Full<Bytes>>, Fault> {
    let mut headers = HeaderMap::with_capacity(outbound.headers.len() + outbound.secret_headers.len() + 1);
    headers.insert(HOST, HeaderValue::from_static(""));
    for (name, text) in &outbound.headers {
        let (name, value) = header(name, text.as_bytes())?;
        headers.append(name, value);
    }
    for (name, secret) in outbound.secret_headers.iter() {
        if is_reserved(name) || outbound.headers.iter().any(|(known, _)| reads_as(name, known)) {
            return Err(cannot(name, SERVERS_ALONE));
        }
        let (name, mut value) = header(name, secret.expose())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    if outbound.body.is_empty() {
        // The HTTP library says a length of its own accord only where there is something to be measured.
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let mut request = Request::new(Full::new(outbound.body.clone()));
    *request.method_mut() = Method::POST;
    *request.headers_mut() = headers;
    Ok(request)
}

fn header(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), Fault> {
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| cannot(name, "has a bad name"))?;
    if OURS.iter().any(|ours| reads_as(name, ours)) {
        return Err(cannot(name, SERVERS_ALONE));
    }
    let value =
        HeaderValue::from_bytes(value).map_err(|_| cannot(name, "has a value with control characters"))?;
    Ok((header, value))
}

pub(crate) fn host(url: &TargetUrl) -> Result<HeaderValue, Fault> {
    HeaderValue::from_maybe_shared(Bytes::from(url.host_header())).map_err(|_| bad_url())
}

/// The request target in origin form.
pub(crate) fn target(url: &TargetUrl) -> Result<Uri, Fault> {
    Uri::from_maybe_shared(Bytes::from(url.path_and_query())).map_err(|_| bad_url())
}

const SERVERS_ALONE: &str = "is set by the server alone";

fn cannot(name: &str, why: &str) -> Fault {
    Fault::new(Failure::Internal, format!("The request was not sent: its header {name:?} {why}."))
}

fn bad_url() -> Fault {
    Fault::new(Failure::Internal, "The request was not sent: its URL has a form that HTTP cannot carry.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalpost_core::secret::Secret;
    use std::sync::Arc;
    use std::time::Duration;

    fn outbound(headers: &[(&str, &str)]) -> OutboundRequest {
        OutboundRequest {
            url: Arc::new(TargetUrl::parse("http://example.com/").expect("a good URL")),
            headers: headers.iter().map(|(name, value)| (Arc::from(*name), (*value).to_owned())).collect(),
            secret_headers: Arc::default(),
            body: Bytes::from_static(b"{}"),
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn headers_keep_their_order_and_repeat() {
        let request = build(&outbound(&[("x-b", "1"), ("x-a", "2"), ("x-b", "3"), ("x-ü-value", "ü")][..3]))
            .expect("good headers");
        let names: Vec<&str> = request.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["host", "x-b", "x-a"]);
        let repeated: Vec<&HeaderValue> = request.headers().get_all("x-b").iter().collect();
        assert_eq!(repeated, ["1", "3"]);
        assert!(build(&outbound(&[("x-name", "Müller")])).is_ok(), "text beyond ASCII is sent as it is");
    }

    #[test]
    fn secret_headers_come_last_and_are_not_shown() {
        let secret = |text: &str| Secret::from_text(text);
        let with = |name: &str, text: &str| OutboundRequest {
            secret_headers: [(Arc::from(name), secret(text))].into(),
            ..outbound(&[("x-z", "1")])
        };
        let given = with("x-api-key", "canary-3f9a");
        assert!(!format!("{given:?}").contains("canary"));
        let request = build(&given).expect("good headers");
        let names: Vec<&str> = request.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["host", "x-z", "x-api-key"]);
        assert_eq!(request.headers()["x-api-key"], "canary-3f9a");
        assert!(!format!("{:?}", request.headers()).contains("canary"));
        for (name, value) in [
            ("host", "evil"),
            ("x-a", "b\r\nc: d"),
            ("x a", "b"),
            ("content_length", "0"),
            ("proxy-authorization", "c: d"),
            ("content-encoding", "gzip"),
            ("x-z", "2"),
            ("x_Z", "2"),
        ] {
            let fault = build(&with(name, value)).expect_err(name);
            assert!(fault.failure == Failure::Internal && !fault.detail.contains("c: d"), "{}", fault.detail);
        }
    }

    #[test]
    fn headers_that_could_split_a_request_are_refused() {
        let table = [
            ("x-a", "b\r\nhost: evil"),
            ("x-a", "b\n"),
            ("x-a", "b\0"),
            ("x a", "b"),
            ("x:a", "b"),
            ("", "b"),
            ("x-ü", "b"),
            ("host", "evil"),
            ("Host", "evil"),
            ("content-length", "0"),
            ("transfer-encoding", "chunked"),
            ("connection", "close"),
            ("upgrade", "h2c"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("expect", "100-continue"),
            ("keep-alive", "timeout=1"),
            ("proxy-connection", "close"),
            ("http2-settings", "AAMAAABk"),
            ("Transfer_Encoding", "chunked"),
            (":authority", "evil"),
        ];
        for (name, value) in table {
            let fault = build(&outbound(&[(name, value)])).expect_err(name);
            assert_eq!(fault.failure, Failure::Internal, "{name}: {value:?}");
        }
    }

    /// What the URL parser leaves unescaped must be sayable in a request line.
    #[test]
    fn every_printable_character_of_a_url_can_be_sent() {
        for c in (0x21..0x7f).map(char::from).chain(['ü', '🧀']) {
            for text in [format!("http://example.com/a{c}b"), format!("http://example.com/?a{c}b")] {
                let Ok(url) = TargetUrl::parse(&text) else {
                    assert_eq!(c, '\\', "only the backslash is refused");
                    continue;
                };
                let target = target(&url).unwrap_or_else(|fault| panic!("{text}: {}", fault.detail));
                assert_eq!(target.to_string(), url.path_and_query());
            }
        }
    }
}
