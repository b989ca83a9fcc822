//! Users who log in: who they are, what they may do in which workspace, and the session that a login opens.
//!
//! A user belongs to a dialect instance. A right is a grant of the dialect's scopes on one workspace; several on the same
//! one add up. Whoever has no right anywhere is nobody: the user goes with the last of them.

use std::time::Duration;

use crate::id::{CredentialId, UserId, WorkspaceId};
use crate::limits::RIGHT_REMEMBERED_MS;
use crate::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// The id at the edge, in the dialect's form. Unique in the dialect instance, for ever.
    pub public_id: String,
    /// Name of the dialect instance that the user logs in to.
    pub dialect: String,
    /// Unique among the users that the instance has, byte by byte.
    pub username: String,
    /// What people call the user.
    pub display_name: String,
    pub created_at: Timestamp,
}

/// What a user may do in one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// It is listed and revoked as a credential of the workspace.
    pub id: CredentialId,
    pub workspace: WorkspaceId,
    pub user: UserId,
    pub name: Option<String>,
    /// In the dialect's words and order, as they were granted.
    pub scopes: Vec<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// A user who is logged in. There is one for each user at most: a login ends the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub user: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Right {
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

impl Session {
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// A session of this lifetime, which does not outlive the last of its user's rights.
    pub fn opened(user: UserId, now: Timestamp, lifetime: Duration, rights: &[Right]) -> Self {
        let lifetime_ms = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
        let end = Timestamp::from_ms(now.as_ms().saturating_add(lifetime_ms));
        let last = last_end(rights).unwrap_or(Some(now));
        Self { user, created_at: now, expires_at: last.map_or(end, |last| last.min(end)) }
    }
}

/// When the last of these rights ends: an inner `None` when one of them never does, an outer one when there are none.
pub fn last_end(rights: &[Right]) -> Option<Option<Timestamp>> {
    let last = rights.iter().map(|right| right.expires_at);
    last.reduce(|one, other| Some(one?.max(other?)))
}

/// Rights that ended at this instant or before it are listed no longer.
pub fn forgotten_since(now: Timestamp) -> Timestamp {
    now.plus_ms(-RIGHT_REMEMBERED_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(expires_ms: Option<i64>) -> Right {
        Right {
            id: CredentialId::from_raw(1),
            workspace: WorkspaceId::from_raw(1),
            user: UserId::from_raw(1),
            name: None,
            scopes: Vec::new(),
            created_at: Timestamp::from_ms(0),
            expires_at: expires_ms.map(Timestamp::from_ms),
        }
    }

    #[test]
    fn a_session_ends_with_its_lifetime_or_with_the_last_right() {
        let user = UserId::from_raw(1);
        let end_of = |ends: &[Option<i64>]| {
            let rights: Vec<Right> = ends.iter().copied().map(right).collect();
            let opened = Session::opened(user, Timestamp::from_ms(10), Duration::from_millis(100), &rights);
            assert_eq!((opened.user, opened.created_at.as_ms()), (user, 10));
            opened.expires_at.as_ms()
        };
        for (ends, expected) in [
            (&[None][..], 110),
            (&[Some(50)], 50),
            (&[Some(50), Some(70)], 70),
            (&[Some(50), None], 110),
            (&[Some(500)], 110),
            (&[], 10),
        ] {
            assert_eq!(end_of(ends), expected, "{ends:?}");
        }
        let endless = Session::opened(user, Timestamp::from_ms(10), Duration::MAX, &[right(None)]);
        assert_eq!(endless.expires_at.as_ms(), i64::MAX);
    }

    #[test]
    fn ends_are_exclusive() {
        let at = Timestamp::from_ms;
        assert!(right(Some(10)).is_valid_at(at(9)) && !right(Some(10)).is_valid_at(at(10)));
        assert!(right(None).is_valid_at(at(i64::MAX)));
        let session = Session { user: UserId::from_raw(1), created_at: at(0), expires_at: at(10) };
        assert!(session.is_valid_at(at(9)) && !session.is_valid_at(at(10)));
        assert_eq!(last_end(&[]), None);
    }
}
