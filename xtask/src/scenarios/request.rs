//! A call as a step writes it down: its path with a query, its headers, and a body as JSON, as a form or as raw text.

use serde_json::{Map, Value};
use signalpost_testkit::Request;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The call, with those of the default headers that the step does not set itself.
pub(super) fn request_of(arguments: &Value, defaults: &Map<String, Value>) -> Result<Request, String> {
    let text = |name: &str| arguments[name].as_str().ok_or_else(|| format!("the call has no `{name}`"));
    let mut path = text("path")?.to_owned();
    if !arguments["query"].is_null() {
        path = format!("{path}?{}", encoded(&arguments["query"])?);
    }
    let mut request = Request::new(text("method")?, &path);
    let mut headers = defaults.clone();
    for (name, value) in arguments["headers"].as_object().into_iter().flatten() {
        headers.retain(|known, _| !known.eq_ignore_ascii_case(name));
        headers.insert(name.clone(), value.clone());
    }
    let says_type = headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
    // A header whose value is null is left out, a default one too.
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_null()) {
        request = request.header(name, &plain(value)?);
    }
    let (body, content_type) = body_of(arguments)?;
    request.body = body;
    if !request.body.is_empty() && !says_type {
        request = request.header("content-type", content_type);
    }
    Ok(request)
}

/// The body's bytes and what they are, unless a header says otherwise.
fn body_of(arguments: &Value) -> Result<(Vec<u8>, &'static str), String> {
    let given = ["body", "form", "raw_body"].into_iter().filter(|name| !arguments[*name].is_null());
    if given.count() > 1 {
        return Err("the call has more than one body".to_owned());
    }
    let (body, content_type) = match (&arguments["raw_body"], &arguments["form"], &arguments["body"]) {
        (Value::String(raw), ..) => (raw.clone(), JSON),
        (_, Value::Null, Value::Null) => (String::new(), JSON),
        (_, Value::Null, json) => (json.to_string(), JSON),
        (_, form, _) => (encoded(form)?, FORM),
    };
    Ok((body.into_bytes(), content_type))
}

/// Names and values as in a query and a form; the values of a list come one after the other under its name.
fn encoded(fields: &Value) -> Result<String, String> {
    let fields = fields.as_object().ok_or_else(|| format!("{fields} has no names and values"))?;
    let mut pairs = Vec::new();
    for (name, value) in fields {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            pairs.push(format!("{}={}", percent(name), percent(&plain(value)?)));
        }
    }
    Ok(pairs.join("&"))
}

/// A text as it is; a number and a truth value as they are written.
fn plain(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        other => Err(format!("{other} cannot be written as a text")),
    }
}

/// Everything but unreserved characters, escaped (RFC 3986 section 2).
fn percent(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(arguments: &Value) -> Result<Request, String> {
        let defaults = json!({"X-Id": 7, "X-Key": "k"});
        request_of(arguments, defaults.as_object().expect("an object"))
    }

    #[test]
    fn parameters_go_where_the_step_puts_them() {
        let fields = json!({"a": "x y&=ü", "b": 7, "c": true, "d": ["1", "2"]});
        let text = "a=x%20y%26%3D%C3%BC&b=7&c=true&d=1&d=2";
        let query = request(&json!({"method": "GET", "path": "/p", "query": fields})).expect("a call");
        assert_eq!((query.path, query.body), (format!("/p?{text}"), Vec::new()));
        let headers =
            [("X-Id", "7"), ("X-Key", "k")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(query.headers, headers, "no body, no type");
        let form = request(&json!({"method": "PUT", "path": "/p", "form": fields})).expect("a call");
        assert_eq!((form.path.as_str(), form.body.as_slice()), ("/p", text.as_bytes()));
        assert!(form.headers.contains(&("content-type".to_owned(), FORM.to_owned())));
    }

    #[test]
    fn a_step_may_leave_headers_out_and_set_its_own() {
        let call = json!({"method": "PUT", "path": "/", "headers": {"x-key": null, "Content-Type": null}, "body": {}});
        let request = request(&call).expect("a call");
        assert_eq!(request.headers, [("X-Id".to_owned(), "7".to_owned())]);
        assert_eq!(request.body, b"{}");
    }

    #[test]
    fn what_cannot_be_sent_is_an_error() {
        for bad in [
            json!({"path": "/"}),
            json!({"method": "PUT", "path": "/", "form": {"a": null}}),
            json!({"method": "PUT", "path": "/", "form": {"a": {}}}),
            json!({"method": "PUT", "path": "/", "form": "a=b"}),
            json!({"method": "PUT", "path": "/", "form": {"a": 1}, "body": {"a": 1}}),
            json!({"method": "PUT", "path": "/", "headers": {"a": []}}),
        ] {
            assert!(request(&bad).is_err(), "{bad}");
        }
    }
}
