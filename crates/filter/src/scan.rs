//! Bounds a text before the parser sees it: the parser recurses, and what it makes is walked by recursion.
//!
//! The depth that is counted is never less than that of the tree: each open bracket, each `?` and each operator that
//! has another one of the same expression under it counts. `&&`, `||` and `,` put their operands side by side. Tokens
//! are the lexer's, the longest first (CEL specification, "Syntax"). What it would not take is refused here: it drops
//! such characters, and sometimes the one behind them, and both must always agree on what is code.

use signalpost_core::limits::{FILTER_CHARS_MAX, FILTER_DEPTH_MAX};

use crate::error::FilterError;

/// Refuses what is empty, too long, too deep or holds something that is no token, or a NUL: not every store can keep one.
pub(crate) fn check(text: &str) -> Result<(), FilterError> {
    if text.trim().is_empty() {
        return Err(FilterError::at(text, 0, "a filter must not be empty"));
    }
    if let Some((offset, _)) = text.char_indices().nth(FILTER_CHARS_MAX) {
        let message = format!("a filter may be at most {FILTER_CHARS_MAX} characters long");
        return Err(FilterError::at(text, offset, message));
    }
    if let Some(offset) = text.find('\0') {
        return Err(FilterError::at(text, offset, "the NUL character; in a string write \\u0000"));
    }
    let mut scan = Scan { text, bytes: text.as_bytes(), offset: 0, levels: vec![Level::default()], depth: 0 };
    while scan.offset < text.len() {
        let start = scan.offset;
        scan.token()?;
        if scan.depth > FILTER_DEPTH_MAX {
            let message = format!("nests deeper than {FILTER_DEPTH_MAX} levels");
            return Err(FilterError::at(text, start, message));
        }
    }
    Ok(())
}

struct Scan<'t> {
    text: &'t str,
    bytes: &'t [u8],
    offset: usize,
    /// One for each open bracket, and the outermost.
    levels: Vec<Level>,
    /// Of all levels together.
    depth: usize,
}

#[derive(Default)]
struct Level {
    /// Operators since the last `&&`, `||` or `,`.
    run: usize,
    /// `?` since the last `,`.
    choices: usize,
}

