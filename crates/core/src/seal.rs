//! Sealing of secrets at rest with a ring of master keys (XChaCha20-Poly1305, 192-bit random nonce).
//!
//! A sealed secret reads `version ‖ key id ‖ nonce ‖ ciphertext`. The key id lets several master keys live side
//! by side; the place (workspace, object, field) is authenticated, so that one row's secret pasted into another
//! row does not open.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use thiserror::Error;

use crate::hex;
use crate::ports::Random;
use crate::secret::{SealedSecret, Secret};

pub const MASTER_KEY_BYTES: usize = 32;
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = 1 + 4 + NONCE_BYTES;
const TAG_BYTES: usize = 16;

/// Bytes by which a sealed secret is longer than the secret.
pub const SEALING_BYTES: usize = HEADER_BYTES + TAG_BYTES;

/// Where a secret belongs. Part of what is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub workspace: i64,
    pub object: i64,
    pub field: &'static str,
}

impl Place {
    fn associated_data(self) -> Vec<u8> {
        let mut data = Vec::with_capacity(16 + self.field.len());
        data.extend_from_slice(&self.workspace.to_be_bytes());
        data.extend_from_slice(&self.object.to_be_bytes());
        data.extend_from_slice(self.field.as_bytes());
        data
    }
}

/// Where the value lies by which the right master key is recognised.
pub const KEY_CHECK_PLACE: Place = Place { workspace: 0, object: 0, field: "key_check" };

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    #[error("the secret was sealed with master key {0}, which is not in the ring")]
    UnknownKey(u32),
    #[error("the sealed secret does not open: wrong master key, damaged, or moved from another row")]
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyringError {
    #[error("no key given")]
    Empty,
    #[error("key {0} is not 64 hexadecimal digits (32 bytes)")]
    Form(usize),
    #[error("key ids are numbers from 0 to 4294967295, as in `2:hex,1:hex`")]
    Id,
    #[error("key id {0} stands twice in the ring")]
    Repeated(u32),
}

/// Master keys by id. The first seals, all of them open.
pub struct Keyring {
    keys: Vec<(u32, Secret)>,
}

