//! Examples of answers, put together from the examples that the schema of each member gives.

use serde_json::{Map, Value, json};

/// Deeper than any schema of ours; a schema that leads to itself ends here.
const DEPTH_MAX: usize = 16;

/// Gives each JSON answer of a document an example.
pub(crate) fn add_to_answers(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let answers = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    let answers = answers.filter_map(Value::as_object_mut).flat_map(Map::values_mut);
    let answers = answers.filter_map(|operation| operation["responses"].as_object_mut());
    for answer in answers.flat_map(Map::values_mut) {
        add(answer, &schemas);
    }
    let shared = document["components"]["responses"].as_object_mut();
    for answer in shared.into_iter().flat_map(Map::values_mut) {
        add(answer, &schemas);
    }
}

fn add(answer: &mut Value, schemas: &Value) {
    let Some(contents) = answer.get_mut("content").and_then(Value::as_object_mut) else { return };
    for (media_type, content) in contents {
        if media_type.ends_with("json") && content.get("example").is_none() {
            content["example"] = of(&content["schema"], schemas, DEPTH_MAX);
        }
    }
}

/// A value of the schema. `schemas` are those to which references lead.
fn of(schema: &Value, schemas: &Value, depth: usize) -> Value {
    let Some(schema) = schema.as_object().filter(|_| depth > 0) else { return json!({}) };
    let referred = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    let base = referred.map(|name| of(&schemas[name], schemas, depth - 1));
    let base =
        base.map(|base| with_required(base, schema, &schemas[referred.unwrap_or_default()], schemas, depth));
    let given = schema.get("const").or_else(|| schema.get("examples").and_then(|examples| examples.get(0)));
    if let Some(given) = given.or_else(|| schema.get("default")) {
        return given.clone();
    }
    let merged = members(schema, schemas, depth, base.clone());
    if let Some(value) = merged.or(base) {
        return value;
    }
    if let Some(value) = schema.get("enum").and_then(|values| values.get(0)) {
        return value.clone();
    }
    let one = ["anyOf", "oneOf"].into_iter().find_map(|word| schema.get(word)).and_then(|any| any.get(0));
    if let Some(one) = one {
        return of(one, schemas, depth - 1);
    }
    of_type(schema, schemas, depth)
}

/// An object with those members as well that are required here and not by what is referred to.
fn with_required(
    mut base: Value,
    schema: &Map<String, Value>,
    referred: &Value,
    schemas: &Value,
    depth: usize,
) -> Value {
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if base.get(name).is_none() {
            base[name] = of(&referred["properties"][name], schemas, depth - 1);
        }
    }
    base
}

/// An object of the members that the schema names, over those of `base`.
fn members(schema: &Map<String, Value>, schemas: &Value, depth: usize, base: Option<Value>) -> Option<Value> {
    let properties = schema.get("properties").and_then(Value::as_object)?;
    let mut object = base.and_then(|base| base.as_object().cloned()).unwrap_or_default();
    let required = schema.get("required").and_then(Value::as_array);
    let optional = |name: &str| required.is_some_and(|names| !names.iter().any(|needed| needed == name));
    for (name, schema) in properties.iter().filter(|(name, _)| !optional(name)) {
        object.insert(name.clone(), of(schema, schemas, depth - 1));
    }
    Some(Value::Object(object))
}

fn of_type(schema: &Map<String, Value>, schemas: &Value, depth: usize) -> Value {
    let types = schema.get("type").cloned().unwrap_or_default();
    let named = types.as_str().or_else(|| types.get(0).and_then(Value::as_str));
    match named {
        Some("string") => json!("text"),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("array") => {
            schema.get("items").map_or(json!([]), |items| json!([of(items, schemas, depth - 1)]))
        }
        Some("null") => Value::Null,
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_from_the_nearest_example() {
        let schemas = json!({
            "Thing": {"type": "object", "properties": {"id": {"type": "string", "examples": ["t1"]}, "n": {"type": "integer", "minimum": 3}}},
            "Self": {"type": "object", "properties": {"inner": {"$ref": "#/components/schemas/Self"}}},
        });
        let example = |schema: Value| of(&schema, &schemas, DEPTH_MAX);
        assert_eq!(example(json!({"$ref": "#/components/schemas/Thing"})), json!({"id": "t1", "n": 3}));
        let narrowed = json!({"$ref": "#/components/schemas/Thing", "properties": {"id": {"const": "t2"}}});
        assert_eq!(example(narrowed), json!({"id": "t2", "n": 3}));
        let optional = json!({"type": "object", "required": ["a"], "properties": {"a": {"const": 1}, "b": {"const": 2}}});
        assert_eq!(example(optional.clone()), json!({"a": 1}));
        let schemas = json!({"Secret": optional});
        let with_secret = json!({"$ref": "#/components/schemas/Secret", "required": ["b"]});
        assert_eq!(of(&with_secret, &schemas, DEPTH_MAX), json!({"a": 1, "b": 2}));
        let list =
            json!({"type": "array", "items": {"anyOf": [{"type": ["string", "null"], "enum": ["a"]}]}});
        assert_eq!(example(list), json!(["a"]));
        assert!(example(json!({"$ref": "#/components/schemas/Self"})).is_object(), "it ends");
    }
}
