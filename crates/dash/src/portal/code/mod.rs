//! Code that verifies deliveries, written out for the way in which a dialect signs them.

mod go;
mod node;
mod php;
mod python;
mod rust;

use signalpost_core::profile::DeliveryProfile;
use signalpost_core::sign::{Encoding, KeyForm, STANDARD_SECRET_PREFIX};
use signalpost_core::template::{Piece, Template};

/// How far the time of an attempt may be off before a delivery is taken for one that somebody has kept and sends again.
const TOLERANCE_S: u32 = 300;
/// Of the time of an attempt. Without a bound Python raises an error at some thousands of them.
const TIMESTAMP_DIGITS_MAX: usize = 12;
/// Why an empty secret verifies nothing: it is what a variable holds that was never set.
const EMPTY_KEY: &str = "Anybody can sign with an empty key.";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Python,
    Node,
    Go,
    Php,
    Rust,
}

impl Language {
    pub const ALL: [Self; 5] = [Self::Python, Self::Node, Self::Go, Self::Php, Self::Rust];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Node => "Node.js",
            Self::Go => "Go",
            Self::Php => "PHP",
            Self::Rust => "Rust",
        }
    }
}

/// What a receiver has to know of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Where the signature stands, in lower case.
    header: String,
    /// What stands before it there, or before the time.
    before: String,
    time: Time,
    /// What stands between several of them.
    separator: Option<String>,
    content: Vec<Part>,
    key: KeyForm,
    encoding: Encoding,
}

/// Where the time of the attempt stands, if it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Time {
    NotSigned,
    Header(String),
    /// In front of the signature; this stands between the two.
    BesideSignature(String),
}

/// A piece of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Header(String),
    Time,
    Body,
}

impl Verification {
    /// `None` where something is signed that a receiver is not told beside the body.
    pub fn of(delivery: &DeliveryProfile) -> Option<Self> {
        let recipe = &delivery.signature;
        let (before, between) = around_signature(&recipe.value)?;
        let header_of = |wanted: &str| {
            let is_it = |template: &Template| {
                let mut pieces = template.pieces();
                pieces.next() == Some(Piece::Placeholder(wanted.into())) && pieces.next().is_none()
            };
            delivery.headers.iter().find(|(_, value)| is_it(value)).map(|(name, _)| name.to_string())
        };
        let mut content = Vec::new();
        for piece in recipe.content.pieces() {
            content.push(match piece {
                Piece::Text(text) => Part::Text(text.to_owned()),
                Piece::Placeholder(name) => match &*name {
                    "body" => Part::Body,
                    TIME => Part::Time,
                    other => Part::Header(header_of(other)?),
                },
            });
        }
        let time = match between {
            _ if !content.contains(&Part::Time) => Time::NotSigned,
            Some(between) => Time::BesideSignature(between),
            None => Time::Header(header_of(TIME)?),
        };
        let (header, separator) = (recipe.header.to_string(), recipe.separator.as_deref().map(str::to_owned));
        let (key, encoding) = (recipe.key, recipe.encoding);
        Some(Self { header, before, time, separator, content, key, encoding })
    }

    pub fn written_in(&self, language: Language) -> String {
        match language {
            Language::Python => python::write(self),
            Language::Node => node::write(self),
            Language::Go => go::write(self),
            Language::Php => php::write(self),
            Language::Rust => rust::write(self),
        }
    }

    /// What stands before the key in a secret.
    const fn key_prefix(&self) -> Option<&'static str> {
        match self.key {
            KeyForm::Text => None,
            KeyForm::PrefixedBase64 => Some(STANDARD_SECRET_PREFIX),
        }
    }

    const fn is_timed(&self) -> bool {
        !matches!(self.time, Time::NotSigned)
    }
}

const TIME: &str = "attempt.unix_s";

/// What stands before the signature, or before the time; and between the two where the time stands there, too.
fn around_signature(value: &Template) -> Option<(String, Option<String>)> {
    let pieces: Vec<Piece<'_>> = value.pieces().collect();
    let text = |piece: &Piece<'_>| match piece {
        Piece::Text(text) => Some((*text).to_owned()),
        Piece::Placeholder(_) => None,
    };
    let is = |piece: &Piece<'_>, wanted: &str| *piece == Piece::Placeholder(wanted.into());
    match pieces.as_slice() {
        [signature] if is(signature, "signature") => Some((String::new(), None)),
        [before, signature] if is(signature, "signature") => Some((text(before)?, None)),
        [before, time, between, signature] if is(time, TIME) && is(signature, "signature") => {
            Some((text(before)?, Some(text(between)?)))
        }
        _ => None,
    }
}

/// In double quotes, as JSON, JavaScript, Python, Go and Rust have it.
fn quoted(text: &str) -> String {
    signalpost_core::template::json_string(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(template: &str) -> Template {
        Template::text(template).expect("a good template")
    }

    #[test]
    fn a_signature_is_found_where_it_stands() {
        let around = |template| around_signature(&text(template));
        assert_eq!(around("${signature}"), Some((String::new(), None)));
        assert_eq!(around("v1,${signature}"), Some(("v1,".to_owned(), None)));
        let beside = Some(("t=".to_owned(), Some(",v1=".to_owned())));
        assert_eq!(around("t=${attempt.unix_s},v1=${signature}"), beside);
        for other in ["", "v1", "${signature}!", "${event.id}${signature}", "a${signature}b"] {
            assert_eq!(around(other), None, "{other}");
        }
    }
}
