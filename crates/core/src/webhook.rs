//! One subscription of a customer.

use crate::custom_header::CustomHeader;
use crate::id::{WebhookId, WorkspaceId};
use crate::policy::Patience;
use crate::rotation::PreviousSecret;
use crate::secret::SealedSecret;
use crate::time::Timestamp;

/// Field name under which a webhook's signing secret is sealed, see [`crate::seal::Place`].
pub const SECRET_FIELD: &str = "webhook.secret";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub workspace: WorkspaceId,
    /// The id at the edge, in the dialect's form. Unique in its workspace.
    pub public_id: String,
    pub name: Option<String>,
    /// The URL as the customer gave it.
    pub url: String,
    pub events: EventSelection,
    /// When set, only events about this subject are wanted.
    pub subject: Option<String>,
    pub state: WebhookState,
    /// What it changes of its workspace's rules.
    pub patience: Patience,
    /// Sent with every request, in the order of their names.
    pub headers: Vec<CustomHeader>,
    pub secret: Option<SealedSecret>,
    /// Secrets before it that still sign, newest first.
    pub previous_secrets: Vec<PreviousSecret>,
    /// Failed attempts since the last success.
    pub consecutive_failures: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which event types a webhook wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventSelection {
    All,
    /// Types and patterns such as `order.*`, see [`crate::matching::covers`]. Not empty, none twice, in the order
    /// the customer gave.
    Only(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookState {
    Active,
    Disabled { at: Timestamp, reason: DisableReason },
}

impl WebhookState {
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Active)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisableReason {
    /// The customer or the operator switched it off.
    ByOwner,
    /// The receiver answered 410 Gone.
    Gone,
    /// Too many failures in a row.
    Failing,
}

impl DisableReason {
    pub const fn name(self) -> &'static str {
        match self {
            Self::ByOwner => "by_owner",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::ByOwner, Self::Gone, Self::Failing].into_iter().find(|reason| reason.name() == name)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Active, for all events, without a secret.
    pub(crate) fn webhook() -> Webhook {
        Webhook {
            id: WebhookId::from_raw(1),
            workspace: WorkspaceId::from_raw(1),
            public_id: "wh_1".to_owned(),
            name: None,
            url: "https://example.com".to_owned(),
            events: EventSelection::All,
            subject: None,
            state: WebhookState::Active,
            patience: Patience::default(),
            headers: Vec::new(),
            secret: None,
            previous_secrets: Vec::new(),
            consecutive_failures: 0,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }
}
