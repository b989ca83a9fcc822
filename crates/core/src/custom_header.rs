//! Headers that a webhook's owner has sent along, such as a key for the receiver's gateway.
//!
//! Their values often are credentials, so all of them are kept and shown as secrets are.

use thiserror::Error;

use crate::limits::{
    WEBHOOK_HEADER_NAME_CHARS_MAX, WEBHOOK_HEADER_VALUE_CHARS_MAX, WEBHOOK_HEADERS_BYTES_MAX,
    WEBHOOK_HEADERS_MAX,
};
use crate::seal::SEALING_BYTES;
use crate::secret::SealedSecret;

/// Field name under which a header's value is sealed, see [`crate::seal::Place`].
pub const HEADER_FIELD: &str = "webhook.header";

/// Stands for a header's value wherever headers are shown.
pub const MASKED: &str = "***";

/// Headers that say how a message travels or how its body is to be read. Whoever could set them could make two
/// readers of a connection disagree (RFC 9110 section 7.6.1, RFC 9112 section 6), or make a body unreadable.
const RESERVED: [&str; 14] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// The same for all names that begin so.
const RESERVED_PREFIX: &str = "proxy-";

/// Whether receivers may take one name for the other: in any case, and with `_` for `-`, which are the same to programs
/// that are handed headers as CGI does (RFC 3875 section 4.1.18).
pub fn reads_as(name: &str, other: &str) -> bool {
    name.len() == other.len() && begins_as(name, other)
}

/// Whether receivers may take the beginning of a name for `prefix`.
pub fn begins_as(name: &str, prefix: &str) -> bool {
    let read = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    name.len() >= prefix.len() && name.bytes().zip(prefix.bytes()).all(|(a, b)| read(a) == read(b))
}

/// Whether a name is the server's to set, in every dialect.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| reads_as(name, reserved)) || begins_as(name, RESERVED_PREFIX)
}

/// One header. Names are unique in their webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomHeader {
    /// In lower case.
    pub name: String,
    pub value: SealedSecret,
}

/// A change of a webhook's headers, as RFC 7396 merges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadersChange<V> {
    /// Removes all of them.
    Clear,
    /// Sets each of these, or removes it for `None`, whatever spelling of its name was set. The others stay.
    Merge(Vec<(String, Option<V>)>),
}

/// Together the headers would be more than one webhook may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("may be at most 16, with 4096 bytes of names and values together")]
pub struct TooManyHeaders;

const _: () = assert!(WEBHOOK_HEADERS_MAX == 16 && WEBHOOK_HEADERS_BYTES_MAX == 4_096);

/// A token (RFC 9110 section 5.6.2) that is not ours to set. The error is a sentence for the customer.
pub fn check_header_name(name: &str) -> Result<(), String> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > WEBHOOK_HEADER_NAME_CHARS_MAX {
        return Err(format!("must have a name of 1 to {WEBHOOK_HEADER_NAME_CHARS_MAX} characters"));
    }
    if !name.bytes().all(token) {
        return Err("must have a name of letters, digits and ! # $ % & ' * + - . ^ _ ` | ~ only".to_owned());
    }
    if is_reserved(name) {
        return Err("is set by the server alone".to_owned());
    }
    Ok(())
}

/// Visible ASCII with spaces and tabs inside (RFC 9110 section 5.5, without what is obsolete there).
pub fn check_header_value(value: &str) -> Result<(), String> {
    if value.is_empty() || value.len() > WEBHOOK_HEADER_VALUE_CHARS_MAX {
        return Err(format!("must be 1 to {WEBHOOK_HEADER_VALUE_CHARS_MAX} characters long"));
    }
    if !value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
        return Err("may hold visible ASCII characters, spaces and tabs only".to_owned());
    }
    // Readers strip it, so what arrives would not be what was given.
    if value.trim_matches([' ', '\t']).len() != value.len() {
        return Err("must not begin or end with white space".to_owned());
    }
    Ok(())
}

/// The headers after a change, in the order of their names. One that is given takes the place of those that receivers could
/// take it for.
pub fn merged(
    present: &[CustomHeader],
    change: &HeadersChange<SealedSecret>,
) -> Result<Vec<CustomHeader>, TooManyHeaders> {
    let HeadersChange::Merge(wanted) = change else { return Ok(Vec::new()) };
    let touched = |name: &str| wanted.iter().any(|(known, _)| reads_as(known, name));
    let mut headers: Vec<CustomHeader> =
        present.iter().filter(|header| !touched(&header.name)).cloned().collect();
    headers.extend(
        wanted
            .iter()
            .filter_map(|(name, value)| Some(CustomHeader { name: name.clone(), value: value.clone()? })),
    );
    headers.sort_by(|one, other| one.name.cmp(&other.name));
    let bytes: usize = headers.iter().map(bytes_of).sum();
    if headers.len() > WEBHOOK_HEADERS_MAX || bytes > WEBHOOK_HEADERS_BYTES_MAX {
        return Err(TooManyHeaders);
    }
    Ok(headers)
}

