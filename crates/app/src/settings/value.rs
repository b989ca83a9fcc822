//! A setting's value before it is understood, and where it came from.

use std::fmt;

/// What kind of value a setting has in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    /// An array of texts in the file, texts with commas between them elsewhere.
    List,
    /// `true` or `false`.
    Switch,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Number(u64),
    List(Vec<String>),
    Switch(bool),
}

/// Who said it. Later ones win: default, file, environment, flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    File { name: String, line: usize },
    Variable(&'static str),
    Flag(&'static str),
}

impl Kind {
    /// Reads what a flag, a variable or a default says. The error is what it must be.
    pub(crate) fn read(self, text: &str) -> Result<Value, String> {
        match self {
            Self::Text => Ok(Value::Text(text.to_owned())),
            Self::Number => match text.parse() {
                Ok(number) if !text.starts_with('+') => Ok(Value::Number(number)),
                _ => Err(format!("`{text}` is not a whole number")),
            },
            Self::List => Ok(Value::List(entries(text))),
            Self::Switch => {
                text.parse().map(Value::Switch).map_err(|_| format!("`{text}` is neither `true` nor `false`"))
            }
        }
    }

    pub(crate) const fn described(self) -> &'static str {
        match self {
            Self::Text => "text in quotes",
            Self::Number => "a whole number",
            Self::List => "an array of texts, or text with commas",
            Self::Switch => "true or false",
        }
    }
}

/// The entries of a list with commas. Empty ones stay, so that whoever reads them can say so.
fn entries(text: &str) -> Vec<String> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    text.split(',').map(|entry| entry.trim().to_owned()).collect()
}

impl Value {
    /// As a flag would give it.
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::List(entries) => entries.join(","),
            Self::Switch(on) => on.to_string(),
        }
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
            Self::List(entries) => entries.as_slice().into(),
            Self::Switch(on) => (*on).into(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { name, line } => write!(f, "{name}:{line}"),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}
