//! Compares an answer with what a scenario expects of it: as much as is written down, and no more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use regex_lite::Regex;
use serde_json::{Map, Value, json};

/// Collects every difference between `actual` and `expected`; an absent value is `None`.
pub(super) fn differences(at: &str, expected: &Value, actual: Option<&Value>) -> Vec<String> {
    if let Some((name, argument)) = operator(expected) {
        if let ("only", Value::Object(fields)) = (name, argument) {
            return only(at, fields, actual);
        }
        return operate(at, name, argument, actual).err().into_iter().collect();
    }
    let Some(actual) = actual else {
        return vec![format!("{at} is absent, expected {expected}")];
    };
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            let each =
                |(key, value): (&String, &Value)| differences(&format!("{at}/{key}"), value, actual.get(key));
            expected.iter().flat_map(each).collect()
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let pairs = expected.iter().zip(actual).enumerate();
            pairs
                .flat_map(|(index, (one, other))| differences(&format!("{at}/{index}"), one, Some(other)))
                .collect()
        }
        _ if expected == actual => Vec::new(),
        _ => vec![format!("{at} is {actual}, expected {expected}")],
    }
}

/// `{"$name": argument}` and nothing beside it.
fn operator(expected: &Value) -> Option<(&str, &Value)> {
    let object: &Map<String, Value> = expected.as_object().filter(|object| object.len() == 1)?;
    let (name, argument) = object.iter().next()?;
    Some((name.strip_prefix('$')?, argument))
}

fn operate(at: &str, name: &str, argument: &Value, actual: Option<&Value>) -> Result<(), String> {
    if name == "absent" {
        return actual.map_or(Ok(()), |found| Err(format!("{at} is {found}, expected to be absent")));
    }
    let found = actual.ok_or_else(|| format!("{at} is absent, expected {{\"${name}\": {argument}}}"))?;
    let holds = match name {
        "any" => true,
        "exact" => found == argument,
        "not" => !differences(at, argument, actual).is_empty(),
        "regex" => fits_regex(argument, found)?,
        "contains" => contains(found, argument),
        "type" => argument.as_str() == Some(type_name(found)),
        "length" => argument.as_u64() == length(found),
        "one_of" => argument.as_array().is_some_and(|choices| choices.contains(found)),
        "basic" => basic(found)? == *argument,
        "keys" => keys(found) == argument.as_array().map(|keys| sorted(keys)),
        _ => return Err(format!("`${name}` is not a matcher; contracts/README.md lists them")),
    };
    if holds { Ok(()) } else { Err(format!("{at} is {found}, expected {{\"${name}\": {argument}}}")) }
}

/// An object of exactly these fields, each as its matcher says.
fn only(at: &str, fields: &Map<String, Value>, actual: Option<&Value>) -> Vec<String> {
    let mut problems = differences(at, &Value::Object(fields.clone()), actual);
    let found = actual.and_then(Value::as_object).into_iter().flatten();
    let more = found.filter(|(key, _)| !fields.contains_key(*key));
    problems.extend(more.map(|(key, value)| format!("{at}/{key} is {value}, expected to be absent")));
    problems
}

/// User and password of a header's value (RFC 7617).
fn basic(found: &Value) -> Result<Value, String> {
    let encoded = found.as_str().and_then(|text| text.strip_prefix("Basic "));
    let encoded = encoded.ok_or_else(|| format!("{found} is no login of the basic kind"))?;
    let decoded = BASE64.decode(encoded).map_err(|error| format!("`{encoded}` is not base64: {error}"))?;
    let text = String::from_utf8(decoded).map_err(|error| format!("`{encoded}` is not UTF-8: {error}"))?;
    let (user, password) = text.split_once(':').ok_or_else(|| format!("`{text}` has no colon"))?;
    Ok(json!([user, password]))
}

/// A text that holds another one, or an array that holds an item.
fn contains(found: &Value, argument: &Value) -> bool {
    match (found, argument) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::Array(items), item) => items.contains(item),
        _ => false,
    }
}

