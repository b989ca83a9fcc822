//! API keys and tokens of a workspace's customers: stored as a hash, shown once.

use sha2::{Digest, Sha256};

use crate::id::{CredentialId, WorkspaceId};
use crate::time::Timestamp;

/// SHA-256 of a credential. Enough for texts of 128 random bits and more, which cannot be guessed; passwords
/// are another matter and are not stored this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialHash(pub [u8; 32]);

impl CredentialHash {
    pub fn of(credential: &[u8]) -> Self {
        Self(Sha256::digest(credential).into())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub id: CredentialId,
    pub workspace: WorkspaceId,
    pub name: Option<String>,
    pub scopes: Vec<String>,
    /// A masked form for lists, such as `key_8f2a…91cd`.
    pub preview: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

impl Credential {
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// The first eight and the last four characters of a credential, never more than half of it.
pub fn preview_of(credential: &str) -> String {
    let chars: Vec<char> = credential.chars().collect();
    if chars.len() < 24 {
        return "…".to_owned();
    }
    let (head, tail) = (&chars[..8], &chars[chars.len() - 4..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_hides_most_of_a_credential() {
        assert_eq!(preview_of("key_8f2a000000000000000091cd"), "key_8f2a…91cd");
        assert_eq!(preview_of("short"), "…");
    }

    #[test]
    fn expiry_is_exclusive() {
        let credential = Credential {
            id: CredentialId::from_raw(1),
            workspace: WorkspaceId::from_raw(1),
            name: None,
            scopes: Vec::new(),
            preview: String::new(),
            created_at: Timestamp::from_ms(0),
            expires_at: Some(Timestamp::from_ms(10)),
        };
        assert!(credential.is_valid_at(Timestamp::from_ms(9)));
        assert!(!credential.is_valid_at(Timestamp::from_ms(10)));
    }
}