impl Scan<'_> {
    fn token(&mut self) -> Result<(), FilterError> {
        let byte = self.bytes[self.offset];
        match byte {
            b'"' | b'\'' => return self.quoted(byte, false),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => return self.word(),
            b'0'..=b'9' => self.number(),
            b'.' if self.digits(1, u8::is_ascii_digit) > 0 => self.number(),
            b'/' if self.follows(b"//") => self.comment(),
            b'=' | b'&' | b'|' if self.byte(1) != Some(byte) => return Err(self.unknown()),
            b'(' | b'{' => self.open(),
            b'[' => {
                self.operator();
                self.open();
            }
            b')' | b']' | b'}' => self.close(),
            b',' => self.side_by_side(true),
            b'&' | b'|' => {
                self.side_by_side(false);
                self.offset += 1;
            }
            b'?' => {
                self.level().choices += 1;
                self.depth += 1;
            }
            b'<' | b'>' | b'=' | b'!' => {
                self.operator();
                self.offset += usize::from(self.byte(1) == Some(b'='));
            }
            b'.' | b'+' | b'-' | b'*' | b'/' | b'%' => self.operator(),
            b':' | b' ' | b'\t' | b'\r' | b'\n' | b'\x0c' => {}
            _ => return Err(self.unknown()),
        }
        self.offset += 1;
        Ok(())
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the outermost is never closed")
    }

    fn operator(&mut self) {
        self.level().run += 1;
        self.depth += 1;
    }

    fn open(&mut self) {
        self.levels.push(Level::default());
        self.depth += 1;
    }

    /// One that closes nothing is left to the parser.
    fn close(&mut self) {
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop()
        {
            self.depth -= 1 + level.run + level.choices;
        }
    }

    fn side_by_side(&mut self, ends_choices: bool) {
        let level = self.level();
        let mut ended = std::mem::take(&mut level.run);
        if ends_choices {
            ended += std::mem::take(&mut level.choices);
        }
        self.depth -= ended;
    }

    /// `in` is an operator; `r` and `br` before a quote make a raw text.
    fn word(&mut self) -> Result<(), FilterError> {
        let rest = &self.text[self.offset..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = &rest[..length];
        if word == "in" {
            self.operator();
        }
        self.offset += length;
        match self.bytes.get(self.offset) {
            Some(quote @ (b'"' | b'\'')) => {
                let raw = word.eq_ignore_ascii_case("r") || word.eq_ignore_ascii_case("br");
                self.quoted(*quote, raw)
            }
            _ => Ok(()),
        }
    }

    /// Hexadecimal, or with a fraction and an exponent, and a `u` behind whole ones: what is left of the letters decides
    /// whether a text behind them is raw. Leaves the offset at the last character.
    fn number(&mut self) {
        let hexadecimal = self.digits(2, u8::is_ascii_hexdigit);
        let mut is_whole = true;
        if self.follows(b"0x") && hexadecimal > 0 {
            self.offset += 2 + hexadecimal;
        } else {
            self.offset += self.digits(0, u8::is_ascii_digit);
            let fraction = self.digits(1, u8::is_ascii_digit);
            if self.byte(0) == Some(b'.') && fraction > 0 {
                self.offset += 1 + fraction;
                is_whole = false;
            }
            let begin = 1 + usize::from(matches!(self.byte(1), Some(b'+' | b'-')));
            let exponent = self.digits(begin, u8::is_ascii_digit);
            if matches!(self.byte(0), Some(b'e' | b'E')) && exponent > 0 {
                self.offset += begin + exponent;
                is_whole = false;
            }
        }
        if is_whole && matches!(self.byte(0), Some(b'u' | b'U')) {
            self.offset += 1;
        }
        self.offset -= 1;
    }

    /// How many there are so far ahead.
    fn digits(&self, ahead: usize, is: fn(&u8) -> bool) -> usize {
        let rest = self.bytes.get(self.offset + ahead..).unwrap_or_default();
        rest.iter().take_while(|byte| is(byte)).count()
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.offset + ahead).copied()
    }

    fn comment(&mut self) {
        let rest = &self.bytes[self.offset..];
        self.offset += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len() - 1);
    }

    fn unknown(&self) -> FilterError {
        let message = match self.text[self.offset..].chars().next().unwrap_or_default() {
            '`' => "a name in back-quotes is not known here; write data['a-b']".to_owned(),
            '=' => "`=` is not known here; `==` compares".to_owned(),
            half @ ('&' | '|') => format!("`{half}` is not known here; write `{half}{half}`"),
            other => format!("the character {other:?} is not known here"),
        };
        FilterError::at(self.text, self.offset, message)
    }

    fn follows(&self, what: &[u8]) -> bool {
        self.bytes[self.offset..].starts_with(what)
    }

    /// From its first quote to behind its last one.
    fn quoted(&mut self, quote: u8, raw: bool) -> Result<(), FilterError> {
        let start = self.offset;
        let triple = [quote; 3];
        let long = self.follows(&triple);
        self.offset += if long { 3 } else { 1 };
        loop {
            let Some(byte) = self.bytes.get(self.offset) else {
                return Err(FilterError::at(self.text, start, "a string that is not closed"));
            };
            if if long { self.follows(&triple) } else { *byte == quote } {
                self.offset += if long { 3 } else { 1 };
                return Ok(());
            }
            match byte {
                b'\n' | b'\r' if !long => {
                    return Err(FilterError::at(self.text, start, "a string that is not closed in its line"));
                }
                b'\\' if !raw => self.escape()?,
                _ => self.offset += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), FilterError> {
        let rest = &self.bytes[self.offset + 1..];
        let are = |count: usize, is: fn(&u8) -> bool| {
            rest.get(1..=count).is_some_and(|digits| digits.iter().all(is))
        };
        let length = match rest.first() {
            Some(b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'"' | b'\'' | b'\\' | b'?' | b'`') => {
                Some(2)
            }
            Some(b'x' | b'X') if are(2, u8::is_ascii_hexdigit) => Some(4),
            Some(b'u') if are(4, u8::is_ascii_hexdigit) => Some(6),
            Some(b'U') if are(8, u8::is_ascii_hexdigit) => Some(10),
            Some(b'0'..=b'3') if are(2, |byte| matches!(byte, b'0'..=b'7')) => Some(4),
            _ => None,
        };
        let unknown = "an escape that is not known; a string with r before it has none";
        self.offset += length.ok_or_else(|| FilterError::at(self.text, self.offset, unknown))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn refused(text: &str) -> Option<(String, usize)> {
        check(text).err().map(|error| (error.message, error.position))
    }

    #[test]
    fn only_what_nests_counts() {
        let wide = format!("a.b == 1{}", " && a.b == 1".repeat(150));
        let list = format!("type in [{}]", vec!["'order.paid'"; 140].join(", "));
        let brackets_in_text = format!("type == '{}'", "([{".repeat(400));
        let raw =
            r#"type.matches(r"((((\d+)\.)?)*)$") && subject == br'\' || """a"b\"""" == '\u00fc\'' // (((("#;
        let numbers = vec!["1.5"; 60].join(" + ");
        for good in [wide.as_str(), &list, &brackets_in_text, raw, &numbers] {
            assert_eq!(refused(good), None, "{good}");
        }
    }

    #[test]
    fn what_nests_too_deep_is_refused_where_it_does() {
        let deep = format!("nests deeper than {FILTER_DEPTH_MAX} levels");
        for unit in
            ["(", "[[", "{", "!-", "-!", "a.", "a ? b : ", "f(", "a[", "1 + ", "a == ", "x in ", "a[0]"]
        {
            let text = unit.repeat(FILTER_CHARS_MAX / unit.len());
            let (message, position) = refused(&text).unwrap_or_else(|| panic!("{unit} is refused"));
            assert_eq!(message, deep, "{unit}");
            assert!(position <= (FILTER_DEPTH_MAX + 1) * unit.len(), "{unit}: {position}");
        }
        let choices = "a && b ? c && d : ".repeat(FILTER_DEPTH_MAX + 1);
        assert_eq!(refused(&choices).map(|(message, _)| message), Some(deep));
    }

    #[test]
    fn broken_texts_are_refused_at_their_place() {
        let table = [
            ("", 0),
            (" \n", 0),
            ("'ü' == 'abc", 7),
            ("a == 'b\0'", 7),
            ("a == 'b\n'", 5),
            ("a == '\\q'", 6),
            ("a == \"\\u12\"", 6),
            ("a == '\\400'", 6),
            ("a == '''b'", 5),
            ("a == r'b\\'c'", 11),
            ("a == rb'\\'", 7),
            ("a == 1.5ur'\\'", 10),
            ("a = 1", 2),
            ("a === 1", 4),
            ("a &&& b", 4),
            ("ü|b", 0),
            ("a|b", 1),
            ("a.`b`", 2),
            ("a\u{a0}== 1", 1),
        ];
        for (text, position) in table {
            assert_eq!(refused(text).map(|(_, position)| position), Some(position), "{text:?}");
        }
        let long = format!("'{}'", "ü".repeat(FILTER_CHARS_MAX - 1));
        assert_eq!(refused(&long).map(|(_, position)| position), Some(FILTER_CHARS_MAX));
        assert_eq!(refused(&long.replacen('ü', "", 1)), None);
    }

    /// What begins, ends or changes a token.
    fn pieces() -> impl Strategy<Value = String> {
        let pieces = vec![
            "'", "\"", "'''", "\"\"\"", "\\", "\\'", "\\\"", "\\x41", "r", "R", "b", "bR", "rb", "u", "x",
            "0x", "0", "1", "e", "e5", "E-", ".", "..", "=", "==", "!", "<", "&", "&&", "|", "//", "/", "\n",
            "\r", " ", "\x0b", "`", "#", "ü", "(", ")", "[", "]", ",", "?", ":", "in", "-",
        ];
        prop::collection::vec(prop::sample::select(pieces), 1..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        #[test]
        fn the_lexer_knows_every_token_of_what_passes(text in pieces()) {
            if check(&text).is_ok() {
                let parsed = cel::Env::default().parser().parse(&text);
                let errors = parsed.err().map(|errors| errors.errors).unwrap_or_default();
                let unknown = errors.iter().find(|error| error.msg.contains("token recognition"));
                prop_assert!(unknown.is_none(), "{:?}", unknown.map(|error| &error.msg));
            }
        }
    }
}
