//! Keys for one purpose each, made of the master keys: these themselves seal, and never sign anything.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::seal::Keyring;

/// Bytes of an authentication code.
pub const CODE_BYTES: usize = 32;

/// One key for each of the ring, by the same ids. The first signs, all of them recognise.
#[derive(Clone)]
pub struct DerivedKeys {
    keys: Vec<(u32, Hmac<Sha256>)>,
}

impl DerivedKeys {
    /// A key is the HMAC-SHA256 of the purpose's label by a master key: who has it learns nothing of that one, nor of the keys
    /// for other purposes. No two purposes have the same label.
    pub fn of(ring: &Keyring, label: &'static str) -> Self {
        let derive = |(id, master): (u32, &[u8])| {
            let mut mac = keyed(master);
            mac.update(label.as_bytes());
            (id, keyed(&mac.finalize().into_bytes()))
        };
        Self { keys: ring.keys().map(derive).collect() }
    }

    /// The id of the key that signs.
    pub fn first_id(&self) -> u32 {
        self.keys[0].0
    }

    /// By the first key.
    pub fn sign(&self, content: &[u8]) -> [u8; CODE_BYTES] {
        let mut mac = self.keys[0].1.clone();
        mac.update(content);
        mac.finalize().into_bytes().into()
    }

    /// Whether the key with this id has signed this. How long it takes depends on the lengths alone.
    pub fn recognise(&self, id: u32, content: &[u8], code: &[u8]) -> bool {
        let Some((_, key)) = self.keys.iter().find(|(known, _)| *known == id) else { return false };
        let mut mac = key.clone();
        mac.update(content);
        mac.verify_slice(code).is_ok()
    }
}

impl std::fmt::Debug for DerivedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    fn ring(text: &str) -> Keyring {
        Keyring::parse(text).expect("a good ring")
    }

    fn master(byte: u8) -> String {
        format!("{byte:02x}").repeat(32)
    }

    /// By another implementation: `hmac.new(hmac.new(b"\x01" * 32, b"label", "sha256").digest(), b"content", "sha256")`.
    #[test]
    fn a_code_is_the_hmac_by_the_hmac_of_the_label() {
        let code = DerivedKeys::of(&ring(&master(1)), "label").sign(b"content");
        assert_eq!(hex::encode(&code), "bc4ad291146b4141aa46e6536d087bb672a9644e24a93b8bf177cbcb50c5d438");
    }

    #[test]
    fn the_first_key_signs_and_each_is_known_by_its_id() {
        let old = DerivedKeys::of(&ring(&format!("1:{}", master(1))), "label");
        let both = DerivedKeys::of(&ring(&format!("2:{},1:{}", master(2), master(1))), "label");
        let (by_old, by_both) = (old.sign(b"x"), both.sign(b"x"));
        assert_eq!((old.first_id(), both.first_id()), (1, 2));
        assert!(both.recognise(1, b"x", &by_old) && both.recognise(2, b"x", &by_both));
        assert!(!both.recognise(2, b"x", &by_old), "by another key than it says");
        assert!(!old.recognise(2, b"x", &by_both), "by one that it does not have");
        assert!(!both.recognise(1, b"y", &by_old) && !both.recognise(1, b"x", &by_old[..31]));
        assert_eq!(format!("{both:?}"), "[2, 1]", "ids, never keys");
    }

    #[test]
    fn purposes_have_keys_of_their_own() {
        let (one, other) =
            (DerivedKeys::of(&ring(&master(1)), "one"), DerivedKeys::of(&ring(&master(1)), "other"));
        assert!(!other.recognise(0, b"x", &one.sign(b"x")));
        let by_master = Hmac::<Sha256>::new_from_slice(&[1; 32]).expect("any length");
        let by_master = by_master.chain_update(b"x").finalize().into_bytes();
        assert!(!one.recognise(0, b"x", &by_master));
    }
}
