//! Hides credentials in what a receiver says: many servers answer a request that they dislike with the request itself, or
//! with a page about their own settings, and answers are kept and shown.
//!
//! A credential is found in any mixture of the spellings in which servers write texts into answers: as it is, escaped as in
//! JSON, in a URL or a form, or in HTML. What a receiver disguises on purpose is not found; it knows the credential anyway.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::custom_header::MASKED;
use crate::escape::Escape;
use crate::limits::{MASKED_CHARS_MIN, MASKED_PART_CHARS_MIN, MASKED_PARTS_MAX, MASKING_STEPS_MAX};
use crate::secret::Secret;
use crate::sign::STANDARD_SECRET_PREFIX;

const BASIC: &str = "basic ";
const AUTHORIZATION: &str = "authorization";
/// What stands between the parts of a header that servers take apart: a cookie, a list, a scheme with parameters.
const SEPARATORS: [char; 7] = [' ', '\t', ',', ';', '=', ':', '"'];

/// The credentials of one webhook.
#[derive(Clone, Default)]
pub struct Masking {
    /// In the order of their first bytes, of those that begin alike the longest first: the whole one is hidden.
    hidden: Vec<Hidden>,
}

#[derive(Clone)]
struct Hidden {
    secret: Secret,
    /// So many of its characters at a text's end are the beginning of it.
    cut_from: usize,
}

impl Masking {
    /// `signing` are secrets that sign, `headers` names and values of headers that are sent along.
    pub fn of<'a>(
        signing: impl Iterator<Item = &'a Secret>,
        headers: impl Iterator<Item = (&'a str, &'a Secret)>,
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
        headers.for_each(|(name, value)| masking.hide_header(name, value.expose_text()));
        masking.hidden.sort_by_key(|hidden| (hidden.first(), Reverse(hidden.secret.expose().len())));
        masking
    }

    /// The text with stars in the place of every credential, and of one that the text's end cuts off. Stars alone for a text
    /// in which looking for them takes more than [`MASKING_STEPS_MAX`].
    pub fn mask<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let (mut masked, mut kept_upto, mut at) = (Vec::new(), 0, 0);
        let mut steps = Steps(MASKING_STEPS_MAX);
        while at < text.len() && !self.hidden.is_empty() {
            match self.found_at(&text[at..], &mut steps) {
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

    /// How many bytes at the beginning of the text spell a credential.
    fn found_at(&self, text: &[u8], steps: &mut Steps) -> Option<usize> {
        let escape = match Escape::at(text) {
            Some(Escape::Of(escaped, _)) => escaped.as_bytes().first().copied(),
            Some(Escape::Cut) | None => None,
        };
        // Nobody guesses here: who sent the text has the secret.
        let mut candidates =
            text.first().copied().into_iter().chain(escape).flat_map(|byte| self.beginning_with(byte));
        candidates.find_map(|hidden| {
            steps.take();
            hidden.spelled_by(text, steps)
        })
    }

    fn beginning_with(&self, byte: u8) -> &[Hidden] {
        let from = self.hidden.partition_point(|hidden| hidden.first() < byte);
        let upto = self.hidden[from..].partition_point(|hidden| hidden.first() == byte);
        &self.hidden[from..from + upto]
    }

    /// Servers show a header as it came, the parts that they took it to, or what they made of a login.
    fn hide_header(&mut self, name: &str, value: &str) {
        // The scheme of an authorization is no credential, and stands in many an answer.
        let scheme = value.split(' ').next().filter(|word| word.len() < value.len());
        let scheme = scheme.filter(|_| name.eq_ignore_ascii_case(AUTHORIZATION)).unwrap_or_default();
        self.hide(value, scheme.chars().count());
        let said = value[scheme.len()..].trim_start();
        self.hide(said, 0);
        let parts = said.split(SEPARATORS).filter(|part| part.chars().count() >= MASKED_PART_CHARS_MIN);
        parts.take(MASKED_PARTS_MAX).for_each(|part| self.hide(part, 0));
        let is_login = value.get(..BASIC.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(BASIC));
        let pair =
            is_login.then(|| BASE64.decode(value[BASIC.len()..].trim()).ok()).flatten().map(Secret::new);
        if let Some((_, password)) = pair.as_ref().and_then(|pair| pair.expose_text().split_once(':')) {
            self.hide(password, 0);
        }
    }

    /// `public` is the number of characters at the beginning that are no secret.
    fn hide(&mut self, text: &str, public: usize) {
        let known = self.hidden.iter().any(|hidden| hidden.secret.matches(text.as_bytes()));
        if text.chars().count() >= MASKED_CHARS_MIN && !known {
            self.hidden.push(Hidden { secret: Secret::from_text(text), cut_from: public + MASKED_CHARS_MIN });
        }
    }
}

impl fmt::Debug for Masking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masking({} hidden)", self.hidden.len())
    }
}

/// Looks at a credential or a character that are left.
struct Steps(usize);

impl Steps {
    fn take(&mut self) {
        self.0 = self.0.saturating_sub(1);
    }
}

/// Which reading of a text is tried first: a `%` may stand for itself or begin an escape.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Plain,
    Escape,
}

/// What one way of reading found.
struct Reading {
    length: Option<usize>,
    /// Places that could have been read in another way.
    choices: usize,
}

