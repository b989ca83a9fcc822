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
mod tests {
    use http::HeaderValue;

    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json";

    /// What the parts of a request say together.
    fn given(query: &str, media_type: &str, body: &str) -> Result<Params, Error> {
        let mut headers = HeaderMap::new();
        if !media_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(media_type).expect("a header value"));
        }
        Params::of(Query::parse(Some(query))?, form(&headers), body.as_bytes())
    }

    #[track_caller]
    fn problem<T: std::fmt::Debug>(
        text: &str,
        media_type: &str,
        read: fn(&mut Params) -> Member<T>,
    ) -> String {
        let mut params = given("", media_type, text).expect("it can be read");
        assert!(matches!(read(&mut params), Member::Broken), "{text}");
        params.finish().expect_err(text).error().message.clone()
    }

    #[test]
    fn a_parameter_is_the_same_wherever_it_stands() {
        let table = [
            ("id=7&on=true&word=a%20b", "", ""),
            ("", FORM, "id=7&on=true&word=a+b"),
            ("", JSON, r#"{"id":7,"on":true,"word":"a b"}"#),
            ("", JSON, r#"{"id":"7","on":"true","word":"a\u0020b"}"#),
            ("id=7", JSON, r#"{"on":1,"word":"a b"}"#),
            ("id=7&on=1", "application/json; charset=utf-8", r#"{"word":"a b","other":[{}]}"#),
            ("id=8&on=nonsense", FORM, "id=7&on=1&word=a b"),
            ("id=8", JSON, r#"{"id":7,"on":true,"word":"a b"}"#),
            ("id=7&on=1&word=a+b", JSON, ""),
        ];
        for (query, media_type, body) in table {
            let mut params = given(query, media_type, body).expect("it can be read");
            assert_eq!(params.integer("id"), Member::Value(7), "{query} {body}");
            assert_eq!(params.truth("on"), Member::Value(true), "{query} {body}");
            assert_eq!(params.text("word", 3), Member::Value("a b".to_owned()), "{query} {body}");
            assert_eq!(params.text("word", 3), Member::Absent, "it was taken");
            assert!(params.finish().is_ok());
        }
    }

    #[test]
    fn absent_and_empty_are_two_things() {
        for (query, media_type, body) in
            [("a=&b", "", ""), ("a=7", FORM, "a=&b="), ("a=7&b=7", JSON, r#"{"a":null,"b":""}"#)]
        {
            let mut params = given(query, media_type, body).expect("it can be read");
            assert_eq!(
                (params.integer("a"), params.text("b", 9)),
                (Member::Null, Member::Null),
                "{query} {body}"
            );
            assert_eq!(params.truth("c"), Member::Absent);
        }
    }

    #[test]
    fn what_is_missing_is_told_before_what_is_wrong() {
        let mut params = given("a=x&b=&d=&e=1", "", "").expect("it can be read");
        for name in ["a", "b", "c", "e"] {
            let member = params.integer(name);
            params.required(name, member);
        }
        let empty = params.integer("d");
        params.unless_absent("d", empty);
        let refusal = params.finish().expect_err("two are missing");
        assert!(refusal.details::<Missing>().is_some());
        let named: Vec<&str> = refusal.error().fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(named, ["b", "c"]);
        assert_eq!(refusal.error().message, "b: is required");

        let mut params = given("a=x&d=", "", "").expect("it can be read");
        let (wrong, empty) = (params.integer("a"), params.integer("d"));
        assert_eq!((params.required("a", wrong), params.unless_absent("d", empty)), (None, None));
        let refusal = params.finish().expect_err("two are wrong");
        assert!(refusal.details::<Missing>().is_none());
        let named: Vec<&str> = refusal.error().fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(named, ["a", "d"]);
    }

    #[test]
    fn integers_are_digits_and_fit() {
        for (text, number) in [("0", 0), ("7", 7), ("9223372036854775807", i64::MAX)] {
            for (media_type, body) in [(FORM, format!("id={text}")), (JSON, format!("{{\"id\":{text}}}"))] {
                let mut params = given("", media_type, &body).expect("it can be read");
                assert_eq!(params.integer("id"), Member::Value(number), "{body}");
            }
        }
        let table = [
            ("-1", "id: must not have a sign"),
            ("%2B1", "id: must not have a sign"),
            ("007", "id: must not begin with a zero"),
            ("00", "id: must not begin with a zero"),
            ("1.0", "id: must be a whole number, written in digits alone"),
            ("1e3", "id: must be a whole number, written in digits alone"),
            ("0x1", "id: must be a whole number, written in digits alone"),
            ("one", "id: must be a whole number, written in digits alone"),
            ("1%20", "id: must be a whole number, written in digits alone"),
            ("%D9%A1", "id: must be a whole number, written in digits alone"),
            ("9223372036854775808", "id: must be at most 9223372036854775807"),
            ("99999999999999999999999999", "id: must be at most 9223372036854775807"),
        ];
        for (text, expected) in table {
            assert_eq!(
                problem(&format!("id={text}"), FORM, |params| params.integer("id")),
                expected,
                "{text}"
            );
        }
        for json in ["-1", "1.0", "1e3", "9223372036854775808", "true", "[1]", "{\"id\":1}", "\"1.0\""] {
            problem(&format!("{{\"id\":{json}}}"), JSON, |params| params.integer("id"));
        }
    }

    #[test]
    fn truths_have_four_spellings() {
        for bad in ["TRUE", "True", "yes", "on", "2", "01", "t", "%20true"] {
            let said = problem(&format!("on={bad}"), FORM, |params| params.truth("on"));
            assert_eq!(said, "on: must be true, false, 1 or 0", "{bad}");
        }
        for bad in ["2", "1.0", "\"yes\"", "[true]", "{}"] {
            problem(&format!("{{\"on\":{bad}}}"), JSON, |params| params.truth("on"));
        }
        for (good, truth) in [("true", true), ("1", true), ("\"1\"", true), ("false", false), ("0", false)] {
            let mut params = given("", JSON, &format!("{{\"on\":{good}}}")).expect("it can be read");
            assert_eq!(params.truth("on"), Member::Value(truth), "{good}");
        }
    }

    #[test]
    fn texts_are_counted_in_characters() {
        let mut params = given("", JSON, r#"{"word":"🧀🧀🧀"}"#).expect("it can be read");
        assert_eq!(params.text("word", 3), Member::Value("🧀🧀🧀".to_owned()));
        let long = problem("word=abcd", FORM, |params| params.text("word", 3));
        assert_eq!(long, "word: must be at most 3 characters long");
        let zero = problem("word=a%00", FORM, |params| params.text("word", 3));
        assert_eq!(zero, "word: must not contain a zero byte");
        for bad in ["true", "[]", "{}", "\"\\ud800\""] {
            problem(&format!("{{\"word\":{bad}}}"), JSON, |params| params.text("word", 3));
        }
    }

    #[test]
    fn numbers_are_texts_as_they_are_written() {
        for written in ["7", "1.50", "-0", "1e3", "12345678901234567890"] {
            let mut params = given("", JSON, &format!("{{\"word\": {written} }}")).expect("it can be read");
            assert_eq!(params.text("word", 20), Member::Value(written.to_owned()));
        }
        assert_eq!(
            problem("{\"word\":1234}", JSON, |params| params.text("word", 3)),
            "word: must be at most 3 characters long"
        );
    }

    #[test]
    fn where_there_is_no_body_its_type_means_nothing() {
        for media_type in ["", "text/plain", "multipart/form-data; boundary=x", JSON, FORM] {
            let mut params = given("id=7", media_type, "").expect(media_type);
            assert_eq!(params.integer("id"), Member::Value(7), "{media_type}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let many: Vec<String> = (0..300).map(|number| format!("a{number}=")).collect();
        let table = [
            ("a=1&a=2", "", "", ErrorCode::Invalid),
            ("a=%ff", "", "", ErrorCode::Invalid),
            ("", FORM, "a=1&%61=1", ErrorCode::Invalid),
            ("", FORM, "a=%zz", ErrorCode::Invalid),
            (&many.join("&"), "", "", ErrorCode::Invalid),
            ("", JSON, r#"{"a":1,"a":1}"#, ErrorCode::Malformed),
            ("", JSON, "[1]", ErrorCode::Malformed),
            ("", JSON, "7", ErrorCode::Malformed),
            ("", JSON, "null", ErrorCode::Malformed),
            ("", JSON, "{", ErrorCode::Malformed),
            ("", JSON, "a=1", ErrorCode::Malformed),
            ("", "", "a=1", ErrorCode::UnsupportedMediaType),
            ("", "text/plain", "a=1", ErrorCode::UnsupportedMediaType),
            ("", "multipart/form-data; boundary=x", "--x--", ErrorCode::UnsupportedMediaType),
            ("", "application/x-www-form-urlencoded; charset=latin1", "a=1", ErrorCode::UnsupportedMediaType),
        ];
        for (query, media_type, body, code) in table {
            let error = given(query, media_type, body).expect_err("it cannot be read");
            assert_eq!(error.code, code, "{query} {media_type} {body}");
        }
    }
}
