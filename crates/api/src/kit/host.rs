//! The host that a request is for, and the names that a configuration may give to one.

use std::net::Ipv6Addr;

use axum::extract::Request;
use http::header::HOST;
use signalpost_core::limits::{DNS_LABEL_CHARS_MAX, DNS_NAME_CHARS_MAX};

/// In lower case and without a port. An absolute target's host goes before the header's (RFC 9112 section 3.2.2).
pub(crate) fn host_of(request: &Request) -> Option<String> {
    let header = || request.headers().get(HOST)?.to_str().ok();
    let authority = request.uri().authority().map(|authority| authority.as_str()).or_else(header)?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    Some(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase())
}

/// A host as requests name it: a name of the DNS, an IPv4 address, or an IPv6 address in brackets. The error is a sentence
/// without its subject.
pub(crate) fn checked(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let permitted = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=DNS_LABEL_CHARS_MAX).contains(&label.len()) && label.bytes().all(permitted)
    };
    let literal = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let good = match literal {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => text.len() <= DNS_NAME_CHARS_MAX && text.split('.').all(label),
    };
    if good {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!("`{text}` is not a host such as `hooks.acme.example`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn a_request_is_for_the_host_that_it_names() {
        let request = |target: &str, host: &str| {
            Request::builder().uri(target).header(HOST, host).body(Body::empty()).expect("a good request")
        };
        for (target, host, expected) in [
            ("/v1", "hooks.acme.example", "hooks.acme.example"),
            ("/v1", "Hooks.ACME.example:8080", "hooks.acme.example"),
            ("/v1", "hooks.acme.example.", "hooks.acme.example"),
            ("/v1", "[::1]:80", "[::1]"),
            ("/v1", "[::1]", "[::1]"),
            ("/v1", "127.0.0.1:80", "127.0.0.1"),
            ("http://a.example:1/v1", "b.example", "a.example"),
        ] {
            assert_eq!(host_of(&request(target, host)).as_deref(), Some(expected), "{target} {host}");
        }
        let without = Request::builder().uri("/v1").body(Body::empty()).expect("a good request");
        assert_eq!(host_of(&without), None);
    }

    #[test]
    fn hosts_have_neither_ports_nor_paths() {
        for (good, expected) in [
            ("a", "a"),
            ("Hooks.Acme-1.example", "hooks.acme-1.example"),
            ("10.0.0.1", "10.0.0.1"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(checked(good).as_deref(), Ok(expected));
        }
        let long = ["a"; 128].join(".");
        for bad in ["", ".", "a.", "a..b", "a:80", "http://a", "a/b", "*.a", "é", "[x]", "[::1", "::1", &long]
        {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}
