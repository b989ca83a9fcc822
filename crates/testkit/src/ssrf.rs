//! The corpus of ways to a network that is not the customer's, `crates/outbound/tests/ssrf.txt`, which says what is made
//! of each: read here for the tests of every layer.

use std::net::IpAddr;

const TEXT: &str = include_str!("../../outbound/tests/ssrf.txt");
/// Stands in a URL for the port of a receiver on this machine.
const PORT: &str = "PORT";

/// One line of the corpus.
#[derive(Clone, Debug)]
pub struct SsrfCase {
    /// Its line in the file, from 1.
    pub line: usize,
    pub verdict: SsrfVerdict,
    /// What the operator has opened, empty for nothing.
    pub opened: String,
    /// What the URL's name resolves to, empty where that does not matter.
    pub addresses: Vec<IpAddr>,
    url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsrfVerdict {
    /// No webhook is made for it.
    Refused,
    /// A webhook is made, and nothing is ever dialled for it.
    Blocked,
    /// It may be dialled.
    Allowed,
}

impl SsrfCase {
    /// All of them, in the order of the file.
    ///
    /// # Panics
    /// When a line of the file cannot be read.
    pub fn all() -> Vec<Self> {
        let lines = TEXT.lines().enumerate().map(|(index, line)| (index + 1, line));
        let cases = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        cases
            .map(|(line, text)| Self::read(line, text).unwrap_or_else(|| panic!("line {line}: {text}")))
            .collect()
    }

    /// The URL as a customer gives it.
    pub fn url(&self, port: u16) -> String {
        self.url.replace(PORT, &port.to_string())
    }

    /// Whether the URL leads to the receiver on this machine, when it leads anywhere.
    pub fn names_the_receiver(&self) -> bool {
        self.url.contains(PORT)
    }

    fn read(line: usize, text: &str) -> Option<Self> {
        let mut columns = text.split(" | ");
        let (judged, wanted, _why) = (columns.next()?, columns.next()?, columns.next()?);
        let (verdict, opened) = judged.split_once(' ').unwrap_or((judged, ""));
        let verdict = match verdict {
            "refused" => SsrfVerdict::Refused,
            "blocked" => SsrfVerdict::Blocked,
            "allowed" => SsrfVerdict::Allowed,
            _ => return None,
        };
        let (url, addresses) = wanted.split_once(" => ").unwrap_or((wanted, ""));
        let addresses = addresses.split(", ").filter(|text| !text.is_empty()).map(str::parse);
        let addresses = addresses.collect::<Result<_, _>>().ok()?;
        let rest = columns.next();
        let case = Self { line, verdict, opened: opened.to_owned(), addresses, url: unescaped(url)? };
        rest.is_none().then_some(case)
    }
}

/// `\t`, `\n`, `\r`, `\0`, `\\`, `\u{..}`, and `\{a*64}` for 64 times `a`. `None` for anything else behind a backslash.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let kind = after.chars().next()?;
        rest = &after[kind.len_utf8()..];
        match kind {
            't' => out.push('\t'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            '0' => out.push('\0'),
            '\\' => out.push('\\'),
            'u' => {
                let (digits, tail) = rest.strip_prefix('{')?.split_once('}')?;
                out.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
                rest = tail;
            }
            '{' => {
                let (repeated, tail) = rest.split_once('}')?;
                let (piece, times) = repeated.split_once('*')?;
                out.push_str(&piece.repeat(times.parse().ok()?));
                rest = tail;
            }
            _ => return None,
        }
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_opened_resolved_and_expected() {
        let text =
            r"blocked 10.0.0.0/8,::1 | http://a.example:PORT/\{ab*2}\u{2028}\t\\ => 10.0.0.1, ::1 | why";
        let case = SsrfCase::read(7, text).expect("a good line");
        assert_eq!((case.line, case.verdict), (7, SsrfVerdict::Blocked));
        assert_eq!(case.opened, "10.0.0.0/8,::1");
        assert_eq!(case.url(80), "http://a.example:80/abab\u{2028}\t\\");
        assert!(case.names_the_receiver());
        assert_eq!(case.addresses, ["10.0.0.1", "::1"].map(|text| text.parse::<IpAddr>().expect("one")));
        for broken in
            ["blocked | http://x/", "perhaps | http://x/ | y", r"blocked | \q | y", "blocked | x => y | z"]
        {
            assert!(SsrfCase::read(1, broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn the_corpus_has_cases_of_every_kind() {
        let all = SsrfCase::all();
        for (verdict, least) in
            [(SsrfVerdict::Refused, 100), (SsrfVerdict::Blocked, 200), (SsrfVerdict::Allowed, 50)]
        {
            let count = all.iter().filter(|case| case.verdict == verdict).count();
            assert!(count >= least, "{verdict:?}: {count}");
        }
        let mut seen = std::collections::BTreeSet::new();
        for case in &all {
            let key = format!("{} {} {:?}", case.opened, case.url, case.addresses);
            assert!(seen.insert(key), "line {} stands twice", case.line);
        }
    }
}
