//! One tenant and how it is served.

use crate::id::WorkspaceId;
use crate::limits::NAME_CHARS_MAX;
use crate::policy::PolicyOverrides;
use crate::profile::FeedRule;
use crate::retention::RetentionDefault;
use crate::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub id: WorkspaceId,
    /// The id at the edge, in the dialect's form. Unique over all workspaces, for ever.
    pub public_id: String,
    /// Name of the dialect instance that it speaks.
    pub dialect: String,
    pub name: String,
    /// Features of the dialect that are switched on.
    pub features: Vec<String>,
    pub policy: PolicyOverrides,
    pub feed: FeedRule,
    pub retention: RetentionDefault,
    pub created_at: Timestamp,
}

/// Names of workspaces, webhooks and credentials: 1 to 128 characters (code points), no NUL.
pub fn check_name(text: &str) -> Result<(), String> {
    let length = text.chars().count();
    if length == 0 || length > NAME_CHARS_MAX {
        return Err(format!("must be 1 to {NAME_CHARS_MAX} characters long"));
    }
    if text.contains('\0') { Err("must not contain the NUL character".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_in_characters() {
        for good in ["a", &"n".repeat(128), &"🧀".repeat(128)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", &"n".repeat(129), &"🧀".repeat(129), "a\0b"] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
