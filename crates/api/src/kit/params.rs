//! Parameters of a call that may stand in its query string, in a form or in a JSON object, whatever its method.
//!
//! What the body says of a parameter holds, whatever the query says of it. A name that stands twice in one of them is
//! refused: two readers could take different values. So is a body that does not say what it is; where there is none, nothing
//! is asked of its type. Values are read when
//! somebody asks for them, so what nobody asks for is not judged.

use axum::extract::Request;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::value::RawValue;
use signalpost_core::error::{Error, ErrorCode, FieldErrors};

use crate::kit::body::{self, MediaType, media_type};
use crate::kit::fields::Member;
use crate::kit::json::Object;
use crate::kit::query::Query;
use crate::kit::refusal::Refusal;

/// The parameters that nobody has taken yet, and what was wrong with others.
#[derive(Debug, Default)]
pub(crate) struct Params {
    given: Vec<(String, Given)>,
    missing: Vec<String>,
    errors: FieldErrors,
}

/// A value as it came.
#[derive(Debug)]
enum Given {
    /// Of a query or a form, where everything is text.
    Text(String),
    Json(Box<RawValue>),
}

/// Beside the refusal of a call that lacks parameters, which its error names in the order in which they were asked for.
#[derive(Debug)]
pub(crate) struct Missing;

impl Params {
    /// What a request's query and its body, of at most so many bytes, say together.
    ///
    /// # Errors
    /// `UnsupportedMediaType` for a body that is neither a form nor JSON by its `Content-Type`, `Malformed` for JSON that
    /// is no object or repeats a name, `Invalid` for a query or form that cannot be decoded or repeats a name, and those of
    /// [`body::read`].
    pub(crate) async fn read(request: Request, bytes_max: usize) -> Result<Self, Error> {
        let query = Query::parse(request.uri().query())?;
        Self::beside(query, request, bytes_max).await
    }

    /// The same of the body alone, for what must not stand in a path.
    pub(crate) async fn of_body(request: Request, bytes_max: usize) -> Result<Self, Error> {
        Self::beside(Query::default(), request, bytes_max).await
    }

    async fn beside(query: Query, request: Request, bytes_max: usize) -> Result<Self, Error> {
        let form = form(request.headers());
        let body = body::read(request, bytes_max).await?;
        Self::of(query, form, &body)
    }

    /// What the form is matters to a body alone: many clients name one on every call.
    fn of(query: Query, form: Result<Form, Error>, body: &[u8]) -> Result<Self, Error> {
        let mut given = if body.is_empty() { Vec::new() } else { form?(body)? };
        for (name, text) in query.rest() {
            if !given.iter().any(|(known, _)| *known == name) {
                given.push((name, Given::Text(text)));
            }
        }
        Ok(Self { given, ..Self::default() })
    }

    /// A number from 0 to 2^63-1, in digits alone, as JSON number or text.
    pub(crate) fn integer(&mut self, name: &str) -> Member<i64> {
        self.member(name, |given| match given {
            Given::Text(text) => integer_of(&text),
            Given::Json(raw) => match text_of(&raw) {
                Some(text) => integer_of(&text?),
                None => integer_of(raw.get()),
            },
        })
    }

    /// `true` or `1`, `false` or `0`, and no other spelling.
    pub(crate) fn truth(&mut self, name: &str) -> Member<bool> {
        self.member(name, |given| match given {
            Given::Text(text) => truth_of(&text),
            Given::Json(raw) => match text_of(&raw) {
                Some(text) => truth_of(&text?),
                None => truth_of(raw.get()),
            },
        })
    }

    /// A text of at most so many characters, none of them U+0000, at which many readers end. A JSON number is the text in
    /// which it is written, as in a form.
    pub(crate) fn text(&mut self, name: &str, chars_max: usize) -> Member<String> {
        self.member(name, |given| {
            let text = match given {
                Given::Text(text) => text,
                Given::Json(raw) => match text_of(&raw) {
                    Some(text) => text?,
                    None if is_number(&raw) => raw.get().to_owned(),
                    None => return Err("must be text".to_owned()),
                },
            };
            if text.contains('\0') {
                return Err("must not contain a zero byte".to_owned());
            }
            if text.chars().count() <= chars_max {
                return Ok(text);
            }
            Err(format!("must be at most {chars_max} characters long"))
        })
    }

