//! Hides credentials in what a receiver says: many servers answer a request that they dislike with the request itself, or
//! with a page about their own settings, and answers are kept and shown.
//!
//! A credential is found in any mixture of the spellings in which servers write texts into answers: as it is, escaped as in
//! JSON, in a URL or a form, or in HTML. What a receiver disguises on purpose is not found; it knows the credential anyway.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::custom_header::MASKED;
use crate::limits::{MASKED_CHARS_MIN, MASKING_STEPS_MAX};
use crate::secret::Secret;
use crate::sign::STANDARD_SECRET_PREFIX;

const BASIC: &str = "basic ";

/// The credentials of one webhook.
#[derive(Clone, Default)]
pub struct Masking {
    /// Longest first: of two that begin alike the whole one is hidden.
    hidden: Vec<Hidden>,
}

#[derive(Clone)]
struct Hidden {
    secret: Secret,
    /// So many of its characters at a text's end are the beginning of it.
    cut_from: usize,
}

impl Masking {
    /// `signing` are secrets that sign, `headers` values of headers that are sent along.
    pub fn of<'a>(
        signing: impl Iterator<Item = &'a Secret>,
        headers: impl Iterator<Item = &'a Secret>,
    ) -> Self {
        let mut masking = Self::default();
        for secret in signing {
            let text = secret.expose_text();
            match text.strip_prefix(STANDARD_SECRET_PREFIX) {
                None => masking.hide(text, 0),
                Some(key) => {
                    masking.hide(text, STANDARD_SECRET_PREFIX.len());
                    masking.hide(key, 0);
                }
            }
        }
        headers.for_each(|value| masking.hide_header(value.expose_text()));
        masking.hidden.sort_by_key(|hidden| std::cmp::Reverse(hidden.secret.expose().len()));
        masking
    }

    /// The text with stars in the place of every credential, and of one that the text's end cuts off. Stars alone for a text
    /// in which looking for them takes more than [`MASKING_STEPS_MAX`].
    pub fn mask<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let (mut masked, mut kept_upto, mut at) = (Vec::new(), 0, 0);
        let mut steps = Steps(MASKING_STEPS_MAX);
        while at < text.len() && !self.hidden.is_empty() {
            match self.hidden.iter().find_map(|hidden| hidden.spelled_by(&text[at..], &mut steps)) {
                None => at += 1,
                Some(length) => {
                    masked.extend_from_slice(&text[kept_upto..at]);
                    masked.extend_from_slice(MASKED.as_bytes());
                    at += length;
                    kept_upto = at;
                }
            }
            if steps.0 == 0 {
                return Cow::Owned(MASKED.as_bytes().to_vec());
            }
        }
        if kept_upto == 0 {
            return Cow::Borrowed(text);
        }
        masked.extend_from_slice(&text[kept_upto..]);
        Cow::Owned(masked)
    }

    /// Servers show a header as it came, its words without the scheme, or what they took a login apart to.
    fn hide_header(&mut self, value: &str) {
        // The scheme of an authorization is no credential, and stands in many an answer.
        let mut words = value.split_ascii_whitespace();
        let scheme = words.next().filter(|word| word.len() < value.len()).unwrap_or_default();
        self.hide(value, scheme.chars().count());
        words.for_each(|word| self.hide(word, 0));
        let is_login = value.get(..BASIC.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(BASIC));
        let pair =
            is_login.then(|| BASE64.decode(value[BASIC.len()..].trim()).ok()).flatten().map(Secret::new);
        if let Some((_, password)) = pair.as_ref().and_then(|pair| pair.expose_text().split_once(':')) {
            self.hide(password, 0);
        }
    }

    /// `public` is the number of characters at the beginning that are no secret.
    fn hide(&mut self, text: &str, public: usize) {
        if text.chars().count() >= MASKED_CHARS_MIN {
            self.hidden.push(Hidden { secret: Secret::from_text(text), cut_from: public + MASKED_CHARS_MIN });
        }
    }
}

impl fmt::Debug for Masking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masking({} hidden)", self.hidden.len())
    }
}

/// Comparisons that are left.
struct Steps(usize);

/// Which reading of a text is tried first: a `%` may stand for itself or begin an escape.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Plain,
    Escape,
}

