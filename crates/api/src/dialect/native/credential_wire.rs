//! Credentials of customers as callers see them: API keys and tokens, and users with rights.

use schemars::JsonSchema;
use serde::Serialize;

use crate::kit::schema::Instant;

/// An API key of a customer, or a user's right where the dialect has users who log in.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Credential {
    Key(KeyCredential),
    User(UserCredential),
}

/// A credential in the answer that makes it.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum IssuedCredential {
    Key(IssuedKey),
    User(UserCredential),
}

/// An API key with the only sight of its secret.
#[derive(Serialize, JsonSchema)]
pub(super) struct IssuedKey {
    #[serde(flatten)]
    pub(super) key: KeyCredential,
    #[schemars(example = &"key_vN3xQ8rT1yU6iO0pA5sD9fG2hJ7kL4zX8cV1bN6m")]
    pub(super) secret: String,
}

/// An API key of a customer.
#[derive(Serialize, JsonSchema)]
pub(super) struct KeyCredential {
    #[schemars(example = &"cred_0aB3dE6gH9jK2mN5")]
    pub(super) id: String,
    #[schemars(example = &"production")]
    pub(super) name: Option<String>,
    /// Rights in the words of the dialect; empty when it has none.
    pub(super) scopes: Vec<String>,
    /// Enough of the secret to tell it from others.
    #[schemars(example = &"key_4fT7…pQ9x")]
    pub(super) preview: String,
    #[schemars(with = "Instant")]
    pub(super) created_at: String,
    #[schemars(with = "Option<Instant>")]
    pub(super) expires_at: Option<String>,
}

/// What a user may do in the workspace.
#[derive(Serialize, JsonSchema)]
pub(super) struct UserCredential {
    #[schemars(example = &"cred_0aB3dE6gH9jK2mN5")]
    pub(super) id: String,
    /// Who it is, in the dialect's form. The same in all workspaces that the user has rights on.
    pub(super) user_id: UserId,
    #[schemars(example = &"anna@example.com")]
    pub(super) username: String,
    #[schemars(example = &"Anna")]
    pub(super) name: Option<String>,
    /// In the words of the dialect. Several rights of one user on a workspace add up.
    pub(super) rights: Vec<String>,
    #[schemars(with = "Instant")]
    pub(super) created_at: String,
    /// From then on the user may do nothing by it.
    #[schemars(with = "Option<Instant>")]
    pub(super) expires_at: Option<String>,
    /// Only when the user was just made.
    #[serde(flatten)]
    pub(super) opened: Option<OpenedSession>,
}

/// What opens something, in the answer that makes a user and nowhere else.
#[derive(Serialize, JsonSchema)]
pub(super) struct OpenedSession {
    /// The same as `session_key`.
    pub(super) secret: String,
    /// Of a session that is open. A login ends it and opens another.
    pub(super) session_key: String,
    /// For the login.
    pub(super) password: String,
    #[schemars(with = "Instant")]
    pub(super) session_expires_at: String,
}

/// A number where the dialect's ids are numbers, else a text.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum UserId {
    #[schemars(example = 213_112)]
    Number(u64),
    #[schemars(example = &"user_0aB3dE6gH9jK2mN5")]
    Text(String),
}
