//! Keys of the operator side: minted with scopes, shown once, stored as a hash.

use crate::id::{OperatorKeyId, WorkspaceId};
use crate::limits::OPERATOR_KEY_REMEMBERED_MS;
use crate::rate::RateLimit;
use crate::scope::Scope;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token_form::TokenForm;

/// `spo_` and 40 letters and digits.
const FORM: TokenForm = TokenForm::with_prefix("spo_");

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
    FORM.mint(fill)
}

/// Whether a text has the form of [`mint`], its checksum included.
pub fn has_form(presented: &[u8]) -> bool {
    FORM.fits(presented)
}

#[cfg(test)]
mod tests {
    use super::*;

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