impl Hidden {
    /// How many bytes at the beginning of the text spell the secret, or as much of it as the text's end leaves.
    fn spelled_by(&self, text: &[u8], steps: &mut Steps) -> Option<usize> {
        let begins_with_escape = text.first().is_some_and(|byte| ESCAPES.contains(byte));
        // Nobody guesses here: who sent the text has the secret.
        let first = self.secret.expose().first();
        if !begins_with_escape && text.first() != first {
            return None;
        }
        self.read_as(First::Plain, text, steps).or_else(|| self.read_as(First::Escape, text, steps))
    }

    fn read_as(&self, first: First, text: &[u8], steps: &mut Steps) -> Option<usize> {
        let mut at = 0;
        for (chars, char) in self.secret.expose_text().chars().enumerate() {
            steps.0 = steps.0.saturating_sub(1);
            match spelling(char, &text[at..], first) {
                Spelling::Of(length) => at += length,
                Spelling::Cut => return (chars >= self.cut_from).then_some(text.len()),
                Spelling::Other => return None,
            }
        }
        Some(at)
    }
}

/// What the beginning of a text is to a character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// So many bytes that spell it.
    Of(usize),
    /// The text ends before it is whole.
    Cut,
    Other,
}

/// With one of these an escape begins.
const ESCAPES: [u8; 4] = *b"\\%+&";

fn spelling(char: char, text: &[u8], first: First) -> Spelling {
    let plain = spelled_as(char.encode_utf8(&mut [0; 4]), text);
    let escape = || escapes(char, text).iter().map(|other| spelled_as(other, text)).fold(Spelling::Other, or);
    match first {
        First::Plain if plain != Spelling::Other => plain,
        First::Plain => escape(),
        First::Escape => or(escape(), plain),
    }
}

/// The one that says more.
fn or(one: Spelling, other: Spelling) -> Spelling {
    match (one, other) {
        (Spelling::Of(_), _) | (_, Spelling::Other) => one,
        _ => other,
    }
}

/// How a character is written by escapes that begin as the text does.
fn escapes(char: char, text: &[u8]) -> Vec<String> {
    match text.first() {
        Some(b'\\') => [escaped(char), Some(units(char, "\\u", 4))].into_iter().flatten().collect(),
        Some(b'%') => vec![bytes(char, "%")],
        Some(b'+') if char == ' ' => vec!["+".to_owned()],
        Some(b'&') => {
            let number = u32::from(char);
            let numbered = [format!("&#{number};"), format!("&#x{number:x};"), format!("&#{number:03};")];
            named(char).into_iter().chain(numbered).collect()
        }
        _ => Vec::new(),
    }
}

/// Letters of escapes may be of either case.
fn spelled_as(spelling: &str, text: &[u8]) -> Spelling {
    let (wanted, is_escape) = (spelling.as_bytes(), spelling.chars().nth(1).is_some());
    let same = |(one, other): (&u8, &u8)| one == other || is_escape && one.eq_ignore_ascii_case(other);
    match wanted.iter().zip(text).all(same) {
        false => Spelling::Other,
        true if text.len() < wanted.len() => Spelling::Cut,
        true => Spelling::Of(wanted.len()),
    }
}

/// The short escape of JSON.
fn escaped(char: char) -> Option<String> {
    match char {
        '"' | '\\' | '/' | '\'' => Some(format!("\\{char}")),
        '\t' => Some("\\t".to_owned()),
        _ => None,
    }
}

/// The UTF-16 units of a character, each in so many hexadecimal digits.
fn units(char: char, before: &str, digits: usize) -> String {
    char.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("{before}{unit:0digits$x}")).collect()
}

fn bytes(char: char, before: &str) -> String {
    char.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("{before}{byte:02x}")).collect()
}

