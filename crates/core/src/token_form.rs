//! Texts that open something, known by their form without asking anybody: a prefix, 34 random letters and digits, and six
//! more that are a checksum of all before them.
//!
//! Scanners that look for leaked secrets know them by that form, and so do we: what does not have it was never minted.

use crate::base62;
use crate::secret::Secret;

/// 202 bits.
const RANDOM_CHARS: usize = 34;
/// 62^6 is above 2^32.
const CHECKSUM_CHARS: usize = 6;

/// The form of one kind of them.
#[derive(Clone, Copy, Debug)]
pub struct TokenForm {
    prefix: &'static str,
}

impl TokenForm {
    /// No two kinds have the same prefix.
    pub const fn with_prefix(prefix: &'static str) -> Self {
        Self { prefix }
    }

    /// A new one in the clear.
    pub fn mint(self, fill: &mut dyn FnMut(&mut [u8])) -> Secret {
        let mut text = format!("{}{}", self.prefix, base62::random(RANDOM_CHARS, fill));
        text.push_str(&checksum(text.as_bytes()));
        Secret::new(text.into_bytes())
    }

    /// Whether a text has this form, its checksum included.
    pub fn fits(self, presented: &[u8]) -> bool {
        let Some((body, given)) = presented.split_last_chunk::<CHECKSUM_CHARS>() else { return false };
        let Some(random) = body.strip_prefix(self.prefix.as_bytes()) else { return false };
        random.len() == RANDOM_CHARS
            && random.iter().all(u8::is_ascii_alphanumeric)
            && checksum(body).as_bytes() == given
    }
}

fn checksum(text: &[u8]) -> String {
    base62::encode(u128::from(crc32(text)), CHECKSUM_CHARS)
}

/// CRC-32 as in ISO 3309 and zip files: reflected, polynomial 0xEDB88320. Bit by bit, for texts are short.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    let add = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    !bytes.iter().fold(!0, add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_common_crc() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926, "the check value of the standard's catalogue");
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn what_is_minted_is_known_by_its_form_and_any_change_shows() {
        let form = TokenForm::with_prefix("spo_");
        let mut next = 0u8;
        let minted = form.mint(&mut |pool| {
            for byte in pool {
                *byte = next;
                next = next.wrapping_add(7);
            }
        });
        let text = minted.expose_text();
        assert_eq!(text.len(), 44);
        assert!(text.starts_with("spo_") && form.fits(text.as_bytes()), "{text}");
        assert!(!TokenForm::with_prefix("sps_").fits(text.as_bytes()), "of another kind");
        for place in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[place] = if changed[place] == b'x' { b'y' } else { b'x' };
            assert!(!form.fits(&changed), "a change at {place}");
        }
        let longer = [text.as_bytes(), b"0"].concat();
        for other in [&b""[..], b"spo_", &text.as_bytes()[1..], &text.as_bytes()[..43], &longer, &[0xff; 44]]
        {
            assert!(!form.fits(other), "{other:?}");
        }
    }
}
