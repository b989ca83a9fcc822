//! The installation's own key, as a process knows it: by its hash.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::credential::CredentialHash;

/// The key that opens everything and is in no store. `Debug` shows nothing of it.
#[derive(Clone, Copy)]
pub struct RootKey(CredentialHash);

impl RootKey {
    pub const fn new(hash: CredentialHash) -> Self {
        Self(hash)
    }

    /// Whether this is the key; compared in constant time.
    pub fn matches(&self, presented: &[u8]) -> bool {
        CredentialHash::of(presented).0.ct_eq(&self.0.0).into()
    }

    /// Tells this key from others that the installation had before or will have. It opens nothing.
    pub fn fingerprint(&self) -> [u8; 8] {
        // Of the hash once more, for fingerprints are stored and the hash is not.
        *Sha256::digest(self.0.0).first_chunk().expect("a digest has 32 bytes")
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &[u8]) -> RootKey {
        RootKey::new(CredentialHash::of(text))
    }

    #[test]
    fn a_root_key_knows_itself_alone() {
        assert!(key(b"root").matches(b"root"));
        for other in [&b"Root"[..], b"", b"root "] {
            assert!(!key(b"root").matches(other), "{other:?}");
        }
    }

    #[test]
    fn a_fingerprint_tells_keys_apart_and_nothing_of_their_hashes() {
        let fingerprint = key(b"root").fingerprint();
        assert_eq!(fingerprint, key(b"root").fingerprint());
        assert_ne!(fingerprint, key(b"other").fingerprint());
        assert_ne!(fingerprint[..], CredentialHash::of(b"root").0[..8]);
        assert_eq!(format!("{:?}", key(b"root")), "RootKey(hidden)");
    }
}
