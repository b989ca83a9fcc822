//! What a dialect demands of the events that it knows, as data.

use crate::error::FieldError;
use crate::json_names::{each_name, stands_for};
use crate::limits::ATTRIBUTE_BYTES_MAX;
use crate::template::Template;

/// One type of event in a dialect's catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventKind {
    pub name: String,
    pub data: DataRule,
    /// The body of its deliveries where that is not the profile's, such as the data alone.
    pub body: Option<Template>,
}

/// What the data of an event must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataRule {
    /// Any JSON value.
    Any,
    /// An object with at least these members, whatever their values.
    Object { members: Vec<String> },
}

/// A further attribute of events: a member beside `type` and `data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeRule {
    pub name: String,
    pub presence: Presence,
    pub form: AttributeForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Required,
    Optional,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeForm {
    /// A text that is not empty.
    Text,
    /// The same, or null.
    TextOrNull,
}

impl EventKind {
    /// A type whose data may be anything.
    pub fn any(name: impl Into<String>) -> Self {
        Self::with_data(name, DataRule::Any)
    }

    /// A type whose data has rules, and whose deliveries look as all others of its dialect.
    pub fn with_data(name: impl Into<String>, data: DataRule) -> Self {
        Self { name: name.into(), data, body: None }
    }
}

impl DataRule {
    /// What is wrong with the data of an event, which is a complete JSON value: nothing, as a rule. Only a rule that
    /// demands something has the data looked at.
    pub fn broken_by(&self, data: &[u8]) -> Vec<FieldError> {
        let Self::Object { members } = self else { return Vec::new() };
        let mut missing: Vec<&str> = members.iter().map(String::as_str).collect();
        let error = |field: String, message: &str| FieldError { field, message: message.to_owned() };
        if !each_name(data, |name| missing.retain(|wanted| !stands_for(name, wanted))) {
            return vec![error("data".to_owned(), "must be an object for this type")];
        }
        missing.into_iter().map(|name| error(format!("data/{name}"), "is required for this type")).collect()
    }
}

impl AttributeRule {
    /// Judges the attribute of one event: its JSON value, or `None` when the event has none. The error is a sentence
    /// for the producer.
    pub fn check(&self, value: Option<&str>) -> Result<(), String> {
        let Some(value) = value else {
            return match self.presence {
                Presence::Required => Err("is required".to_owned()),
                Presence::Optional => Ok(()),
            };
        };
        if value.len() > ATTRIBUTE_BYTES_MAX {
            return Err(format!("must be at most {ATTRIBUTE_BYTES_MAX} bytes long"));
        }
        // A JSON value that begins with a quotation mark is a text, and one of two bytes is empty.
        let is_text = value.starts_with('"') && value.len() > 2;
        match self.form {
            AttributeForm::Text if is_text => Ok(()),
            AttributeForm::Text => Err("must be text that is not empty".to_owned()),
            AttributeForm::TextOrNull if is_text || value == "null" => Ok(()),
            AttributeForm::TextOrNull => Err("must be text that is not empty, or null".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_has_its_members_at_the_top() {
        let rule = |members: &[&str]| DataRule::Object {
            members: members.iter().map(|name| (*name).to_owned()).collect(),
        };
        let broken = |rule: &DataRule, data: &str| {
            let broken = rule.broken_by(data.as_bytes()).into_iter();
            broken.map(|error| error.field).collect::<Vec<String>>()
        };
        let both = rule(&["a", "b"]);
        assert_eq!(broken(&both, r#"{"a":1,"b":null,"c":[{}]}"#), [""; 0]);
        assert_eq!(broken(&both, r#" {"\u0061" : {"b":1}} "#), ["data/b"]);
        assert_eq!(broken(&both, r#"{"x":{"a":1,"b":"\"a\":"}}"#), ["data/a", "data/b"]);
        for other in ["[]", "1", "\"a\"", "null", r#"["a","b"]"#] {
            assert_eq!(broken(&both, other), ["data"], "{other}");
            assert_eq!(broken(&rule(&[]), other), ["data"], "{other}");
            assert_eq!(broken(&DataRule::Any, other), [""; 0], "{other}");
        }
        assert_eq!(broken(&rule(&[]), "{}"), [""; 0]);
    }

    #[test]
    fn attributes_are_there_and_have_their_form() {
        let rule = |presence, form| AttributeRule { name: "a".to_owned(), presence, form };
        let values = [None, Some("null"), Some("\"\""), Some("\"x\""), Some("1"), Some("{}"), Some("true")];
        let table = [
            (Presence::Required, AttributeForm::Text, [false, false, false, true, false, false, false]),
            (Presence::Optional, AttributeForm::Text, [true, false, false, true, false, false, false]),
            (Presence::Required, AttributeForm::TextOrNull, [false, true, false, true, false, false, false]),
            (Presence::Optional, AttributeForm::TextOrNull, [true, true, false, true, false, false, false]),
        ];
        for (presence, form, expected) in table {
            let rule = rule(presence, form);
            assert_eq!(values.map(|value| rule.check(value).is_ok()), expected, "{rule:?}");
        }
        let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        let rule = rule(Presence::Optional, AttributeForm::Text);
        assert_eq!(rule.check(Some(&text(ATTRIBUTE_BYTES_MAX))), Ok(()));
        assert!(rule.check(Some(&text(ATTRIBUTE_BYTES_MAX + 1))).is_err());
    }
}
