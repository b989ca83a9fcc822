//! Schemas as tables: one row for each member, with its type and its bounds in words.

use serde_json::{Map, Value};

use super::html::Html;

/// Where the schema of this name is shown on its page.
pub(super) fn anchor(name: &str) -> String {
    format!("schema-{name}")
}

/// The schemas of a document, each under a heading of its own.
pub(super) fn all(schemas: &Map<String, Value>, html: &mut Html) {
    for (name, schema) in schemas {
        html.open("h3", &[("id", &anchor(name))]).text(name).raw("</h3>\n");
        html.paragraphs(schema["description"].as_str().unwrap_or_default());
        match schema["properties"].as_object() {
            Some(members) => table(members, &schema["required"], html),
            None => {
                html.raw("<p>");
                kind(schema, html);
                html.raw("</p>\n");
            }
        }
    }
}

fn table(members: &Map<String, Value>, required: &Value, html: &mut Html) {
    html.raw("<table><thead><tr><th>Member<th>Type<th>Meaning</thead><tbody>\n");
    for (name, schema) in members {
        let needed = required.as_array().is_some_and(|names| names.iter().any(|needed| needed == name));
        html.raw("<tr><td>").element("code", name).raw("<td>");
        kind(schema, html);
        html.raw("<td>");
        if !needed {
            html.raw("<span class=\"muted\">optional</span> ");
        }
        html.line(schema["description"].as_str().unwrap_or_default()).raw("\n");
        if let Some(inner) = schema["properties"].as_object() {
            table(inner, &schema["required"], html);
        }
    }
    html.raw("</tbody></table>\n");
}

/// The type with its bounds, as a phrase.
pub(super) fn kind(schema: &Value, html: &mut Html) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        html.link(&format!("#{}", anchor(name)), name);
        return;
    }
    match schema["anyOf"].as_array().filter(|_| schema.get("type").is_none()) {
        Some(choices) => {
            for (position, choice) in choices.iter().enumerate() {
                html.raw(if position == 0 { "" } else { " or " });
                kind(choice, html);
            }
        }
        None => plain(schema, html),
    }
    for bound in bounds(schema) {
        html.raw(", ").line(&bound);
    }
}

fn plain(schema: &Value, html: &mut Html) {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("const").is_some() => Vec::new(),
        _ => vec!["any JSON value"],
    };
    for (position, name) in types.iter().enumerate() {
        html.raw(if position == 0 { "" } else { " or " }).text(name);
        if *name == "array" && schema.get("items").is_some() {
            html.raw(" of ");
            kind(&schema["items"], html);
        }
    }
    if let Some(format) = schema["format"].as_str().filter(|format| format.contains('-') || *format == "uri")
    {
        html.text(&format!(" ({format})"));
    }
}

fn bounds(schema: &Value) -> Vec<String> {
    let number = |name: &str| schema.get(name).and_then(Value::as_u64);
    let range = |min: Option<u64>, max: Option<u64>, unit: &str| match (min, max) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}{unit}")),
        (None, Some(max)) => Some(format!("at most {max}{unit}")),
        (Some(min), None) if min > 0 => Some(format!("at least {min}{unit}")),
        _ => None,
    };
    let mut bounds: Vec<String> = [
        range(number("minLength"), number("maxLength"), " characters"),
        range(number("minItems"), number("maxItems"), " elements"),
        range(number("minimum"), number("maximum"), ""),
        schema["enum"].as_array().map(|values| format!("one of {}", listed(values))),
        schema.get("const").map(|value| format!("`{value}`")),
        schema["pattern"].as_str().map(|pattern| format!("`{pattern}`")),
        schema.get("default").map(|value| format!("default `{value}`")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if number("minProperties").is_some() {
        bounds.push("not empty".to_owned());
    }
    bounds
}

fn listed(values: &[Value]) -> String {
    let shown =
        values.iter().map(|value| format!("`{}`", value.as_str().map_or(value.to_string(), str::to_owned)));
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(schema: Value) -> String {
        let mut html = Html::default();
        kind(&schema, &mut html);
        html.finish()
    }

    #[test]
    fn types_and_bounds_are_said_in_words() {
        assert_eq!(
            words(json!({"type": ["string", "null"], "minLength": 1, "maxLength": 9})),
            "string or null, 1 to 9 characters"
        );
        let list = json!({"type": "array", "maxItems": 3, "items": {"$ref": "#/components/schemas/Thing"}});
        assert_eq!(words(list), "array of <a href=\"#schema-Thing\">Thing</a>, at most 3 elements");
        assert_eq!(words(json!({"anyOf": [{"type": "null"}, {"const": 1}]})), "null or , <code>1</code>");
        assert_eq!(words(json!(true)), "any JSON value");
        assert_eq!(words(json!({"type": "integer", "minimum": 0, "format": "uint64"})), "integer");
        assert_eq!(
            words(json!({"type": "string", "enum": ["<a>"]})),
            "string, one of <code>&lt;a&gt;</code>"
        );
    }
}
