//! Judges an answer or a delivery by what its step expects.

use serde_json::{Value, json};
use signalpost_testkit::Response;

use super::matcher::{differences, keys_in_order};

pub(super) fn response(response: &Response, expect: &Value) -> Vec<String> {
    let status = json!(response.status);
    let wanted = &expect["status"];
    let fits = wanted.as_array().map_or(*wanted == status, |choices| choices.contains(&status));
    let mut problems = Vec::new();
    if !fits {
        problems.push(format!("the status is {status}, expected {wanted}"));
    }
    problems.extend(parts(&response.headers, &response.body, expect));
    problems
}

pub(super) fn parts(headers: &[(String, String)], body: &[u8], expect: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, wanted) in expect["headers"].as_object().into_iter().flatten() {
        let lower = name.to_ascii_lowercase();
        let found = headers.iter().find(|(known, _)| *known == lower).map(|(_, value)| json!(value));
        problems.extend(differences(&format!("header {name}"), wanted, found.as_ref()));
    }
    if let Some(names) = expect["header_names"].as_array() {
        problems.extend(other_names(headers, names));
    }
    if !expect["raw_body"].is_null() {
        let text = json!(String::from_utf8_lossy(body));
        problems.extend(differences("the body's text", &expect["raw_body"], Some(&text)));
    }
    if expect["empty_body"] == true && !body.is_empty() {
        problems.push("the body is not empty".to_owned());
    }
    if !expect["body"].is_null() {
        match serde_json::from_slice::<Value>(body) {
            Ok(json) => problems.extend(differences("body", &expect["body"], Some(&json))),
            Err(error) => problems.push(format!("the body is not JSON: {error}")),
        }
    }
    if let Some(keys) = expect["keys_in_order"].as_array() {
        let keys: Vec<String> = keys.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        problems.extend(keys_in_order(&String::from_utf8_lossy(body), &keys).err());
    }
    problems
}

/// Headers that are missing, that came beside those expected, or that came twice.
fn other_names(headers: &[(String, String)], expected: &[Value]) -> Option<String> {
    let mut expected: Vec<&str> = expected.iter().filter_map(Value::as_str).collect();
    let mut found: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    expected.sort_unstable();
    found.sort_unstable();
    (found != expected).then(|| format!("the headers are {found:?}, expected {expected:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_bytes_can_be_expected_exactly() {
        let headers = [("b".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())];
        let body = b"{\"n\": 1.0}";
        for good in [json!({"header_names": ["a", "b"]}), json!({"raw_body": "{\"n\": 1.0}"})] {
            assert_eq!(parts(&headers, body, &good), [""; 0], "{good}");
        }
        for bad in [
            json!({"header_names": ["a"]}),
            json!({"header_names": ["a", "b", "c"]}),
            json!({"header_names": ["a", "b", "b"]}),
            json!({"raw_body": "{\"n\":1.0}"}),
        ] {
            assert_eq!(parts(&headers, body, &bad).len(), 1, "{bad}");
        }
    }
}
