//! Cursors: opaque to callers, versioned and checked by us.
//!
//! A cursor is the base64url of `1.<list>.<number>[.<number>]`: the row after which the next page begins. It
//! names its list, so that a cursor of one list is refused by another.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

const VERSION: &str = "1";
/// Longer than any cursor that we write.
pub(crate) const CHARS_MAX: usize = 128;

pub(crate) fn encode(list: &str, position: &[i64]) -> String {
    let numbers: Vec<String> = position.iter().map(i64::to_string).collect();
    BASE64.encode(format!("{VERSION}.{list}.{}", numbers.join(".")))
}

/// `None` for anything that [`encode`] did not write for this list.
pub(crate) fn decode<const N: usize>(list: &str, text: &str) -> Option<[i64; N]> {
    if text.len() > CHARS_MAX {
        return None;
    }
    let plain = String::from_utf8(BASE64.decode(text).ok()?).ok()?;
    let numbers = plain.strip_prefix(VERSION)?.strip_prefix('.')?.strip_prefix(list)?.strip_prefix('.')?;
    let numbers: Option<Vec<i64>> = numbers.split('.').map(|number| number.parse().ok()).collect();
    let position: [i64; N] = numbers?.try_into().ok()?;
    (encode(list, &position) == text && position.iter().all(|number| *number >= 0)).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_return_for_their_own_list_only() {
        let text = encode("d", &[7, i64::MAX]);
        assert_eq!(decode("d", &text), Some([7, i64::MAX]));
        assert_eq!(decode::<2>("w", &text), None);
        assert_eq!(decode::<1>("d", &text), None);
        let forged = ["1.d.7", "2.d.7.8", "1.d.+7.8", "1.d.7.8 ", "1.d.-7.8", "1.d.7.99999999999999999999"];
        for plain in forged {
            assert_eq!(decode::<2>("d", &BASE64.encode(plain)), None, "{plain}");
        }
        for text in ["", "!", "MQ==", &"a".repeat(200)] {
            assert_eq!(decode::<2>("d", text), None, "{text}");
        }
    }
}
