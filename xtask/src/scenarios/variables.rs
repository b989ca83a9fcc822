//! Names for what a scenario learns on its way, and the places where it uses them.

use std::collections::BTreeMap;

use serde_json::Value;

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

    /// Replaces names in all texts and keys' values of a step. A text that is nothing but one name becomes the
    /// value itself, whatever its type.
    pub(super) fn fill(&self, value: &Value) -> Result<Value, String> {
        match value {
            Value::String(text) => self.fill_text(text),
            Value::Array(items) => {
                items.iter().map(|item| self.fill(item)).collect::<Result<_, _>>().map(Value::Array)
            }
            Value::Object(fields) => {
                let filled = fields.iter().map(|(key, value)| Ok((key.clone(), self.fill(value)?)));
                filled.collect::<Result<_, String>>().map(Value::Object)
            }
            other => Ok(other.clone()),
        }
    }

    fn fill_text(&self, text: &str) -> Result<Value, String> {
        let alone = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        if let Some(name) = alone.filter(|name| !name.contains('}')) {
            return self.get(name).cloned();
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}').ok_or_else(|| format!("`{text}` has an open `${{`"))?;
            out.push_str(literal);
            match self.get(name)? {
                Value::String(value) => out.push_str(value),
                other => out.push_str(&other.to_string()),
            }
            rest = tail;
        }
        out.push_str(rest);
        Ok(Value::String(out))
    }
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
}