/// Bytes of a name and of its value in the clear, which sealing lengthens by a constant.
fn bytes_of(header: &CustomHeader) -> usize {
    header.name.len() + header.value.as_bytes().len().saturating_sub(SEALING_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(bytes: usize) -> SealedSecret {
        SealedSecret::from_bytes(vec![7; bytes + SEALING_BYTES])
    }

    fn merge(changes: &[(&str, Option<usize>)]) -> HeadersChange<SealedSecret> {
        let one = |(name, bytes): &(&str, Option<usize>)| ((*name).to_owned(), bytes.map(sealed));
        HeadersChange::Merge(changes.iter().map(one).collect())
    }

    #[test]
    fn names_are_tokens_that_are_not_the_servers() {
        for good in ["x-api-key", "Authorization", "X_!#$%&'*+.^`|~", "cookie", "proxy", &"x".repeat(64)] {
            assert_eq!(check_header_name(good), Ok(()), "{good}");
        }
        let others =
            ["proxy-authorization", "Proxy-Connection", "Host", "TE", "Transfer_Encoding", "PROXY_x"];
        let reserved = RESERVED.into_iter().chain(others);
        for bad in reserved.chain(["", "x y", "x:y", "x\r\ny", "é", "x\0", "(x)", &"x".repeat(65)]) {
            assert!(check_header_name(bad).is_err(), "{bad:?}");
        }
    }

    /// A gateway that speaks CGI hands `x_api_key` and `X-Api-Key` on as one variable.
    #[test]
    fn names_are_compared_as_receivers_read_them() {
        for (name, other, same) in [
            ("x-api-key", "X_Api-KEY", true),
            ("x-api-key", "x-api-keys", false),
            ("x-api-key", "x.api.key", false),
            ("a~b", "a^b", false),
        ] {
            assert_eq!((reads_as(name, other), reads_as(other, name)), (same, same), "{name} {other}");
        }
        assert!(begins_as("Webhook_Id", "webhook-") && begins_as("webhook-", "webhook-"));
        assert!(!begins_as("webhook", "webhook-") && !begins_as("my-webhook-", "webhook-"));
    }

    #[test]
    fn values_hold_nothing_that_could_split_a_request() {
        for good in ["x", "Bearer a b", "a\tb", "~!\"{}", &"v".repeat(1_024)] {
            assert_eq!(check_header_value(good), Ok(()), "{good}");
        }
        for bad in ["", " x", "x ", "\tx", "a\r\nb", "a\nb", "a\0b", "ü", "\u{7f}", &"v".repeat(1_025)] {
            assert!(check_header_value(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_merge_sets_removes_and_leaves() {
        let names = |headers: &[CustomHeader]| {
            headers.iter().map(|header| header.name.clone()).collect::<Vec<_>>().join(" ")
        };
        let first = merged(&[], &merge(&[("b", Some(1)), ("a", Some(2)), ("z", None)])).expect("few");
        assert_eq!(names(&first), "a b");
        let second = merged(&first, &merge(&[("a", None), ("c", Some(3)), ("b", Some(9))])).expect("few");
        assert_eq!(names(&second), "b c");
        assert_eq!(second[0].value, sealed(9), "a value that is given again replaces");
        assert_eq!(merged(&second, &merge(&[])), Ok(second.clone()));
        let respelled = merged(&first, &merge(&[("x-y", Some(1))])).expect("few");
        let respelled = merged(&respelled, &merge(&[("x_y", Some(2))])).expect("few");
        assert_eq!(names(&respelled), "a b x_y", "receivers could take one for the other");
        assert_eq!(names(&merged(&respelled, &merge(&[("x-y", None)])).expect("few")), "a b");
        assert_eq!(merged(&second, &HeadersChange::Clear), Ok(Vec::new()));
    }

    #[test]
    fn bounds_hold_for_the_whole_of_them() {
        let many: Vec<String> = (0..17).map(|n| format!("x-{n:02}")).collect();
        let change =
            |count: usize| merge(&many[..count].iter().map(|n| (n.as_str(), Some(1))).collect::<Vec<_>>());
        let full = merged(&[], &change(16)).expect("as many as may be");
        assert_eq!(merged(&[], &change(17)), Err(TooManyHeaders));
        assert_eq!(merged(&full, &merge(&[("y", Some(1))])), Err(TooManyHeaders));
        assert!(merged(&full, &merge(&[("y", Some(1)), ("x-00", None)])).is_ok());
        let large = |last: usize| {
            merge(&[("a", Some(1_024)), ("b", Some(1_024)), ("c", Some(1_024)), ("d", Some(last))])
        };
        assert!(merged(&[], &large(1_020)).is_ok());
        assert_eq!(merged(&[], &large(1_021)), Err(TooManyHeaders));
    }
}
