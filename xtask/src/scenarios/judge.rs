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
