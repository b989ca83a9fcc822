//! Reads the escapes in which servers write characters into JSON, URLs, forms and HTML.

/// The longest entity of HTML that is read: `&#x10ffff;`, with zeros in front.
const ENTITY_BYTES_MAX: usize = 12;

/// What the beginning of a text is, if it begins as an escape does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// So many bytes of the text stand for these.
    Of(Escaped, usize),
    /// The text ends before the escape does.
    Cut,
}

/// A character in UTF-8, or one byte of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Escaped {
    bytes: [u8; 4],
    length: usize,
}

impl Escaped {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    const fn byte(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0], length: 1 }
    }

    fn char(char: char) -> Self {
        let mut bytes = [0; 4];
        let length = char.encode_utf8(&mut bytes).len();
        Self { bytes, length }
    }
}

impl Escape {
    /// `None` for a text that begins with something else, or with what only looks like an escape.
    pub(crate) fn at(text: &[u8]) -> Option<Self> {
        match text.first()? {
            b'+' => Some(Self::Of(Escaped::byte(b' '), 1)),
            b'%' => hexadecimal(&text[1..], 2).map(|read| read.then(3, byte)),
            b'\\' => backslash(text),
            b'&' => entity(text),
            _ => None,
        }
    }
}

/// Digits that were all there, or began to be.
enum Digits {
    All(u32),
    Cut,
}

impl Digits {
    fn then(self, length: usize, escaped: impl FnOnce(u32) -> Escaped) -> Escape {
        match self {
            Self::All(number) => Escape::Of(escaped(number), length),
            Self::Cut => Escape::Cut,
        }
    }
}

fn byte(number: u32) -> Escaped {
    Escaped::byte(number.to_le_bytes()[0])
}

/// So many hexadecimal digits at the beginning.
fn hexadecimal(text: &[u8], count: usize) -> Option<Digits> {
    let there = &text[..text.len().min(count)];
    let mut digits = there.iter().map(|digit| char::from(*digit).to_digit(16));
    let number = digits.try_fold(0, |number, digit| Some(number << 4 | digit?))?;
    Some(if there.len() == count { Digits::All(number) } else { Digits::Cut })
}

/// The escapes of JSON (RFC 8259 section 7), and JavaScript's for one byte.
fn backslash(text: &[u8]) -> Option<Escape> {
    match text.get(1) {
        None => Some(Escape::Cut),
        Some(plain @ (b'"' | b'\\' | b'/' | b'\'')) => Some(Escape::Of(Escaped::byte(*plain), 2)),
        Some(b't') => Some(Escape::Of(Escaped::byte(b'\t'), 2)),
        Some(b'x') => hexadecimal(&text[2..], 2).map(|read| read.then(4, byte)),
        Some(b'u') => unit(text),
        Some(_) => None,
    }
}

/// One UTF-16 unit, or two that are one character.
fn unit(text: &[u8]) -> Option<Escape> {
    let Digits::All(first) = hexadecimal(&text[2..], 4)? else { return Some(Escape::Cut) };
    if let Some(char) = char::from_u32(first) {
        return Some(Escape::Of(Escaped::char(char), 6));
    }
    let second = &text[6..];
    if second.len() < 2 {
        return b"\\u".starts_with(second).then_some(Escape::Cut);
    }
    let Digits::All(second) = hexadecimal(second.strip_prefix(b"\\u")?, 4)? else { return Some(Escape::Cut) };
    let units = [first, second].map(|unit| u16::try_from(unit).expect("four digits"));
    let char = char::decode_utf16(units).next()?.ok()?;
    Some(Escape::Of(Escaped::char(char), 12))
}

/// The entities of HTML that servers write for what could be taken for its marks, and all that are numbers.
fn entity(text: &[u8]) -> Option<Escape> {
    let there = &text[1..text.len().min(ENTITY_BYTES_MAX)];
    let Some(end) = there.iter().position(|byte| *byte == b';') else {
        let may_go_on = there.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'#');
        return (may_go_on && text.len() < ENTITY_BYTES_MAX).then_some(Escape::Cut);
    };
    let name = std::str::from_utf8(&there[..end]).ok()?.to_ascii_lowercase();
    let char = match name.as_str() {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        number => numbered(number)?,
    };
    Some(Escape::Of(Escaped::char(char), end + 2))
}

fn numbered(name: &str) -> Option<char> {
    let number = name.strip_prefix('#')?;
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    let all_digits = digits.chars().all(|digit| digit.is_digit(radix));
    all_digits.then(|| u32::from_str_radix(digits, radix).ok()).flatten().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_as_what_they_stand_for() {
        for (text, char, length) in [
            ("+a", " ", 1),
            ("%2Fb", "/", 3),
            ("%2f", "/", 3),
            (r#"\"x"#, "\"", 2),
            (r"\\", "\\", 2),
            (r"\t", "\t", 2),
            (r"\x22a", "\"", 4),
            (r"\u00e9a", "é", 6),
            (r"\uD83E\uddc0", "🧀", 12),
            ("&amp;a", "&", 5),
            ("&QUOT;", "\"", 6),
            ("&#39;", "'", 5),
            ("&#0039;", "'", 7),
            ("&#x1f9c0;", "🧀", 9),
        ] {
            let Some(Escape::Of(escaped, bytes)) = Escape::at(text.as_bytes()) else { panic!("{text}") };
            assert_eq!((escaped.as_bytes(), bytes), (char.as_bytes(), length), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_an_escape_is_none() {
        for text in ["", "a", "%zz", "%2z", r"\n", r"\q", r"\uzzzz", r"\ud83ex", r"\ud83e\u0041", r"\udc00a"]
        {
            assert_eq!(Escape::at(text.as_bytes()), None, "{text}");
        }
        for text in ["&nbsp;", "& a;", "&#;", "&#x;", "&#+39;", "&#x110000;", "&abcdefghijklmn"] {
            assert_eq!(Escape::at(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn an_escape_that_the_end_cuts_off_is_seen() {
        for text in
            ["%", "%2", "\\", r"\x", r"\x2", r"\u", r"\u00e", r"\ud83e", r"\ud83e\", r"\ud83e\ud", "&", "&#3"]
        {
            assert_eq!(Escape::at(text.as_bytes()), Some(Escape::Cut), "{text}");
        }
    }
}
