//! Shapes that a platform adopts: what each one lets it change, and the dialect that comes of it.
//!
//! Whoever reads the configuration knows no shape's words. It hands over what was written, and gets a dialect or
//! a sentence about the value that cannot work.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use signalpost_core::sign::Encoding;

use crate::dialect::Dialect;

/// Values of a shape by name.
pub type ShapeValues = Map<String, Value>;

/// The values of one shape as a type.
pub(crate) trait Brand: Serialize + DeserializeOwned {
    /// The dialect with these values. The error is a sentence that begins with the value's name and a colon.
    fn into_dialect(self) -> Result<Dialect, String>;
}

/// A built-in shape.
#[derive(Clone, Debug)]
pub struct Shape {
    /// What a configuration calls it.
    pub name: String,
    /// Everything that can be changed, with the vendor's own values; `null` where there is none.
    pub defaults: ShapeValues,
    check_kinds: fn(ShapeValues) -> Result<(), String>,
    build: fn(ShapeValues) -> Result<Dialect, String>,
}

/// Why values do not make a dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// The value to blame, when it is one alone.
    pub key: Option<String>,
    /// Without the key, without a full stop.
    pub message: String,
}

impl Shape {
    /// The shape with these values, which are the vendor's own; their member `name` is the shape's name.
    pub(crate) fn of<B: Brand>(own: &B) -> Self {
        let defaults = match serde_json::to_value(own) {
            Ok(Value::Object(values)) => values,
            other => unreachable!("a shape's values are a map of plain ones: {other:?}"),
        };
        let name = defaults.get("name").and_then(Value::as_str).expect("every shape has a name").to_owned();
        Self {
            name,
            defaults,
            check_kinds: |values| read::<B>(values).map(drop),
            build: |values| read::<B>(values)?.into_dialect(),
        }
    }

    /// All values after these changes.
    ///
    /// # Errors
    /// When the shape has no such value, or it is of another kind.
    pub fn values(&self, changes: &ShapeValues) -> Result<ShapeValues, ShapeError> {
        let mut values = self.defaults.clone();
        for (key, value) in changes {
            if !self.defaults.contains_key(key) {
                return Err(ShapeError::at(key, format!("is not a value of the shape `{}`", self.name)));
            }
            // Alone with good ones, so that a value of the wrong kind can be blamed by name.
            let mut alone = self.defaults.clone();
            alone.insert(key.clone(), value.clone());
            (self.check_kinds)(alone).map_err(|message| ShapeError::at(key, message))?;
            values.insert(key.clone(), value.clone());
        }
        Ok(values)
    }

    /// The dialect with these changes.
    ///
    /// # Errors
    /// As [`Shape::values`], and when a value breaks a rule of the shape.
    pub fn dialect(&self, changes: &ShapeValues) -> Result<Dialect, ShapeError> {
        (self.build)(self.values(changes)?).map_err(|message| self.blame(message))
    }

    /// Splits `key: sentence` when there is such a key.
    fn blame(&self, message: String) -> ShapeError {
        match message.split_once(": ") {
            Some((key, sentence)) if self.defaults.contains_key(key) => ShapeError::at(key, sentence),
            _ => ShapeError { key: None, message },
        }
    }
}

fn read<B: Brand>(values: ShapeValues) -> Result<B, String> {
    serde_json::from_value(Value::Object(values)).map_err(|error| error.to_string())
}

impl ShapeError {
    fn at(key: &str, message: impl Into<String>) -> Self {
        Self { key: Some(key.to_owned()), message: message.into() }
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "`{key}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ShapeError {}

/// How a configuration writes an encoding.
#[derive(Deserialize, Serialize)]
#[serde(remote = "Encoding", rename_all = "lowercase")]
pub(crate) enum EncodingWord {
    Hex,
    Base64,
}
