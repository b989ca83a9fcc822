//! JSON objects as they arrive: checked as a whole, their members left as text until somebody asks for one.
//!
//! There is no document tree: a member is a slice of the body, so that an event's data stays byte for byte what
//! its producer wrote.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use signalpost_core::error::{Error, ErrorCode};

/// Nesting beyond this is refused, as serde_json does for whatever it builds itself.
const DEPTH_MAX: usize = 128;
/// Members of one object; looking for duplicates compares each with each.
const MEMBERS_MAX: usize = 256;
/// Characters of a caller's name that are repeated in an error.
const SHOWN_CHARS: usize = 64;

/// The members of a JSON object that nobody has taken yet, in their order.
#[derive(Debug)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    pub(crate) const fn empty() -> Self {
        Self(Vec::new())
    }

    /// Reads a whole body. `Malformed` with line and column for anything but one object without repeated names.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let text = checked_text(body)?;
        Self::read(text).map_err(|problem| malformed(&problem))
    }

    /// Reads an element of a list that was read by [`elements`].
    pub(crate) fn of_element(raw: &'a RawValue) -> Result<Self, String> {
        Self::read(raw.get()).map_err(|problem| said(&problem))
    }

    fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let members = deserializer.deserialize_map(Members)?;
        deserializer.end()?;
        Ok(Self(members))
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let position = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(position).1)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members that nobody took.
    pub(crate) fn rest(self) -> Vec<(Cow<'a, str>, &'a RawValue)> {
        self.0
    }
}

/// The elements of a JSON array, at most `elements_max`; `TooLarge` beyond.
pub(crate) fn elements(body: &[u8], elements_max: usize) -> Result<Vec<&RawValue>, Error> {
    let text = checked_text(body)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let elements =
        deserializer.deserialize_seq(Elements { elements_max }).map_err(|problem| malformed(&problem))?;
    let elements = elements.ok_or_else(|| {
        Error::new(ErrorCode::TooLarge, format!("a batch may hold at most {elements_max} events"))
    })?;
    deserializer.end().map_err(|problem| malformed(&problem))?;
    Ok(elements)
}

/// A name of the caller's, short enough to repeat.
pub(crate) fn shown(name: &str) -> String {
    name.chars().take(SHOWN_CHARS).collect()
}

fn checked_text(body: &[u8]) -> Result<&str, Error> {
    if body.is_empty() {
        return Err(Error::new(ErrorCode::Malformed, "the body is empty; it must be JSON"));
    }
    let text = std::str::from_utf8(body).map_err(|problem| {
        let (line, column) = place(&body[..problem.valid_up_to()]);
        Error::new(ErrorCode::Malformed, format!("the body is not UTF-8 at line {line} column {column}"))
    })?;
    match too_deep_at(body) {
        Some(offset) => {
            let (line, column) = place(&body[..offset]);
            let message =
                format!("the body nests deeper than {DEPTH_MAX} levels at line {line} column {column}");
            Err(Error::new(ErrorCode::Malformed, message))
        }
        None => Ok(text),
    }
}

fn malformed(problem: &serde_json::Error) -> Error {
    let problem = said(problem);
    Error::new(ErrorCode::Malformed, format!("the body is not the JSON that is expected: {problem}"))
}

/// The problem without the value that stands where another was expected: it may be a secret, and errors are logged.
fn said(problem: &serde_json::Error) -> String {
    const WRONG: [&str; 2] = ["invalid type", "invalid value"];
    let text = problem.to_string();
    let what =
        WRONG.into_iter().find(|what| text.strip_prefix(what).is_some_and(|rest| rest.starts_with(": ")));
    match what.zip(text.rfind(", expected ")) {
        Some((what, expected)) => format!("{what}{}", &text[expected..]),
        None => text,
    }
}

/// Line and column of the byte after `before`, both counted from 1 as serde_json does.
fn place(before: &[u8]) -> (usize, usize) {
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}

/// Where the nesting passes [`DEPTH_MAX`]. Raw members are skipped by serde_json without its own limit, so this
/// stands in for it. A body with few brackets, that is nearly every body, is not looked at closely.
fn too_deep_at(body: &[u8]) -> Option<usize> {
    let opening = body.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if opening <= DEPTH_MAX {
        return None;
    }
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (offset, byte) in body.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Some(offset);
        }
    }
    None
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Self::Value = Vec::with_capacity(8);
        while let Some(Name(name)) = map.next_key()? {
            if members.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format_args!("`{}` is given twice", shown(&name))));
            }
            if members.len() == MEMBERS_MAX {
                return Err(A::Error::custom(format_args!(
                    "an object may have at most {MEMBERS_MAX} members"
                )));
            }
            members.push((name, map.next_value()?));
        }
        Ok(members)
    }
}

