//! How a secret may be written: as it is, in hexadecimal, in base64 at any place of a longer text, escaped as in a URL or in
//! JSON, and backwards.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

pub(super) fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let each = |spell: fn(&u8) -> String| secret.iter().map(spell).collect::<String>();
    let mut all = vec![
        each(|byte| format!("{byte:02x}")),
        each(|byte| format!("{byte:02X}")),
        each(|byte| format!("%{byte:02x}")),
        each(|byte| format!("%{byte:02X}")),
        each(|byte| format!("\\u{byte:04x}")),
        each(|byte| format!("\\u{byte:04X}")),
    ];
    all.extend((0..3).flat_map(|before| in_base64(secret, before)));
    let mut all: Vec<Vec<u8>> = all.into_iter().map(String::into_bytes).collect();
    all.extend([secret.to_vec(), secret.iter().rev().copied().collect()]);
    all.sort_unstable();
    all.dedup();
    all
}

/// What is the same wherever the secret begins so many bytes into a group of three.
fn in_base64(secret: &[u8], before: usize) -> [String; 2] {
    let text = [vec![0; before], secret.to_vec()].concat();
    let (first, end) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
    [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)].map(|text| text[first..end].to_owned())
}

#[test]
fn a_secret_is_known_by_every_spelling() {
    let spellings = spellings(b"canary-\xfb\xff?");
    let is_known =
        |text: &str| spellings.iter().any(|spelling| text.contains(&*String::from_utf8_lossy(spelling)));
    for (before, after) in [("", ""), ("a", "b"), ("ab", "c"), ("abc", "de")] {
        let text = [before.as_bytes(), b"canary-\xfb\xff?", after.as_bytes()].concat();
        assert!(is_known(&STANDARD_NO_PAD.encode(&text)), "{before}");
        assert!(is_known(&URL_SAFE_NO_PAD.encode(&text)), "{before}");
    }
    for text in ["63616e6172792dfbff3f", "%63%61%6E%61%72%79%2D%FB%FF%3F"] {
        assert!(is_known(text), "{text}");
    }
    assert!(!is_known("canary"));
}
