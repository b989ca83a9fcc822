//! Idempotency keys: a caller's name for one call, under which it may call again and gets the first answer.
//!
//! The header is a structured field string (`"8e03978e"`, RFC 8941 section 3.3.3) in the draft of the IETF, and bare
//! in what most clients send; both mean the same key. Keys are hashed at once: they are compared, never shown.

use sha2::{Digest, Sha256};

use crate::limits::{
    IDEMPOTENCY_BYTES_MAX, IDEMPOTENCY_KEPT_MS, IDEMPOTENCY_KEY_CHARS_MAX, IDEMPOTENCY_ROW_BYTES,
    IDEMPOTENCY_SHARE_BYTES_MAX,
};
use crate::time::Timestamp;

/// One call under a key, as two hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyedCall {
    /// Of the operation and the caller's key: what is looked up.
    pub name: [u8; 32],
    /// Of everything that the caller asked for: what must be the same the next time.
    pub request: [u8; 32],
}

/// What a call asks for.
#[derive(Clone, Copy, Debug)]
pub struct CallContent<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// The content type without its parameters, in lower case; empty when there is none.
    pub media_type: &'a str,
    pub body: &'a [u8],
}

impl KeyedCall {
    /// `operation` is the stable name of what is called: the same key means something else for another one.
    pub fn new(operation: &str, key: &str, content: CallContent<'_>) -> Self {
        let CallContent { method, path, media_type, body } = content;
        Self {
            name: digest(&[operation.as_bytes(), key.as_bytes()]),
            request: digest(&[method.as_bytes(), path.as_bytes(), media_type.as_bytes(), body]),
        }
    }
}

/// Whether a call of `known_at` still answers for its key at `now`. One that is further ahead than a key is kept was
/// dated by a clock that has been set back since.
pub fn is_kept(known_at: Timestamp, now: Timestamp) -> bool {
    let apart_ms = now.as_ms().saturating_sub(known_at.as_ms());
    (-IDEMPOTENCY_KEPT_MS..=IDEMPOTENCY_KEPT_MS).contains(&apart_ms)
}

/// What is kept of answers, in bytes as [`kept_bytes`] counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptBytes {
    pub in_all: u64,
    /// Of one workspace, or of the operator side as a whole.
    pub of_place: u64,
}

/// Whose oldest answer goes before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowded {
    Place,
    Everybody,
}

impl KeptBytes {
    /// What stands against one more answer being kept, once it is counted: nothing while both bounds are kept. Who has
    /// more than a share makes room from it before anybody else does.
    pub const fn crowded(self) -> Option<Crowded> {
        if self.of_place > IDEMPOTENCY_SHARE_BYTES_MAX {
            Some(Crowded::Place)
        } else if self.in_all > IDEMPOTENCY_BYTES_MAX {
            Some(Crowded::Everybody)
        } else {
            None
        }
    }
}

/// What an answer of this length counts for.
pub fn kept_bytes(answer: usize) -> u64 {
    u64::try_from(answer).unwrap_or(u64::MAX).saturating_add(IDEMPOTENCY_ROW_BYTES)
}

/// Reads the header's value. The error completes the sentence "idempotency-key …".
pub fn parse_key(value: &[u8]) -> Result<String, String> {
    let key = match value.strip_prefix(b"\"") {
        Some(quoted) => {
            unquote(quoted).ok_or("is not a complete quoted string, with \\\" and \\\\ as its escapes")?
        }
        None => value.to_vec(),
    };
    if key.is_empty() || key.len() > IDEMPOTENCY_KEY_CHARS_MAX {
        return Err(format!("must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} characters long"));
    }
    let text = String::from_utf8(key).ok().filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()));
    text.ok_or_else(|| "may hold visible ASCII characters only".to_owned())
}

