//! What was planted, what was said and where, and what of it was expected.

use std::collections::{BTreeMap, BTreeSet};

use super::spellings::spellings;

/// What was planted and what was said.
#[derive(Default)]
pub(super) struct Book {
    planted: BTreeSet<(&'static str, Vec<u8>)>,
    /// By place, a character for each byte: the library looks for texts faster than for bytes.
    said: BTreeMap<&'static str, String>,
}

/// A secret that may be found in a place, and why.
pub(super) type Expected = (&'static str, &'static str, &'static str);

impl Book {
    /// A secret that can be recognised wherever it turns up.
    pub(super) fn plant(&mut self, name: &'static str, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref();
        assert!(secret.len() >= 12, "{name} is so short that it may stand somewhere by chance");
        self.planted.insert((name, secret.to_vec()));
    }

    /// What stands in a place.
    pub(super) fn say(&mut self, place: &'static str, text: impl AsRef<[u8]>) {
        let said = self.said.entry(place).or_default();
        said.push_str(&characters(text.as_ref()));
        said.push('\n');
    }

    /// How many bytes were said in all.
    pub(super) fn bytes(&self) -> usize {
        self.said.values().map(|text| text.chars().count()).sum()
    }

    /// Names of the planted.
    pub(super) fn planted(&self) -> BTreeSet<&'static str> {
        self.planted.iter().map(|(name, _)| *name).collect()
    }

    /// # Panics
    /// When a secret stands where it was not expected, or does not where it was.
    pub(super) fn check(&self, expected: &[Expected]) {
        let found = self.found();
        let expected: BTreeSet<_> = expected.iter().map(|(place, name, _)| (*place, *name)).collect();
        let leaks: Vec<_> =
            found.iter().filter(|(place, name, _)| !expected.contains(&(*place, *name))).collect();
        assert!(leaks.is_empty(), "{leaks:#?}");
        let found: BTreeSet<_> = found.into_iter().map(|(place, name, _)| (place, name)).collect();
        let missing: Vec<_> = expected.difference(&found).collect();
        assert!(missing.is_empty(), "expected and not found: {missing:?}");
    }

    /// Place, secret, and what stands around it.
    fn found(&self) -> BTreeSet<(&'static str, &'static str, String)> {
        let mut found = BTreeMap::new();
        for (name, secret) in &self.planted {
            let spellings: Vec<String> =
                spellings(secret).iter().map(|spelling| characters(spelling)).collect();
            for (place, text) in &self.said {
                let Some(at) = spellings.iter().find_map(|spelling| text.find(spelling)) else { continue };
                // One example of each is enough to look at.
                found.entry((*place, *name)).or_insert_with(|| around(text, at));
            }
        }
        found.into_iter().map(|((place, name), around)| (place, name, around)).collect()
    }
}

fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn around(text: &str, at: usize) -> String {
    let before: Vec<char> = text[..at].chars().rev().take(120).collect();
    before.into_iter().rev().chain(text[at..].chars().take(160)).collect()
}

#[test]
fn what_is_planted_is_found_and_what_is_expected_is_demanded() {
    let mut book = Book::default();
    book.plant("key", "canary-0123456789");
    book.say("log", "nothing");
    book.check(&[]);
    book.say("log", "authorization: Bearer canary-0123456789");
    book.check(&[("log", "key", "for the test")]);
    for wrong in [&[][..], &[("database", "key", "")], &[("log", "key", ""), ("log", "other", "")]] {
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| book.check(wrong)));
        assert!(checked.is_err(), "{wrong:?}");
    }
}
