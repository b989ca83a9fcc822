//! The names in a JSON object, read without building anything of it.
//!
//! For values that are known to be JSON: what a producer published was read by its surface before. Of any other text
//! the answer means nothing, and comes all the same.

/// Hands out the names of an object's own members as they are written, between their quotation marks. Says whether the
/// value is an object at all.
pub(crate) fn each_name<'a>(json: &'a [u8], mut take: impl FnMut(&'a [u8])) -> bool {
    let Some(inner) = json.trim_ascii_start().strip_prefix(b"{") else { return false };
    let (mut at, mut depth, mut expected) = (0, 0usize, true);
    while let Some(byte) = inner.get(at) {
        match byte {
            b'"' => {
                let end = string_end(inner, at + 1);
                if depth == 0 && expected {
                    take(&inner[at + 1..end]);
                    expected = false;
                }
                at = end;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => expected = true,
            _ => {}
        }
        at += 1;
    }
    true
}

/// Whether a name as it is written stands for this text (RFC 8259 section 7).
pub(crate) fn stands_for(written: &[u8], text: &str) -> bool {
    if !written.contains(&b'\\') {
        return written == text.as_bytes();
    }
    unescaped(written).is_some_and(|read| read == text)
}

/// Where the string ends that begins at `start`: at its quotation mark, or with the text.
fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at,
            _ => at += 1,
        }
    }
    text.len()
}

/// `None` for what is no text: half of a pair of surrogates, for example.
fn unescaped(written: &[u8]) -> Option<String> {
    let mut units: Vec<u16> = Vec::with_capacity(written.len());
    let mut rest = std::str::from_utf8(written).ok()?.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
            continue;
        }
        units.push(match rest.next()? {
            'u' => {
                let digits = rest.as_str().get(..4)?;
                rest = rest.as_str().get(4..)?.chars();
                u16::from_str_radix(digits, 16).ok()?
            }
            'b' => 8,
            't' => 9,
            'n' => 10,
            'f' => 12,
            'r' => 13,
            other => u16::try_from(u32::from(other)).ok()?,
        });
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::json_string;
    use proptest::prelude::*;

    fn names(json: &str) -> Option<Vec<String>> {
        let mut names = Vec::new();
        let is_object = each_name(json.as_bytes(), |name| names.extend(unescaped(name)));
        is_object.then_some(names)
    }

    #[test]
    fn names_are_those_of_the_object_itself() {
        let table = [
            (r#"{"a":1,"b":null,"c":[{"d":1},{}]}"#, &["a", "b", "c"][..]),
            (" \n{\"\\u0061\" : {\"b\":1} , \"c\\\"\":\"d\\\\\" }\t", &["a", "c\""]),
            (r#"{"a":"\"b\":1,\"c\":2","d":[",","e",{"f":","}]}"#, &["a", "d"]),
            (r#"{"\ud83e\uddc0\/\n":1}"#, &["🧀/\n"]),
            ("{}", &[]),
        ];
        for (json, expected) in table {
            let expected = expected.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(names(json), Some(expected), "{json}");
        }
        for other in ["[]", "1", "\"{\"", "null", "true", r#"[{"a":1}]"#, ""] {
            assert_eq!(names(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_json_ends_as_well() {
        for text in ["{", "{\"", "{\"a", "{\"a\\", "{\"\\u12", "{\"\\ud83e\":1", "{}}}]]", "{\"a\":[[["] {
            assert!(names(text).is_some(), "{text}");
        }
        assert!(!stands_for(b"\\ud83e", "x") && !stands_for(b"\\u12", "x") && stands_for(b"\\u0078", "x"));
    }

    proptest! {
        #[test]
        fn any_name_is_found(
            members in prop::collection::vec((".{0,6}", "[\\[\\]{}\",\\\\:a]{0,6}"), 0..5),
        ) {
            let written: Vec<String> =
                members.iter().map(|(name, text)| format!("{}:[{}]", json_string(name), json_string(text))).collect();
            let expected: Vec<String> = members.into_iter().map(|(name, _)| name).collect();
            prop_assert_eq!(names(&format!("{{{}}}", written.join(","))), Some(expected));
        }
    }
}