/// What stands in quotes, after the opening one; `None` when the quotes do not close at the very end.
fn unquote(quoted: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(quoted.len());
    let mut rest = quoted.iter();
    loop {
        match rest.next()? {
            b'"' => return rest.next().is_none().then_some(text),
            b'\\' => text.push(*rest.next().filter(|byte| matches!(byte, b'"' | b'\\'))?),
            other => text.push(*other),
        }
    }
}

/// SHA-256 over parts, each with its length, so that no two lists of parts share a text.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(u64::try_from(part.len()).expect("a length fits").to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_with_quotes_and_without() {
        let table: [(&[u8], &str); 5] = [
            (b"abc", "abc"),
            (b"\"abc\"", "abc"),
            (br#""a\"b\\c""#, r#"a"b\c"#),
            (br#"a"b"#, r#"a"b"#),
            (b"8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
        ];
        for (value, key) in table {
            assert_eq!(parse_key(value).as_deref(), Ok(key), "{value:?}");
        }
        assert!(parse_key("x".repeat(255).as_bytes()).is_ok());
        assert!(parse_key(format!("\"{}\"", "x".repeat(255)).as_bytes()).is_ok(), "quotes do not count");
    }

    #[test]
    fn malformed_keys_are_refused() {
        let long = "x".repeat(256);
        let table: [&[u8]; 13] = [
            b"",
            b"\"\"",
            b"\"abc",
            b"\"",
            b"\"abc\"x",
            b"\"abc\";a=1",
            br#""abc\""#,
            br#""a\bc""#,
            b"a b",
            b"a, b",
            b"a\tb",
            b"a\xffb",
            long.as_bytes(),
        ];
        for value in table {
            assert!(parse_key(value).is_err(), "{value:?}");
        }
    }

    #[test]
    fn everything_that_was_asked_for_counts() {
        let content = CallContent { method: "POST", path: "/a", media_type: "x/y", body: b"z" };
        let call = KeyedCall::new("op", "key", content);
        assert_eq!(call, KeyedCall::new("op", "key", content));
        for other in [
            CallContent { method: "PUT", ..content },
            CallContent { path: "/ax", media_type: "/y", ..content },
            CallContent { media_type: "x/yz", body: b"", ..content },
            CallContent { body: b"Z", ..content },
        ] {
            let other = KeyedCall::new("op", "key", other);
            assert!(other.name == call.name && other.request != call.request);
        }
        assert_ne!(KeyedCall::new("opk", "ey", content).name, call.name);
    }

    #[test]
    fn a_key_is_kept_for_a_day_whichever_way_the_clock_went() {
        let at = |ms| Timestamp::from_ms(ms);
        let day_ms = IDEMPOTENCY_KEPT_MS;
        for (known, now, kept) in [
            (0, 0, true),
            (0, day_ms, true),
            (0, day_ms + 1, false),
            (day_ms, 0, true),
            (day_ms + 1, 0, false),
        ] {
            assert_eq!(is_kept(at(known), at(now)), kept, "{known} {now}");
        }
        assert!(!is_kept(at(i64::MAX), at(i64::MIN)));
    }

    #[test]
    fn the_oldest_of_the_place_goes_first_and_then_the_oldest_of_all() {
        let (share, all) = (IDEMPOTENCY_SHARE_BYTES_MAX, IDEMPOTENCY_BYTES_MAX);
        for (of_place, in_all, crowded) in [
            (0, 0, None),
            (share, all, None),
            (share + 1, share + 1, Some(Crowded::Place)),
            (share + 1, all + 1, Some(Crowded::Place)),
            (share, all + 1, Some(Crowded::Everybody)),
            (1, u64::MAX, Some(Crowded::Everybody)),
        ] {
            assert_eq!(KeptBytes { in_all, of_place }.crowded(), crowded, "{of_place} of {in_all}");
        }
        assert_eq!(kept_bytes(16), 272);
        assert!(share / kept_bytes(16) > 900_000, "some million calls that publish one event each");
    }
}
