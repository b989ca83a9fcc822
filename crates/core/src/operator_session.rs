//! Sessions of those who operate: opened with a key or a password, kept by a browser as a token, known to all nodes.

use crate::id::{OperatorAccountId, OperatorKeyId, OperatorSessionId, WorkspaceId};
use crate::limits::OPERATOR_SESSION_MS;
use crate::role::Role;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token_form::TokenForm;

/// `sps_` and 40 letters and digits.
const FORM: TokenForm = TokenForm::with_prefix("sps_");

/// With what a session was opened. It ends with that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opener {
    /// The installation's own key that has this fingerprint.
    Root {
        fingerprint: [u8; 8],
    },
    Key(OperatorKeyId),
    /// Its password.
    Account(OperatorAccountId),
}

const ROOT: &str = "root";
const KEY: &str = "key";
const ACCOUNT: &str = "account";

impl Opener {
    /// The form in which it is stored: its kind, and a number that tells it from others of that kind.
    pub const fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Root { fingerprint } => (ROOT, i64::from_be_bytes(fingerprint)),
            Self::Key(id) => (KEY, id.raw()),
            Self::Account(id) => (ACCOUNT, id.raw()),
        }
    }

    /// `None` for anything that [`Self::parts`] did not give.
    pub fn from_parts(kind: &str, number: i64) -> Option<Self> {
        match kind {
            ROOT => Some(Self::Root { fingerprint: number.to_be_bytes() }),
            KEY => (number >= 0).then_some(Self::Key(OperatorKeyId::from_raw(number))),
            ACCOUNT => (number >= 0).then_some(Self::Account(OperatorAccountId::from_raw(number))),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorSession {
    pub id: OperatorSessionId,
    pub opener: Opener,
    /// What the opener may do, as it is now.
    pub role: Role,
    /// The only workspace that the opener knows of; `None` for all.
    pub workspace: Option<WorkspaceId>,
    pub created_at: Timestamp,
    /// Never after the end of the opener.
    pub expires_at: Timestamp,
}

impl OperatorSession {
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

/// When a session ends that is opened now by what ends at `end`, if it does.
pub fn end_of_new(now: Timestamp, end: Option<Timestamp>) -> Timestamp {
    let last = now.plus_ms(OPERATOR_SESSION_MS);
    end.map_or(last, |end| end.min(last))
}

/// A new token in the clear.
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
    fn a_token_is_no_key_and_a_key_no_token() {
        let (token, key) =
            (mint(&mut |pool| pool.fill(7)), crate::operator_key::mint(&mut |pool| pool.fill(7)));
        assert!(has_form(token.expose()) && !has_form(key.expose()));
        assert!(!crate::operator_key::has_form(token.expose()));
    }

    #[test]
    fn openers_return_from_their_parts() {
        let root = |byte| Opener::Root { fingerprint: [byte; 8] };
        let (key, account) = (OperatorKeyId::from_raw(7), OperatorAccountId::from_raw(7));
        for opener in [root(0), root(0xff), Opener::Key(key), Opener::Account(account)] {
            let (kind, number) = opener.parts();
            assert_eq!(Opener::from_parts(kind, number), Some(opener));
        }
        assert_eq!(Opener::from_parts("key", -1), None);
        assert_eq!(Opener::from_parts("account", -1), None);
        assert_eq!(Opener::from_parts("Root", 1), None);
    }

    #[test]
    fn a_session_ends_after_its_time_or_with_its_opener() {
        let (now, ms) = (Timestamp::from_ms(1_000), OPERATOR_SESSION_MS);
        assert_eq!(end_of_new(now, None).as_ms(), 1_000 + ms);
        assert_eq!(end_of_new(now, Some(Timestamp::from_ms(ms))).as_ms(), ms);
        assert_eq!(end_of_new(now, Some(Timestamp::from_ms(2_000 + ms))).as_ms(), 1_000 + ms);
        let session = OperatorSession {
            id: OperatorSessionId::from_raw(1),
            opener: Opener::Key(OperatorKeyId::from_raw(1)),
            role: Role::Viewer,
            workspace: None,
            created_at: now,
            expires_at: Timestamp::from_ms(2_000),
        };
        assert!(session.is_valid_at(Timestamp::from_ms(1_999)) && !session.is_valid_at(session.expires_at));
    }
}