fn fits_regex(pattern: &Value, found: &Value) -> Result<bool, String> {
    let pattern = pattern.as_str().ok_or("`$regex` takes a text")?;
    let regex = Regex::new(pattern).map_err(|error| format!("`{pattern}` is not a pattern: {error}"))?;
    Ok(found.as_str().is_some_and(|text| regex.is_match(text)))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn length(value: &Value) -> Option<u64> {
    let length = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => return None,
    };
    u64::try_from(length).ok()
}

fn keys(value: &Value) -> Option<Vec<String>> {
    let mut keys: Vec<String> = value.as_object()?.keys().cloned().collect();
    keys.sort_unstable();
    Some(keys)
}

fn sorted(keys: &[Value]) -> Vec<String> {
    let mut keys: Vec<String> = keys.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    keys.sort_unstable();
    keys
}

/// Whether the keys stand in the raw text in this order. JSON does not care; people who read answers do.
pub(super) fn keys_in_order(raw: &str, keys: &[String]) -> Result<(), String> {
    let mut from = 0;
    for key in keys {
        let quoted = format!("\"{key}\":");
        let found = raw[from..].find(&quoted);
        let at = found.ok_or_else(|| format!("the key `{key}` does not stand where it should: {raw}"))?;
        from += at + quoted.len();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(expected: Value, actual: Value) -> bool {
        differences("", &expected, Some(&actual)).is_empty()
    }

    #[test]
    fn objects_are_compared_as_far_as_written_down() {
        let actual = json!({"a": 1, "b": {"c": [1, 2], "d": null}});
        for good in [json!({}), json!({"a": 1}), json!({"b": {"c": [1, 2]}}), json!({"b": {"d": null}})] {
            assert!(fits(good.clone(), actual.clone()), "{good}");
        }
        for bad in [
            json!({"a": 2}),
            json!({"x": 1}),
            json!({"b": {"c": [1]}}),
            json!({"b": {"c": [2, 1]}}),
            json!([]),
        ] {
            assert!(!fits(bad.clone(), actual.clone()), "{bad}");
        }
        assert_eq!(
            differences("body", &json!({"a": 2, "x": 1}), Some(&actual)).len(),
            2,
            "all of them are told"
        );
    }

    #[test]
    fn matchers_hold_and_fail() {
        let table = [
            (json!({"$any": true}), json!(null), json!(0)),
            (json!({"$regex": "^wh_[a-z]+$"}), json!("wh_ab"), json!("wh_")),
            (json!({"$contains": "b"}), json!("abc"), json!("ac")),
            (json!({"$contains": "b"}), json!(["a", "b"]), json!(["ab"])),
            (json!({"$type": "array"}), json!([]), json!({})),
            (json!({"$length": 2}), json!("ab"), json!([1])),
            (json!({"$one_of": [1, 2]}), json!(2), json!(3)),
            (json!({"$exact": {"a": 1}}), json!({"a": 1}), json!({"a": 1, "b": 2})),
            (json!({"$keys": ["a", "b"]}), json!({"b": 1, "a": 2}), json!({"a": 1})),
            (json!({"$only": {"a": {"$any": true}}}), json!({"a": 1}), json!({"a": 1, "b": 2})),
            (json!({"$only": {"a": {"$any": true}}}), json!({"a": null}), json!({})),
            (json!({"$basic": ["u", "p:q"]}), json!("Basic dTpwOnE="), json!("Basic dTpw")),
            (json!({"$not": "x"}), json!("y"), json!("x")),
        ];
        for (matcher, good, bad) in table {
            assert!(fits(matcher.clone(), good), "{matcher}");
            assert_eq!(fits(matcher.clone(), bad), matcher["$any"] == true, "{matcher}");
            assert!(!differences("", &matcher, None).is_empty(), "{matcher} wants something to be there");
        }
        assert!(differences("", &json!({"$absent": true}), None).is_empty());
        assert!(!fits(json!({"$absent": true}), json!(null)), "null is not absent");
        assert!(!fits(json!({"$unheard": 1}), json!(1)), "an unknown matcher is an error");
    }

    #[test]
    fn order_of_keys_is_read_from_the_text() {
        let raw = "{\"a\":1,\"b\":{\"a\":2},\"c\":3}";
        let keys = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(keys_in_order(raw, &keys("a b c")).is_ok());
        assert!(keys_in_order(raw, &keys("b c a")).is_err());
    }
}
