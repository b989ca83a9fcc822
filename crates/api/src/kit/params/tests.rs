//! Parameters from a query, a form and JSON, and what is refused of them.

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
fn problem<T: std::fmt::Debug>(text: &str, media_type: &str, read: fn(&mut Params) -> Member<T>) -> String {
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
        assert_eq!(problem(&format!("id={text}"), FORM, |params| params.integer("id")), expected, "{text}");
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