impl Keyring {
    /// Reads 64 hexadecimal digits (key id 0), or a ring `id:hex,id:hex`.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(KeyringError::Empty);
        }
        let mut keys: Vec<(u32, Secret)> = Vec::new();
        for (position, entry) in text.split(',').enumerate() {
            let (id, digits) = match entry.trim().split_once(':') {
                Some((id, digits)) => (id.trim().parse().map_err(|_| KeyringError::Id)?, digits.trim()),
                None => (0, entry.trim()),
            };
            if keys.iter().any(|(known, _)| *known == id) {
                return Err(KeyringError::Repeated(id));
            }
            let key = hex::decode(digits).filter(|key| key.len() == MASTER_KEY_BYTES);
            keys.push((id, Secret::new(key.ok_or(KeyringError::Form(position + 1))?)));
        }
        Ok(Self { keys })
    }

    pub fn seal(&self, place: Place, secret: &Secret, random: &dyn Random) -> SealedSecret {
        let (id, key) = &self.keys[0];
        let mut nonce = [0u8; NONCE_BYTES];
        random.fill(&mut nonce);
        let associated = place.associated_data();
        let payload = Payload { msg: secret.expose(), aad: &associated };
        let ciphertext = cipher(key)
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a secret is far below the cipher's limit");
        let mut sealed = Vec::with_capacity(HEADER_BYTES + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&id.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        SealedSecret::from_bytes(sealed)
    }

    /// By their ids, the one that seals first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.keys.iter().map(|(id, key)| (*id, key.expose()))
    }

    /// Whether the value was sealed with the key that seals now.
    pub fn is_current(&self, sealed: &SealedSecret) -> bool {
        let id = sealed.as_bytes().get(1..5).and_then(|id| id.try_into().ok()).map(u32::from_be_bytes);
        id == Some(self.keys[0].0)
    }

    pub fn open(&self, place: Place, sealed: &SealedSecret) -> Result<Secret, OpenError> {
        let bytes = sealed.as_bytes();
        if bytes.len() < HEADER_BYTES || bytes[0] != VERSION {
            return Err(OpenError::Refused);
        }
        let id = u32::from_be_bytes(bytes[1..5].try_into().expect("four bytes"));
        let (_, key) = self.keys.iter().find(|(known, _)| *known == id).ok_or(OpenError::UnknownKey(id))?;
        let nonce: [u8; NONCE_BYTES] = bytes[5..HEADER_BYTES].try_into().expect("a nonce's length");
        let associated = place.associated_data();
        let payload = Payload { msg: &bytes[HEADER_BYTES..], aad: &associated };
        cipher(key).decrypt(&XNonce::from(nonce), payload).map(Secret::new).map_err(|_| OpenError::Refused)
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

fn cipher(key: &Secret) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new_from_slice(key.expose()).expect("the ring holds keys of 32 bytes only")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;
    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::try_from(index % 256).expect("below 256");
            }
        }
    }

    const PLACE: Place = Place { workspace: 1, object: 2, field: "webhook.secret" };

    fn ring(text: &str) -> Keyring {
        Keyring::parse(text).expect("a good ring")
    }

    fn hex(byte: u8) -> String {
        format!("{byte:02x}").repeat(32)
    }

    #[test]
    fn opens_only_in_its_own_place_with_its_own_key() {
        let sealed = ring(&hex(1)).seal(PLACE, &Secret::from_text("s3cret"), &Counting);
        assert_eq!(ring(&hex(1)).open(PLACE, &sealed).expect("opens").expose(), b"s3cret");
        assert_eq!(sealed.as_bytes().len(), SEALING_BYTES + 6);
        assert_eq!(ring(&hex(2)).open(PLACE, &sealed).expect_err("other key"), OpenError::Refused);
        for place in
            [Place { workspace: 9, ..PLACE }, Place { object: 9, ..PLACE }, Place { field: "other", ..PLACE }]
        {
            assert_eq!(ring(&hex(1)).open(place, &sealed).expect_err("moved"), OpenError::Refused);
        }
    }

    #[test]
    fn an_older_key_of_the_ring_still_opens() {
        let sealed = ring(&format!("1:{}", hex(1))).seal(PLACE, &Secret::from_text("x"), &Counting);
        let rotated = ring(&format!("2:{},1:{}", hex(2), hex(1)));
        assert_eq!(rotated.open(PLACE, &sealed).expect("opens").expose(), b"x");
        assert_eq!(
            ring(&format!("2:{}", hex(2))).open(PLACE, &sealed).expect_err("gone"),
            OpenError::UnknownKey(1)
        );
    }

    #[test]
    fn any_changed_byte_is_refused() {
        let sealed = ring(&hex(1)).seal(PLACE, &Secret::from_text("s3cret"), &Counting);
        for index in 0..sealed.as_bytes().len() {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[index] ^= 1;
            assert!(ring(&hex(1)).open(PLACE, &SealedSecret::from_bytes(bytes)).is_err(), "byte {index}");
        }
        assert!(ring(&hex(1)).open(PLACE, &SealedSecret::from_bytes(vec![1])).is_err());
    }

    #[test]
    fn rings_of_a_wrong_form_are_refused() {
        let table = [
            ("", KeyringError::Empty),
            ("abc", KeyringError::Form(1)),
            ("zz", KeyringError::Form(1)),
            ("x:00", KeyringError::Id),
        ];
        for (text, error) in table {
            assert_eq!(Keyring::parse(text).expect_err(text), error);
        }
        let twice = format!("1:{},1:{}", hex(1), hex(2));
        assert_eq!(Keyring::parse(&twice).expect_err("twice"), KeyringError::Repeated(1));
        assert_eq!(format!("{:?}", ring(&hex(7))), "[0]", "a ring shows ids, never keys");
    }
}
