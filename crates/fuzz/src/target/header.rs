//! What owners of webhooks bring along for their receivers: headers, logins, secrets. What is accepted can be sent as it
//! is, and a secret that is accepted signs.

use std::str::from_utf8;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderName, HeaderValue};
use signalpost_core::basic_auth::{authorization, check_password, check_user};
use signalpost_core::custom_header::{check_header_name, check_header_value};
use signalpost_core::idempotency::parse_key;
use signalpost_core::metadata::{check_metadata_name, check_metadata_value};
use signalpost_core::operator_key;
use signalpost_core::password;
use signalpost_core::ports::Random;
use signalpost_core::seal::{Keyring, Place};
use signalpost_core::secret::Secret;
use signalpost_core::sign::{standard_key, standard_secret};

use crate::Target;
use crate::feed::parts;

const BYTES_MAX: usize = 1_024;
/// Fields between two ends of a connection (RFC 9110 section 7.6.1), and those that say where a body ends.
const OF_THE_CONNECTION: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const PLACE: Place = Place { workspace: 1, object: 1, field: "webhook.secret" };

pub(super) fn target() -> Target {
    let about = "what is accepted can be sent as it is; secrets and logins return as they went in";
    Target::new("header", about, BYTES_MAX, |input| {
        // Bytes that are no text come from headers of requests.
        if let Ok(key) = parse_key(input) {
            assert!(!key.is_empty() && key.bytes().all(|byte| !byte.is_ascii_control()), "{key:?}");
        }
        assert!(
            !operator_key::has_form(input) || from_utf8(input).is_ok_and(|text| text.starts_with("spo_"))
        );
        let [first, second] = parts(input);
        if let (Ok(first), Ok(second)) = (from_utf8(first), from_utf8(second)) {
            header(first, second);
            login(first, second);
            secret(first);
            others(first, second);
        }
    })
}

fn header(name: &str, value: &str) {
    if check_header_name(name).is_ok() {
        let sent: HeaderName = name.parse().unwrap_or_else(|error| panic!("{name:?} is no name: {error}"));
        // As CGI hands names on (RFC 3875 section 4.1.18).
        let read = sent.as_str().replace('_', "-");
        assert!(!OF_THE_CONNECTION.contains(&read.as_str()), "{name} is the connection's");
    }
    if check_header_value(value).is_ok() {
        let sent = HeaderValue::from_str(value).unwrap_or_else(|error| panic!("{value:?}: {error}"));
        assert_eq!(sent.as_bytes().trim_ascii(), value.as_bytes(), "readers would see something else");
    }
}

fn login(user: &str, given: &str) {
    let given = Secret::from_text(given);
    if check_user(user).is_err() || check_password(&given).is_err() {
        return;
    }
    let value = authorization(user, &given);
    HeaderValue::from_bytes(value.expose()).expect("it can be sent");
    let encoded = value.expose_text().strip_prefix("Basic ").expect("RFC 7617");
    let pair = BASE64.decode(encoded).expect("base64");
    let colon = pair.iter().position(|byte| *byte == b':').expect("a colon");
    assert_eq!((&pair[..colon], &pair[colon + 1..]), (user.as_bytes(), given.expose()));
}

fn secret(text: &str) {
    let secret = Secret::from_text(text);
    if let Ok(key) = standard_key(&secret) {
        assert_eq!(standard_secret(&key).expose_text(), text, "two texts stand for one key");
    }
    if let Ok(ring) = Keyring::parse(text) {
        let sealed = ring.seal(PLACE, &secret, &Zeros);
        let opened = ring.open(PLACE, &sealed).expect("a ring opens what it sealed");
        assert_eq!(opened.expose(), secret.expose());
    }
    if password::check_password(&secret).is_ok() {
        assert!(password::may_be_password(&secret), "a password that nobody can log in with");
    }
}

fn others(name: &str, value: &str) {
    if check_metadata_name(name).is_ok() {
        assert!(!name.is_empty() && !name.contains(char::is_control));
    }
    if check_metadata_value(value).is_ok() {
        assert!(!value.contains('\0'));
    }
}

/// Nothing here is a secret.
struct Zeros;

impl Random for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}
