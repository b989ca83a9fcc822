//! A key of a workspace that signs the deliveries of all webhooks that refer to it.
//!
//! Where a dialect has such keys ([`crate::profile::SigningRule::SharedKeys`]) its webhooks have no secrets of their own. A
//! webhook refers to a key; a key knows nothing of webhooks. So deleting a key changes no webhook: what refers to a key that
//! is gone refers to none, and is sent unsigned.

use crate::id::{SigningKeyId, WorkspaceId};
use crate::secret::SealedSecret;
use crate::time::Timestamp;

/// Field name under which a key's secret is sealed, see [`crate::seal::Place`].
pub const SIGNING_KEY_FIELD: &str = "signing_key.secret";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    pub id: SigningKeyId,
    pub workspace: WorkspaceId,
    /// The id at the edge, in the dialect's form. Unique in its workspace, deleted ones counted.
    pub public_id: String,
    /// What signs, in the profile's [`crate::profile::SecretForm`].
    pub sealed: SealedSecret,
    pub created_at: Timestamp,
    /// Of its last change; a key changes but once, by being deleted.
    pub updated_at: Timestamp,
}
