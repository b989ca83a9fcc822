//! Keys of the operator side: minted with scopes, shown once, stored as a hash.
//!
//! A key in the clear is `spo_`, 34 random letters and digits, and six more that are a checksum of all before them.
//! Scanners that look for leaked secrets know it by that form without asking anybody, and so do we: what does not
//! have it was never minted.

use crate::base62;
use crate::id::{OperatorKeyId, WorkspaceId};
use crate::limits::OPERATOR_KEY_REMEMBERED_MS;
use crate::rate::RateLimit;
use crate::scope::Scope;
use crate::secret::Secret;
use crate::time::Timestamp;

const PREFIX: &str = "spo_";
/// 202 bits.
const RANDOM_CHARS: usize = 34;
/// 62^6 is above 2^32.
const CHECKSUM_CHARS: usize = 6;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorKey {
    pub id: OperatorKeyId,
    pub name: Option<String>,
    /// A set, in the order of [`Scope::ALL`]; never empty.
    pub scopes: Vec<Scope>,
    /// The only workspace that the key knows of; `None` for all.
    pub workspace: Option<WorkspaceId>,
    /// How fast it may call; `None` for no limit.
    pub rate: Option<RateLimit>,
    /// A masked form for lists, such as `spo_8f2a…91cd`.
    pub preview: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// The key that took its place. There is one at most: a key is rotated once.
    pub successor: Option<OperatorKeyId>,
}

impl OperatorKey {
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// What expired at this instant or before it is remembered no longer.
pub fn forgotten_since(now: Timestamp) -> Timestamp {
    now.plus_ms(-OPERATOR_KEY_REMEMBERED_MS)
}

/// A new key in the clear.
pub fn mint(fill: &mut dyn FnMut(&mut [u8])) -> Secret {
    let mut text = format!("{PREFIX}{}", base62::random(RANDOM_CHARS, fill));
    text.push_str(&checksum(text.as_bytes()));
    Secret::new(text.into_bytes())
}

/// Whether a text has the form of [`mint`], its checksum included.
pub fn has_form(presented: &[u8]) -> bool {
    let Some((body, given)) = presented.split_last_chunk::<CHECKSUM_CHARS>() else { return false };
    let Some(random) = body.strip_prefix(PREFIX.as_bytes()) else { return false };
    random.len() == RANDOM_CHARS
        && random.iter().all(u8::is_ascii_alphanumeric)
        && checksum(body).as_bytes() == given
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
    fn a_minted_key_is_known_by_its_form_and_any_change_shows() {
        let mut next = 0u8;
        let key = mint(&mut |pool| {
            for byte in pool {
                *byte = next;
                next = next.wrapping_add(7);
            }
        });
        let text = key.expose_text();
        assert_eq!(text.len(), 44);
        assert!(text.starts_with("spo_") && has_form(text.as_bytes()), "{text}");
        for place in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[place] = if changed[place] == b'x' { b'y' } else { b'x' };
            assert!(!has_form(&changed), "a change at {place}");
        }
        let longer = [text.as_bytes(), b"0"].concat();
        for other in [&b""[..], b"spo_", &text.as_bytes()[1..], &text.as_bytes()[..43], &longer, &[0xff; 44]]
        {
            assert!(!has_form(other), "{other:?}");
        }
    }

    #[test]
    fn expiry_is_exclusive() {
        let key = OperatorKey {
            id: OperatorKeyId::from_raw(1),
            name: None,
            scopes: vec![Scope::Read],
            workspace: None,
            rate: None,
            preview: String::new(),
            created_at: Timestamp::from_ms(0),
            expires_at: Some(Timestamp::from_ms(10)),
            successor: None,
        };
        assert!(key.is_valid_at(Timestamp::from_ms(9)));
        assert!(!key.is_valid_at(Timestamp::from_ms(10)));
    }
}
