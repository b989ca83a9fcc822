//! Accounts of those who operate, for people who sign in with a name and a password of their own.

use crate::id::OperatorAccountId;
use crate::role::Role;
use crate::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorAccount {
    pub id: OperatorAccountId,
    /// In the form of [`crate::password::check_username`], and unique byte by byte.
    pub username: String,
    pub role: Role,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
