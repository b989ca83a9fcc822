//! Query strings and forms, decoded once and strictly: bad escapes, bad UTF-8 and repeated names are errors.

use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::limits::PARAMETERS_MAX;

/// The parameters of a query that nobody has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// `Invalid` at the parameter that cannot be read or stands twice, and when there are too many of them.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Error> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        let mut errors = FieldErrors::default();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            if parameters.len() == PARAMETERS_MAX {
                let message = format!("there may be at most {PARAMETERS_MAX} parameters");
                return Err(Error::new(ErrorCode::Invalid, message));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(name), decode(value)) {
                (Some(name), Some(_)) if parameters.iter().any(|(known, _)| *known == name) => {
                    errors.push(shown(&name), "is given twice");
                }
                (Some(name), Some(value)) => parameters.push((name, value)),
                _ => errors.push(shown(name), "is not percent-encoded UTF-8"),
            }
        }
        errors.into_result()?;
        Ok(Self(parameters))
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let position = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(position).1)
    }

    /// The parameters that nobody took, in their order.
    pub(crate) fn rest(self) -> Vec<(String, String)> {
        self.0
    }

    /// Notes every parameter that nobody took.
    pub(crate) fn refuse_rest(self, errors: &mut FieldErrors) {
        for (name, _) in self.0 {
            errors.push(shown(&name), "is not a parameter of this list");
        }
    }
}

/// A name as it may stand in an error, whatever its length.
fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

/// Undoes form encoding: `+` is a space, `%XX` a byte.
fn decode(text: &str) -> Option<String> {
    decode_percent(&text.replace('+', " "))
}

/// Undoes percent-encoding (RFC 3986 section 2.1) once. `None` for a bad escape, and for what is not UTF-8.
pub(crate) fn decode_percent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'%' => {
                let (digits, after) = rest.split_first_chunk::<2>()?;
                let digit = |digit: u8| char::from(digit).to_digit(16);
                let byte = digit(digits[0])? << 4 | digit(digits[1])?;
                bytes.push(u8::try_from(byte).expect("two hexadecimal digits"));
                rest = after;
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once_and_strictly() {
        let mut query =
            Query::parse(Some("a=1&b=x%20y+z&c=%2525&d&&%C3%A9=%F0%9F%A7%80")).expect("a good query");
        for (name, value) in [("a", "1"), ("b", "x y z"), ("c", "%25"), ("d", ""), ("é", "🧀")] {
            assert_eq!(query.take(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(query.take("a"), None);
        for bad in ["a=%", "a=%2", "a=%zz", "a=%ff", "%=1", "a=1&a=1", "a=1&%61=2"] {
            assert!(Query::parse(Some(bad)).is_err(), "{bad}");
        }
        let many: Vec<String> = (0..=PARAMETERS_MAX).map(|number| format!("a{number}=1")).collect();
        assert!(Query::parse(Some(&many[1..].join("&"))).is_ok());
        assert!(Query::parse(Some(&many.join("&"))).is_err());
    }
}
