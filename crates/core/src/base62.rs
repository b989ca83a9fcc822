//! Base 62 text (`0-9A-Za-z`) of fixed width, used for public ids, tokens and secrets.

/// Digits in ascending order, so that fixed-width texts sort like the numbers they stand for.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Writes `value` with exactly `width` digits, most significant first.
///
/// # Panics
/// When `value` does not fit: widths are constants of this crate, so that is a mistake in the code.
pub fn encode(mut value: u128, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[usize::try_from(value % 62).expect("a remainder below 62")];
        value /= 62;
    }
    assert!(value == 0, "the value does not fit into {width} base-62 digits");
    digits.into_iter().map(char::from).collect()
}

/// Reads digits written by [`encode`]; `None` for any other character or a number beyond 128 bits.
pub fn decode(text: &str) -> Option<u128> {
    text.bytes().try_fold(0u128, |value, byte| value.checked_mul(62)?.checked_add(u128::from(digit(byte)?)))
}

/// Text of `length` random characters from `fill`, each of the 62 equally likely.
pub fn random(length: usize, fill: &mut dyn FnMut(&mut [u8])) -> String {
    let mut text = String::with_capacity(length);
    let mut pool = [0u8; 64];
    while text.len() < length {
        fill(&mut pool);
        // Bytes from 248 up are thrown away: 248 is the largest multiple of 62 in a byte, so no digit is favoured.
        let fair =
            pool.iter().filter(|byte| **byte < 248).map(|byte| char::from(ALPHABET[usize::from(byte % 62)]));
        text.extend(fair.take(length - text.len()));
    }
    text
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'Z' => Some(byte - b'A' + 10),
        b'a'..=b'z' => Some(byte - b'a' + 36),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_with_fixed_width_and_back() {
        for value in [0, 1, 61, 62, 3843, u128::from(u64::MAX), u128::MAX] {
            let text = encode(value, 22);
            assert_eq!(text.len(), 22);
            assert_eq!(decode(&text), Some(value));
        }
    }

    #[test]
    fn refuses_foreign_characters_and_overflow() {
        for text in ["-", "a b", "é", "zzzzzzzzzzzzzzzzzzzzzzz"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn random_text_skips_the_unfair_tail_of_a_byte() {
        let mut next = 247u8;
        let text = random(3, &mut |pool| {
            for byte in pool {
                *byte = next;
                next = next.wrapping_add(1);
            }
        });
        assert_eq!(text, "z01", "247 gives z, 248 to 255 are skipped, then 0 and 1");
    }
}
