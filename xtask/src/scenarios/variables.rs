//! Names for what a scenario learns on its way, the places where it uses them, and values that are too long to be
//! written down.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::instant;

/// Items that one `$repeat` may make.
const REPEAT_MAX: usize = 100_000;

/// Values by name; `${name}` in any text of a step stands for one.
#[derive(Debug, Default)]
pub(super) struct Variables(BTreeMap<String, Value>);

impl Variables {
    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, String> {
        self.get(name)?.as_str().ok_or_else(|| format!("`${{{name}}}` is not a text"))
    }

    fn get(&self, name: &str) -> Result<&Value, String> {
        self.0.get(name).ok_or_else(|| format!("nothing is called `${{{name}}}` yet"))
    }

    /// A captured value, or for `now+<seconds>s` that instant.
    fn value(&self, name: &str) -> Result<Cow<'_, Value>, String> {
        let seconds = name.strip_prefix("now+").and_then(|rest| rest.strip_suffix('s')?.parse().ok());
        match seconds {
            Some(seconds) => Ok(Cow::Owned(Value::String(instant::in_seconds(seconds)))),
            None => self.get(name).map(Cow::Borrowed),
        }
    }

    /// Replaces names in all texts and keys' values of a step. A text that is nothing but one name becomes the
    /// value itself, whatever its type.
    pub(super) fn fill(&self, value: &Value) -> Result<Value, String> {
        match value {
            Value::String(text) => self.fill_text(text),
            Value::Array(items) => {
                items.iter().map(|item| self.fill(item)).collect::<Result<_, _>>().map(Value::Array)
            }
            Value::Object(fields) if is_made(fields) => self.make(fields),
            Value::Object(fields) => {
                let filled = fields.iter().map(|(key, value)| Ok((key.clone(), self.fill(value)?)));
                filled.collect::<Result<_, String>>().map(Value::Object)
            }
            other => Ok(other.clone()),
        }
    }

    /// `{"$repeat": [value, count]}` is an array, `{"$joined": [..]}` the text of all that it holds.
    fn make(&self, fields: &Map<String, Value>) -> Result<Value, String> {
        if let Some(parts) = fields.get("$joined") {
            let mut out = String::new();
            join(&self.fill(parts)?, &mut out)?;
            return Ok(Value::String(out));
        }
        let arguments = fields.get("$repeat").and_then(Value::as_array);
        let Some([value, count]) = arguments.map(Vec::as_slice) else {
            return Err("`$repeat` takes a value and a count".to_owned());
        };
        let count = count.as_u64().and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| *count <= REPEAT_MAX);
        let count = count.ok_or_else(|| format!("`$repeat` counts to {REPEAT_MAX} at most"))?;
        Ok(Value::Array(vec![self.fill(value)?; count]))
    }

    fn fill_text(&self, text: &str) -> Result<Value, String> {
        let alone = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        if let Some(name) = alone.filter(|name| !name.contains('}')) {
            return self.value(name).map(Cow::into_owned);
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}').ok_or_else(|| format!("`{text}` has an open `${{`"))?;
            out.push_str(literal);
            match &*self.value(name)? {
                Value::String(value) => out.push_str(value),
                other => out.push_str(&other.to_string()),
            }
            rest = tail;
        }
        out.push_str(rest);
        Ok(Value::String(out))
    }
}

fn is_made(fields: &Map<String, Value>) -> bool {
    fields.len() == 1 && (fields.contains_key("$repeat") || fields.contains_key("$joined"))
}

fn join(value: &Value, out: &mut String) -> Result<(), String> {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(items) => items.iter().try_for_each(|item| join(item, out))?,
        other => return Err(format!("`$joined` takes texts, not {other}")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_replaced_everywhere() {
        let mut variables = Variables::default();
        variables.set("id", json!("wh_1"));
        variables.set("count", json!(3));
        let step = json!({"path": "/v1/webhooks/${id}", "list": ["${count}", "n=${count}"], "n": 1});
        let filled = variables.fill(&step).expect("both are known");
        assert_eq!(filled, json!({"path": "/v1/webhooks/wh_1", "list": [3, "n=3"], "n": 1}));
        assert!(variables.fill(&json!("${unknown}")).is_err());
        assert!(variables.fill(&json!("x${id")).is_err());
        assert_eq!(variables.fill(&json!("${id}${count}")), Ok(json!("wh_13")));
    }
    #[test]
    fn long_values_are_made() {
        let mut variables = Variables::default();
        variables.set("x", json!("ab"));
        let fill = |value: Value| variables.fill(&value);
        assert_eq!(fill(json!({"$repeat": ["${x}", 3]})), Ok(json!(["ab", "ab", "ab"])));
        assert_eq!(fill(json!({"$joined": ["<", {"$repeat": ["${x}", 2]}, ">"]})), Ok(json!("<abab>")));
        assert_eq!(fill(json!({"$repeat": 1, "more": 2})), Ok(json!({"$repeat": 1, "more": 2})));
        for bad in [
            json!({"$repeat": 1}),
            json!({"$repeat": ["x", -1]}),
            json!({"$repeat": ["x", 100_001]}),
            json!({"$joined": [1]}),
        ] {
            assert!(fill(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_instant_can_be_named() {
        let now = Variables::default().fill(&json!("at ${now+60s}")).expect("an instant");
        let text = now.as_str().expect("a text");
        assert!(text.starts_with("at 20") && text.ends_with('Z') && text.len() == 23, "{text}");
        assert!(Variables::default().fill(&json!("${now+s}")).is_err());
        assert!(Variables::default().fill(&json!("${now-1s}")).is_err());
    }
}