/// A member's name, borrowed unless it holds escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor).map(Self)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

struct Elements {
    elements_max: usize,
}

impl<'de> Visitor<'de> for Elements {
    /// `None` when there are too many.
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let (mut elements, mut count) = (Vec::new(), 0usize);
        while let Some(element) = seq.next_element()? {
            count += 1;
            if count <= self.elements_max {
                elements.push(element);
            }
        }
        Ok((count <= self.elements_max).then_some(elements))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &[u8], words: &str) {
        let error = Object::parse(body).expect_err("must be refused");
        assert_eq!(error.code, ErrorCode::Malformed);
        assert!(error.message.contains(words), "{:?} does not say {words:?}", error.message);
    }

    #[test]
    fn members_keep_their_bytes_and_order() {
        let body = br#" {"a": {"x" : 1.0 } ,"\u0062":[ ],"c":null} "#;
        let mut object = Object::parse(body).expect("an object");
        assert_eq!(object.take("b").map(RawValue::get), Some("[ ]"));
        assert_eq!(object.take("b").map(RawValue::get), None);
        let rest: Vec<_> = object.rest().into_iter().map(|(name, raw)| (name, raw.get())).collect();
        assert_eq!(rest, [("a".into(), "{\"x\" : 1.0 }"), ("c".into(), "null")]);
    }

    #[test]
    fn anything_else_is_refused_with_its_place() {
        refused(b"", "empty");
        refused(b"  ", "line 1 column 2");
        refused(b"[]", "expected an object");
        refused(b"{} x", "trailing characters at line 1 column 4");
        refused(b"{\"a\":1,\n\"a\":2}", "`a` is given twice at line 2");
        refused(b"{\"a\":1,\"\\u0061\":2}", "given twice");
        refused(b"{\"a\":\"\xff\"}", "not UTF-8 at line 1 column 7");
        refused(b"{\"a\":\"\0\"}", "control character");
        refused(b"{\"a\":\0}", "line 1 column 6");
        refused(b"\xef\xbb\xbf{}", "line 1 column 1");
        let many: Vec<String> = (0..=MEMBERS_MAX).map(|n| format!("\"{n}\":0")).collect();
        refused(format!("{{{}}}", many.join(",")).as_bytes(), "at most 256 members");
    }

    /// What was sent by mistake may be a password.
    #[test]
    fn a_value_in_a_wrong_place_is_not_repeated() {
        for body in [&br#""canary, expected \" canary""#[..], b"3.125", b"[\"canary\"]", b"true"] {
            let error = Object::parse(body).expect_err("no object").message;
            assert!(error.contains(": invalid type, expected an object at line 1"), "{error}");
            let error = elements(body, 0).map_err(|error| error.message);
            assert!(
                error.is_err_and(|error| error.contains("invalid type, expected an array"))
                    || body[0] == b'['
            );
        }
        let error = serde_json::from_str::<char>("\"canary\"").expect_err("six of them");
        assert_eq!(said(&error), "invalid value, expected a character at line 1 column 8");
    }

    #[test]
    fn nesting_has_a_limit_and_brackets_in_strings_do_not_count() {
        let nested = |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(Object::parse(nested(DEPTH_MAX - 1).as_bytes()).is_ok());
        refused(nested(DEPTH_MAX).as_bytes(), "line 1 column 133");
        refused(nested(500_000).as_bytes(), "nests deeper");
        let harmless = format!("{{\"a\":\"\\\"{}\",\"b\":[{}[]]}}", "[".repeat(500), "[],".repeat(500));
        assert!(Object::parse(harmless.as_bytes()).is_ok());
    }

    #[test]
    fn elements_are_counted() {
        assert_eq!(elements(b"[1, {} ]", 2).expect("two").len(), 2);
        assert_eq!(elements(b"[1,2,3]", 2).expect_err("three").code, ErrorCode::TooLarge);
        for bad in [&b"{}"[..], b"[1", b"[1] 2"] {
            assert_eq!(elements(bad, 2).expect_err("not an array").code, ErrorCode::Malformed);
        }
    }
}
