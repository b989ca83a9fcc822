//! Typed members of an object, with every broken one noted so that a caller learns of all at once.

use std::fmt::Display;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use signalpost_core::error::{Error, FieldErrors};
use signalpost_core::target_url::TargetUrl;

use crate::kit::json::{Object, shown};

/// What became of a member that somebody asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Member<T> {
    Absent,
    Null,
    Value(T),
    /// Of the wrong form; noted already.
    Broken,
}

impl<T> Member<T> {
    /// The value of a member that may be left out or null.
    pub(crate) fn given(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null | Self::Broken => None,
        }
    }
}

/// An object being read, and what was wrong with it so far.
pub(crate) struct Fields<'a> {
    object: Object<'a>,
    /// Stands before each field's name in errors: empty, or a place such as `3/`.
    prefix: String,
    errors: FieldErrors,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(object: Object<'a>) -> Self {
        Self::inside(object, String::new())
    }

    /// An object that is itself a member or an element; `prefix` ends in `/`.
    pub(crate) fn inside(object: Object<'a>, prefix: String) -> Self {
        Self { object, prefix, errors: FieldErrors::default() }
    }

    pub(crate) fn note(&mut self, name: &str, message: impl Into<String>) {
        self.errors.push(format!("{}{name}", self.prefix), message);
    }

    /// Keeps a value that passed its rule, or notes the rule.
    pub(crate) fn check<T>(&mut self, name: &str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|message| self.note(name, message)).ok()
    }

    pub(crate) fn raw(&mut self, name: &str) -> Member<&'a RawValue> {
        match self.object.take(name) {
            None => Member::Absent,
            Some(raw) if raw.get() == "null" => Member::Null,
            Some(raw) => Member::Value(raw),
        }
    }

    /// A member of the given type; `expected` completes the sentence "must be …".
    pub(crate) fn member<T: Deserialize<'a>>(&mut self, name: &str, expected: impl Display) -> Member<T> {
        match self.raw(name) {
            Member::Value(raw) => match serde_json::from_str(raw.get()) {
                Ok(value) => Member::Value(value),
                Err(_) => {
                    self.note(name, format!("must be {expected}"));
                    Member::Broken
                }
            },
            Member::Absent => Member::Absent,
            Member::Null => Member::Null,
            Member::Broken => Member::Broken,
        }
    }

    /// A string that must be there.
    pub(crate) fn required_text(&mut self, name: &str) -> Option<String> {
        let member = self.text(name);
        self.required(name, member, "must be a string, not null")
    }

    /// A string that may be left out or null.
    pub(crate) fn optional_text(&mut self, name: &str) -> Option<String> {
        self.text(name).given()
    }

    pub(crate) fn text(&mut self, name: &str) -> Member<String> {
        self.member(name, "a string")
    }

    /// A list of at most `texts_max` strings; the first element that is none is noted at its place.
    pub(crate) fn texts(&mut self, name: &str, texts_max: usize) -> Member<Vec<String>> {
        let elements = match self.member::<Vec<&RawValue>>(name, "an array of strings") {
            Member::Value(elements) => elements,
            Member::Absent => return Member::Absent,
            Member::Null => return Member::Null,
            Member::Broken => return Member::Broken,
        };
        if elements.len() > texts_max {
            self.note(name, format!("may hold at most {texts_max} elements"));
            return Member::Broken;
        }
        let mut texts = Vec::with_capacity(elements.len());
        for (position, element) in elements.iter().enumerate() {
            match serde_json::from_str(element.get()) {
                Ok(text) => texts.push(text),
                Err(_) => {
                    self.note(&format!("{name}/{position}"), "must be a string");
                    return Member::Broken;
                }
            }
        }
        Member::Value(texts)
    }

    /// A member that must be there and not null.
    pub(crate) fn required<T>(&mut self, name: &str, member: Member<T>, on_null: &str) -> Option<T> {
        match member {
            Member::Value(value) => return Some(value),
            Member::Absent => self.note(name, "is required"),
            Member::Null => self.note(name, on_null),
            Member::Broken => {}
        }
        None
    }

    /// A member that may be left out, and that cannot be null.
    pub(crate) fn unless_absent<T>(&mut self, name: &str, member: Member<T>) -> Option<T> {
        match member {
            Member::Absent => None,
            member => self.required(name, member, "must not be null"),
        }
    }

    /// A member of a merge patch (RFC 7396): absent leaves what there is, null takes it away.
    pub(crate) fn merged<V: Deserialize<'a>, T>(
        &mut self,
        name: &str,
        expected: &str,
        check: impl Fn(V) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match self.member::<V>(name, expected) {
            Member::Absent | Member::Broken => None,
            Member::Null => Some(None),
            Member::Value(value) => self.check(name, check(value)).map(Some),
        }
    }

    /// The URL in a text.
    pub(crate) fn target_url(&mut self, name: &str, text: Option<String>) -> Option<TargetUrl> {
        text.and_then(|text| self.check(name, TargetUrl::parse(&text)))
    }

    /// Takes over what was noted in an object inside this one.
    pub(crate) fn adopt(&mut self, inner: Fields<'_>) {
        if let Err(error) = inner.finish() {
            error.fields.into_iter().for_each(|field| self.errors.push(field.field, field.message));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.object.is_empty()
    }

    /// The members that nobody took.
    pub(crate) fn rest(&mut self) -> Vec<(String, &'a RawValue)> {
        let rest = std::mem::replace(&mut self.object, Object::empty()).rest();
        rest.into_iter().map(|(name, raw)| (name.into_owned(), raw)).collect()
    }

    /// Notes every member that nobody took.
    pub(crate) fn refuse_rest(&mut self, message: &str) {
        for (name, _) in self.rest() {
            // Escaped as in RFC 6901, for `/` joins the parts of a place.
            self.note(&shown(&name).replace('~', "~0").replace('/', "~1"), message);
        }
    }

    pub(crate) fn finish(self) -> Result<(), Error> {
        self.errors.into_result()
    }
}

/// A whole number as JSON knows it: `5.0` is one, as it is in JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Above this a fraction no longer fits beside the whole part, so that the text may have said another number.
        const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
        let number = serde_json::Number::deserialize(deserializer)?;
        let rounded =
            number.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=EXACT_MAX).contains(number));
        // The cast is exact: the number is whole and within the bounds.
        let whole = number.as_u64().or_else(|| rounded.map(|number| number as u64));
        whole.map(Self).ok_or_else(|| D::Error::custom("not a whole number"))
    }
}

/// The same texts without repetitions, each where it stood first.
pub(crate) fn without_repetitions(texts: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(texts.len());
    for text in texts {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_be_written_with_a_fraction_of_zero() {
        let read = |text: &str| serde_json::from_str::<Whole>(text).ok().map(|Whole(number)| number);
        for (text, number) in
            [("0", 0), ("5", 5), ("5.0", 5), ("5e2", 500), ("-0.0", 0), ("18446744073709551615", u64::MAX)]
        {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for text in ["5.5", "-1", "-1.0", "1e300", "9007199254740993.0e1", "\"5\"", "null", "true", "[5]"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