impl Hidden {
    fn first(&self) -> u8 {
        self.secret.expose().first().copied().unwrap_or_default()
    }

    /// How many bytes at the beginning of the text spell the secret, or as much of it as the text's end leaves.
    fn spelled_by(&self, text: &[u8], steps: &mut Steps) -> Option<usize> {
        let plain = self.read_as(First::Plain, text, steps);
        match plain.length {
            None if plain.choices > 0 => self.read_as(First::Escape, text, steps).length,
            length => length,
        }
    }

    fn read_as(&self, first: First, text: &[u8], steps: &mut Steps) -> Reading {
        let secret = self.secret.expose();
        let (mut read, mut at, mut choices) = (0, 0, 0);
        while read < secret.len() {
            steps.take();
            let (left, rest) = (&secret[read..], &text[at..]);
            let plain = rest.first() == left.first();
            let escape = Escape::at(rest);
            choices += usize::from(plain && escape.is_some());
            match escape {
                Some(Escape::Of(escaped, length))
                    if (first == First::Escape || !plain) && left.starts_with(escaped.as_bytes()) =>
                {
                    (read, at) = (read + escaped.as_bytes().len(), at + length);
                }
                _ if plain => (read, at) = (read + 1, at + 1),
                Some(Escape::Cut) => return Reading { length: self.cut_after(read, text), choices },
                None if rest.is_empty() => return Reading { length: self.cut_after(read, text), choices },
                _ => return Reading { length: None, choices },
            }
        }
        Reading { length: Some(at), choices }
    }

    /// The whole text where it ends within the secret, if enough of that was read.
    fn cut_after(&self, read: usize, text: &[u8]) -> Option<usize> {
        (chars_of(&self.secret.expose()[..read]) >= self.cut_from).then_some(text.len())
    }
}

/// Characters that begin in these bytes of a text.
fn chars_of(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masking(signing: &[&str], headers: &[&str]) -> Masking {
        let secrets = |texts: &[&str]| texts.iter().map(|text| Secret::from_text(text)).collect::<Vec<_>>();
        let headers: Vec<(&str, Secret)> =
            headers.iter().map(|text| (AUTHORIZATION, Secret::from_text(text))).collect();
        Masking::of(secrets(signing).iter(), headers.iter().map(|(name, value)| (*name, value)))
    }

    fn masked(masking: &Masking, text: &str) -> String {
        String::from_utf8(masking.mask(text.as_bytes()).into_owned()).expect("it was text and stays text")
    }

    #[test]
    fn what_is_no_credential_stays() {
        let masking = masking(&["whsec_MfKQ9r8GKYqrTwjU"], &["Bearer s3cr3t-t0ken", "on"]);
        for text in
            ["", "on", "Bearer", "whsec_", "s3cr3", "x s3cr3t-t0kem", "{\"ok\":true}", "%", "\\", "&#"]
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
            ("Bearer s3cr3t", "***"),
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
        for length in MASKED_CHARS_MIN..12 {
            let cut = format!("key={}", &"k-0123456789"[..length]);
            assert_eq!(masked(&masking, &cut), "key=***");
        }
        for cut in [r"k-0123456789\", r"k-0123456789\u00", "k-0123456789%2", "k-0123456789&quo"] {
            assert_eq!(masked(&masking, cut), "***", "{cut}");
        }
        assert_eq!(masked(&masking, "key=k-012"), "key=k-012", "so little says nothing");
    }

    #[test]
    fn what_servers_take_a_header_apart_to_is_hidden() {
        let value = Secret::from_text("sid=0123456789; theme=x, Token \"abcdefgh\"");
        let masking = Masking::of(std::iter::empty(), std::iter::once(("cookie", &value)));
        for (text, expected) in [
            ("sid 0123456789", "sid ***"),
            ("abcdefgh, theme", "***, theme"),
            ("cookie: sid=0123456789; theme=x, Token \"abcdefgh\".", "cookie: ***."),
        ] {
            assert_eq!(masked(&masking, text), expected);
        }
        let two = Secret::from_text("first-key second-key");
        let masking = Masking::of(std::iter::empty(), std::iter::once(("x-keys", &two)));
        assert_eq!(masked(&masking, "first-key or second-key"), "*** or ***", "no scheme here");
    }

    /// Whoever owns a webhook chooses its headers, and knows who answers.
    #[test]
    fn looking_for_credentials_has_an_end() {
        let dear = masking(&[], &[&format!("{}b", "a".repeat(1_000)), &format!("{}c", "\\".repeat(1_000))]);
        assert_eq!(masked(&dear, &"a".repeat(4_096)), MASKED);
        assert_eq!(masked(&dear, &"\\".repeat(4_096)), MASKED);
        assert_eq!(masked(&dear, &"&#97;".repeat(800)), MASKED);
        let usual: Vec<String> = (0..16).map(|n| format!("Bearer {n:02}-{}", "k".repeat(200))).collect();
        let usual = masking(&[], &usual.iter().map(String::as_str).collect::<Vec<_>>());
        let page = "<p class=\"x\">Bad request: Bearer 0&#39;1-k %20 \\u0031</p>".repeat(70);
        assert_eq!(masked(&usual, &page), page, "{} bytes", page.len());
    }
}