    /// Keeps a value that passed its rule, or notes the rule.
    pub(crate) fn check<T>(&mut self, name: &str, checked: Result<T, String>) -> Member<T> {
        self.errors.take(name, checked).map_or(Member::Broken, Member::Value)
    }

    /// The value of a parameter that must be there; one that is empty is not.
    pub(crate) fn required<T>(&mut self, name: &str, member: Member<T>) -> Option<T> {
        if matches!(member, Member::Absent | Member::Null) {
            self.missing.push(name.to_owned());
        }
        member.given()
    }

    /// The value of a parameter that may be left out, and must not be empty.
    pub(crate) fn unless_absent<T>(&mut self, name: &str, member: Member<T>) -> Option<T> {
        if matches!(member, Member::Null) {
            self.errors.push(name, "must not be empty");
        }
        member.given()
    }

    /// `Invalid` with everything that was wrong. What is missing comes first, and is said in [`Missing`].
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        if self.missing.is_empty() {
            return Ok(self.errors.into_result()?);
        }
        let mut errors = FieldErrors::default();
        self.missing.into_iter().for_each(|name| errors.push(name, "is required"));
        errors.into_result().map_err(|error| Refusal::with(error, Missing))
    }

    /// `Null` for null and for an empty text.
    fn member<T>(&mut self, name: &str, read: impl FnOnce(Given) -> Result<T, String>) -> Member<T> {
        let Some(position) = self.given.iter().position(|(known, _)| known == name) else {
            return Member::Absent;
        };
        let (_, given) = self.given.swap_remove(position);
        if given.is_empty() {
            return Member::Null;
        }
        let read = read(given);
        self.check(name, read)
    }
}

impl Given {
    fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Json(raw) => matches!(raw.get(), "null" | "\"\""),
        }
    }
}

/// How a body that is not empty is read.
type Form = fn(&[u8]) -> Result<Vec<(String, Given)>, Error>;

fn form(headers: &HeaderMap) -> Result<Form, Error> {
    let forms: [(MediaType, Form); 2] = [(MediaType::Form, of_form), (MediaType::Json, of_json)];
    if headers.contains_key(CONTENT_TYPE) { media_type(headers, &forms) } else { Ok(of_unknown) }
}

fn of_form(body: &[u8]) -> Result<Vec<(String, Given)>, Error> {
    let not_utf8 = |_| Error::new(ErrorCode::Malformed, "the form is not UTF-8");
    let pairs = Query::parse(Some(std::str::from_utf8(body).map_err(not_utf8)?))?;
    Ok(pairs.rest().into_iter().map(|(name, text)| (name, Given::Text(text))).collect())
}

fn of_json(body: &[u8]) -> Result<Vec<(String, Given)>, Error> {
    let members = Object::parse(body)?.rest().into_iter();
    Ok(members.map(|(name, raw)| (name.into_owned(), Given::Json(raw.to_owned()))).collect())
}

fn of_unknown(_: &[u8]) -> Result<Vec<(String, Given)>, Error> {
    let message = "a body needs a content-type: application/x-www-form-urlencoded or application/json";
    Err(Error::new(ErrorCode::UnsupportedMediaType, message))
}

/// The text that a JSON value is, if it is one.
fn text_of(raw: &RawValue) -> Option<Result<String, String>> {
    let text = || serde_json::from_str(raw.get()).map_err(|_| "is text that cannot be read".to_owned());
    raw.get().starts_with('"').then(text)
}

/// Of what JSON can be, only numbers begin like that.
fn is_number(raw: &RawValue) -> bool {
    raw.get().starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

fn integer_of(text: &str) -> Result<i64, String> {
    let problem = match text.as_bytes() {
        [b'+' | b'-', ..] => "must not have a sign".to_owned(),
        digits if !digits.iter().all(u8::is_ascii_digit) => {
            "must be a whole number, written in digits alone".to_owned()
        }
        [b'0', _, ..] => "must not begin with a zero".to_owned(),
        _ => match text.parse() {
            Ok(number) => return Ok(number),
            Err(_) => format!("must be at most {}", i64::MAX),
        },
    };
    Err(problem)
}

fn truth_of(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("must be true, false, 1 or 0".to_owned()),
    }
}

#[cfg(test)]
mod tests;
