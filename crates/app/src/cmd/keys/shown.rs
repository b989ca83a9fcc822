//! Operator keys as the commands print them.

use serde_json::Value;

use crate::telemetry::say;

/// A key that was just made, with its only sight of the secret.
pub(super) fn issued(key: &Value) {
    say(&format!("{}\n\nThe secret, shown this once:\n{}\n", line(key), text(key, "secret")));
}

/// A key in one line.
pub(super) fn line(key: &Value) -> String {
    let scopes: Vec<&str> =
        key["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let rate =
        key["rate_limit_per_s"].as_u64().map_or_else(|| "no limit".to_owned(), |rate| format!("{rate}/s"));
    let workspace = key["workspace"].as_str().unwrap_or("all workspaces");
    let end = key["expires_at"].as_str().map_or_else(|| "no end".to_owned(), |end| format!("until {end}"));
    let name = key["name"].as_str().unwrap_or("");
    let line = format!(
        "{}  {}  {}  {workspace}  {rate}  {end}  {}",
        text(key, "id"),
        text(key, "preview"),
        scopes.join(","),
        printable(name)
    );
    line.trim_end().to_owned()
}

pub(super) fn json(value: &Value) {
    say(&format!("{value:#}\n"));
}

fn text<'a>(key: &'a Value, field: &str) -> &'a str {
    key[field].as_str().unwrap_or("?")
}

/// A name may hold anything; a terminal should not.
fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_says_what_matters() {
        let key = json!({
            "id": "opk_1", "preview": "spo_a…b", "scopes": ["publish", "read"], "workspace": null,
            "rate_limit_per_s": 5, "expires_at": "2026-05-05T10:06:46.150Z", "name": "a\u{1b}[2J"
        });
        assert_eq!(
            line(&key),
            "opk_1  spo_a…b  publish,read  all workspaces  5/s  until 2026-05-05T10:06:46.150Z  a [2J"
        );
    }
}
