//! Requests as they are written down: a line with method and path, headers, an empty line, a body. A person can read
//! and change what a fuzzer found. `{name}` stands for a value that only the server under test knows.

use std::collections::BTreeMap;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};

/// What stands for the names in braces.
pub(crate) type Values = BTreeMap<String, String>;

/// Takes further lines between the first and the empty one, which say what is not part of the request.
pub(crate) type Directive<'a> = dyn FnMut(&str) + 'a;

/// Begins a line that is a directive.
const DIRECTIVE: &[u8] = b"> ";

/// The request that a text describes; `None` for what no client could send.
pub(crate) fn request(text: &[u8], values: &Values, directive: &mut Directive<'_>) -> Option<Request<Body>> {
    let filled = fill(text, values);
    let (head, body) = match find(&filled, b"\n\n") {
        Some(at) => (&filled[..at], &filled[at + 2..]),
        None => (filled.as_slice(), &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let (method, path) = split(lines.next()?, b' ')?;
    let mut request = Request::builder()
        .method(Method::from_bytes(method).ok()?)
        .uri(Uri::try_from(path).ok()?)
        .body(Body::from(Bytes::copy_from_slice(body)))
        .ok()?;
    for line in lines.filter(|line| !line.is_empty()) {
        if let Some(said) = line.strip_prefix(DIRECTIVE) {
            directive(std::str::from_utf8(said).ok()?);
            continue;
        }
        let (name, value) = split(line, b':')?;
        let value = HeaderValue::from_bytes(value.trim_ascii()).ok()?;
        request.headers_mut().append(HeaderName::from_bytes(name).ok()?, value);
    }
    Some(request)
}

/// The text with each name in braces replaced; braces around anything else stay.
pub(crate) fn fill(text: &[u8], values: &Values) -> Vec<u8> {
    let mut filled = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'{') {
        filled.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let known = values.iter().find(|(name, _)| {
            rest[1..].starts_with(name.as_bytes()) && rest.get(name.len() + 1) == Some(&b'}')
        });
        match known {
            Some((name, value)) => {
                filled.extend_from_slice(value.as_bytes());
                rest = &rest[name.len() + 2..];
            }
            None => {
                filled.push(b'{');
                rest = &rest[1..];
            }
        }
    }
    filled.extend_from_slice(rest);
    filled
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = text.iter().position(|byte| *byte == at)?;
    Some((&text[..place], &text[place + 1..]))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_directives_are_told_apart() {
        let values = Values::from([("a".to_owned(), "1".to_owned()), ("key".to_owned(), "k".to_owned())]);
        let mut said = Vec::new();
        let text = b"POST /x/{a}?y={b}\nx-key: {key}\n> keep it\n\n{\"{a}\":{}}";
        let request = request(text, &values, &mut |line| said.push(line.to_owned())).expect("a request");
        assert_eq!(request.uri(), "/x/1?y={b}");
        assert_eq!(
            (&request.headers()["x-key"], said.as_slice()),
            (&HeaderValue::from_static("k"), &["keep it".to_owned()][..])
        );
        assert_eq!(fill(b"{\"{a}\":{}}", &values), b"{\"1\":{}}");
    }

    #[test]
    fn what_no_client_could_send_is_no_request() {
        for text in [&b""[..], b"GET", b"GET \0", b"G\xff /", b"GET /\nno colon", b"GET /\na: \x01"] {
            assert!(request(text, &Values::new(), &mut |_| ()).is_none(), "{text:?}");
        }
    }
}