/// The named entity of HTML.
fn named(char: char) -> Option<String> {
    let name = match char {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&apos;",
        _ => return None,
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masking(signing: &[&str], headers: &[&str]) -> Masking {
        let secrets = |texts: &[&str]| texts.iter().map(|text| Secret::from_text(text)).collect::<Vec<_>>();
        Masking::of(secrets(signing).iter(), secrets(headers).iter())
    }

    fn masked(masking: &Masking, text: &str) -> String {
        String::from_utf8(masking.mask(text.as_bytes()).into_owned()).expect("it was text and stays text")
    }

    #[test]
    fn what_is_no_credential_stays() {
        let masking = masking(&["whsec_MfKQ9r8GKYqrTwjU"], &["Bearer s3cr3t-t0ken", "on"]);
        for text in ["", "on", "Bearer", "whsec_", "s3c", "x s3cr3t-t0kem", "{\"ok\":true}", "%", "\\", "&#"]
        {
            assert!(matches!(masking.mask(text.as_bytes()), Cow::Borrowed(_)), "{text}");
        }
        assert_eq!(masked(&Masking::default(), "anything"), "anything");
        assert_eq!(format!("{masking:?}"), "Masking(4 hidden)", "the shortest is none");
    }

    #[test]
    fn a_header_is_hidden_whole_word_by_word_and_taken_apart() {
        // `ann:open sesame`
        let masking = masking(&[], &["Bearer s3cr3t-t0ken", "basic YW5uOm9wZW4gc2VzYW1l"]);
        for (text, expected) in [
            ("authorization: Bearer s3cr3t-t0ken\r\n", "authorization: ***\r\n"),
            ("use Bearer", "use Bearer"),
            ("Bearer s3cr", "***"),
            ("the token s3cr3t-t0ken is unknown", "the token *** is unknown"),
            ("Authorization=BEARER s3cr3t-t0ken", "Authorization=BEARER ***"),
            ("s3cr3t-t0kens3cr3t-t0ken", "******"),
            ("Basic YW5uOm9wZW4gc2VzYW1l", "Basic ***"),
            ("a basic", "a basic"),
            ("user ann, password open sesame", "user ann, password ***"),
        ] {
            assert_eq!(masked(&masking, text), expected);
        }
    }

    #[test]
    fn a_secret_that_signs_is_hidden_with_and_without_its_prefix() {
        let masking = masking(&["whsec_MfKQ9r8GKYqrTwjU", "00ff00ff"], &[]);
        assert_eq!(masked(&masking, "whsec_MfKQ9r8GKYqrTwjU MfKQ9r8GKYqrTwjU 00ff00ff"), "*** *** ***");
    }

    #[test]
    fn every_usual_spelling_is_known() {
        let masking = masking(&[], &["a/b+\"c\" <d>&é'\\🧀"]);
        for text in [
            r#"a/b+"c" <d>&é'\🧀"#,
            r#"a\/b+\"c\" <d>&é'\\🧀"#,
            r#"a/b+\u0022c\u0022 \u003cd\u003E\u0026\u00e9\u0027\u005c\ud83e\uddc0"#,
            "a%2Fb%2b%22c%22%20%3Cd%3e%26%C3%a9%27%5C%F0%9F%A7%80",
            "a%2Fb%2b%22c%22+%3Cd%3e%26%C3%a9'%5C%F0%9F%A7%80",
            "a/b+&quot;c&quot; &lt;d&gt;&amp;é&#039;\\🧀",
            "a&#x2F;b&#43;&#34;c&#34; &#60;d&gt;&#x26;&#xe9;&#39;&#92;&#129472;",
        ] {
            assert_eq!(masked(&masking, &format!("<{text}>")), "<***>", "{text}");
        }
    }

    #[test]
    fn what_the_end_cuts_off_is_hidden_too() {
        let masking = masking(&[], &["k-0123456789\"x"]);
        for length in 4..12 {
            let cut = format!("key={}", &"k-0123456789"[..length]);
            assert_eq!(masked(&masking, &cut), "key=***");
        }
        for cut in [r"k-0123456789\", r"k-0123456789\u00", "k-0123456789%2", "k-0123456789&quo"] {
            assert_eq!(masked(&masking, cut), "***", "{cut}");
        }
        assert_eq!(masked(&masking, "key=k-0"), "key=k-0", "so little says nothing");
    }

    /// Whoever owns a webhook chooses its headers, and knows who answers.
    #[test]
    fn looking_for_credentials_has_an_end() {
        let dear = masking(&[], &[&format!("{}b", "a".repeat(1_000)), &format!("{}c", "\\".repeat(1_000))]);
        assert_eq!(masked(&dear, &"a".repeat(4_096)), MASKED);
        assert_eq!(masked(&dear, &"\\".repeat(4_096)), MASKED);
        let usual: Vec<String> = (0..16).map(|n| format!("Bearer {n:02}-{}", "k".repeat(200))).collect();
        let usual = masking(&[], &usual.iter().map(String::as_str).collect::<Vec<_>>());
        let page = "<p class=\"x\">Bad request: Bearer 0&#39;1-k %20 \\u0031</p>".repeat(70);
        assert_eq!(masked(&usual, &page), page, "{} bytes", page.len());
    }
}
