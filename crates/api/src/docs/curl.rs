//! A command line for each operation, ready to be pasted once its capital words are set.

use serde_json::Value;

/// A `curl` call of an operation, its ids and body filled in from the document's examples.
pub(super) fn of(method: &str, path: &str, operation: &Value, document: &Value) -> String {
    let mut lines = vec![format!("curl{} '{}'", option(method), address(path, operation, document))];
    lines.extend(credentials(operation, document));
    if let Some((media_type, content)) = body(operation) {
        let example =
            content["example"].as_str().map_or_else(|| content["example"].to_string(), str::to_owned);
        lines.push(format!("-H 'Content-Type: {media_type}'"));
        lines.push(format!("--data-binary '{}'", example.trim_end().replace('\'', "'\\''")));
    }
    lines.join(" \\\n  ")
}

/// `GET` is what curl does by itself.
fn option(method: &str) -> String {
    if method == "get" { String::new() } else { format!(" -X {}", method.to_ascii_uppercase()) }
}

fn address(path: &str, operation: &Value, document: &Value) -> String {
    let server = &document["servers"][0];
    let host = server["variables"]["address"]["default"].as_str().unwrap_or_default();
    let mut address = server["url"].as_str().unwrap_or_default().replace("{address}", host) + path;
    let mut separator = '?';
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, example) = (&parameter["name"], &parameter["schema"]["examples"][0]);
        let (Some(name), Some(example)) = (name.as_str(), example.as_str()) else { continue };
        if parameter["in"] == "query" && parameter["required"] == true {
            address = format!("{address}{separator}{name}={example}");
            separator = '&';
        }
        address = address.replace(&format!("{{{name}}}"), example);
    }
    address
}

/// The headers of the operation's security schemes, with shell variables for what is secret.
fn credentials(operation: &Value, document: &Value) -> Vec<String> {
    let names = operation["security"][0].as_object().into_iter().flat_map(|requirement| requirement.keys());
    let schemes = names.map(|name| &document["components"]["securitySchemes"][name]);
    let header = |scheme: &Value| match scheme["name"].as_str() {
        Some(name) => format!("-H \"{name}: ${}\"", variable(name)),
        None => "-H \"Authorization: Bearer $SIGNALPOST_OPERATOR_KEY\"".to_owned(),
    };
    schemes.map(header).collect()
}

/// `API_KEY` for `X-API-Key`.
fn variable(header: &str) -> String {
    header.trim_start_matches("X-").replace('-', "_").to_ascii_uppercase()
}

fn body(operation: &Value) -> Option<(&String, &Value)> {
    operation["requestBody"]["content"].as_object()?.iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_call_is_filled_in_and_quoted() {
        let operation = json!({
            "security": [{"key": []}],
            "parameters": [
                {"name": "id", "in": "path", "required": true, "schema": {"examples": ["x1"]}},
                {"name": "of", "in": "query", "required": true, "schema": {"examples": ["7"]}},
                {"name": "at", "in": "query", "required": false, "schema": {"examples": ["8"]}},
                {"name": "to", "in": "query", "required": true, "schema": {"examples": ["9"]}}
            ],
            "requestBody": {"content": {"application/json": {"example": {"name": "it's"}}}}
        });
        let document = json!({
            "servers": [{"url": "http://{address}", "variables": {"address": {"default": "127.0.0.1:1"}}}],
            "components": {"securitySchemes": {"key": {"type": "apiKey", "name": "X-API-Key"}}}
        });
        let expected = "curl -X POST 'http://127.0.0.1:1/a/x1?of=7&to=9' \\\n  -H \"X-API-Key: $API_KEY\" \\\n  -H 'Content-Type: \
                        application/json' \\\n  --data-binary '{\"name\":\"it'\\''s\"}'";
        assert_eq!(of("post", "/a/{id}", &operation, &document), expected);
    }
}
