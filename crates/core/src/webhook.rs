//! One subscription of a customer.

use crate::basic_auth::Login;
use crate::ceilings::Ceilings;
use crate::custom_header::CustomHeader;
use crate::event::Sequence;
use crate::health::Health;
use crate::id::{SigningKeyId, WebhookId, WorkspaceId};
use crate::order::OrderRule;
use crate::policy::Patience;
use crate::principal::{Audience, Principal};
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
    /// When set, only events that this expression admits are wanted.
    pub filter: Option<String>,
    pub state: WebhookState,
    /// What it changes of its workspace's rules.
    pub patience: Patience,
    /// What its receiver is sent at most.
    pub ceilings: Ceilings,
    pub order: OrderRule,
    /// Sent with every request, in the order of their names.
    pub headers: Vec<CustomHeader>,
    /// Sent with every request when it is whole.
    pub login: Login,
    /// Its own; `None` where webhooks are signed with keys of their workspace.
    pub secret: Option<SealedSecret>,
    /// Secrets before it that still sign, newest first.
    pub previous_secrets: Vec<PreviousSecret>,
    /// The workspace's key that signs. A key that was deleted is none.
    pub signing_key: Option<SigningKeyId>,
    /// What its owner, or its dialect, keeps with it, in the order of names. It means nothing here.
    pub metadata: Vec<(String, String)>,
    /// How its receiver has answered of late.
    pub health: Health,
    /// Requests that its receiver was last found to bear at once, see [`crate::concurrency`]. `None` while it is not known
    /// to bear more or fewer than any other.
    pub concurrency: Option<u16>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The last number of the workspace's sequence when it was made, set by the store: no event up to it could be meant
    /// for this webhook. Zero when it was made before this was kept.
    pub created_after: Sequence,
    /// The last number of the workspace's sequence when what decides about events last changed, set by the store (see
    /// [`Self::decides_like`]). Both changes and events take their place in order of commits, and an event is refused when
    /// its targets were chosen before a change. So for an event above this number targets were chosen by what the webhook
    /// is now, and for no event up to it: that is exact, whatever clocks said.
    pub settled_after: Sequence,
}

impl Webhook {
    /// Whether both are alike in everything that decides which events it gets: selection, subject, filter and
    /// state.
    pub fn decides_like(&self, other: &Self) -> bool {
        self.events == other.events
            && self.subject == other.subject
            && self.filter == other.filter
            && self.state == other.state
    }
}

/// A webhook, or what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remembered {
    Living(Box<Webhook>),
    Deleted(Tombstone),
}

impl Remembered {
    /// As it is told to somebody.
    #[must_use]
    pub fn told_to(mut self, audience: Audience) -> Self {
        if let Self::Deleted(Tombstone { deleted_by: Some(by), .. }) = &mut self {
            *by = by.told_to(audience);
        }
        self
    }

    pub fn id(&self) -> WebhookId {
        match self {
            Self::Living(webhook) => webhook.id,
            Self::Deleted(tombstone) => tombstone.id,
        }
    }

    pub fn public_id(&self) -> &str {
        match self {
            Self::Living(webhook) => &webhook.public_id,
            Self::Deleted(tombstone) => &tombstone.public_id,
        }
    }

    /// As [`Webhook::created_after`].
    pub fn created_after(&self) -> Sequence {
        match self {
            Self::Living(webhook) => webhook.created_after,
            Self::Deleted(tombstone) => tombstone.created_after,
        }
    }

    /// As [`Webhook::settled_after`]; a deletion is a change.
    pub fn settled_after(&self) -> Sequence {
        match self {
            Self::Living(webhook) => webhook.settled_after,
            Self::Deleted(tombstone) => tombstone.settled_after,
        }
    }
}

/// What is left of a deleted webhook, for the operator alone: nothing that its owner wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    pub id: WebhookId,
    pub workspace: WorkspaceId,
    pub public_id: String,
    pub created_after: Sequence,
    /// The last number of the workspace's sequence when it was deleted.
    pub settled_after: Sequence,
    pub deleted_at: Timestamp,
    /// `None` when it was deleted before this was kept.
    pub deleted_by: Option<Principal>,
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

    /// Whether switching it off for this reason changes anything: what is off stays as it is, but for what was only
    /// paused and now has to end.
    pub const fn gives_way_to(self, reason: DisableReason) -> bool {
        match self {
            Self::Active => true,
            Self::Disabled { reason: DisableReason::Paused, .. } => reason.ends_pending(),
            Self::Disabled { .. } => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisableReason {
    /// The customer or the operator switched it off, and what was pending ended.
    ByOwner,
    /// The customer or the operator switched it off for a while: what was pending waits until it is on again.
    Paused,
    /// The receiver answered 410 Gone.
    Gone,
    /// Too many failures in a row.
    Failing,
}

impl DisableReason {
    pub const ALL: [Self; 4] = [Self::ByOwner, Self::Paused, Self::Gone, Self::Failing];

    pub const fn name(self) -> &'static str {
        match self {
            Self::ByOwner => "by_owner",
            Self::Paused => "paused",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// Whether what is pending ends with the webhook, by a cut.
    pub const fn ends_pending(self) -> bool {
        !matches!(self, Self::Paused)
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
            filter: None,
            state: WebhookState::Active,
            patience: Patience::default(),
            ceilings: Ceilings::default(),
            order: OrderRule::default(),
            headers: Vec::new(),
            login: Login::none(),
            secret: None,
            previous_secrets: Vec::new(),
            signing_key: None,
            metadata: Vec::new(),
            health: Health::default(),
            concurrency: None,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            created_after: Sequence(0),
            settled_after: Sequence(0),
        }
    }

    #[test]
    fn what_decides_is_selection_subject_filter_and_state() {
        let off = WebhookState::Disabled { at: Timestamp::default(), reason: DisableReason::Paused };
        let paused_for_good =
            WebhookState::Disabled { at: Timestamp::default(), reason: DisableReason::ByOwner };
        let alike = [
            Webhook { name: Some("n".to_owned()), url: "https://example.org".to_owned(), ..webhook() },
            Webhook {
                health: Health { consecutive_failures: 3, ..Health::default() },
                updated_at: Timestamp::from_ms(9),
                ..webhook()
            },
            Webhook { settled_after: Sequence(7), created_after: Sequence(7), ..webhook() },
        ];
        for other in alike {
            assert!(webhook().decides_like(&other), "{other:?}");
        }
        let different = [
            Webhook { events: EventSelection::Only(vec!["a".to_owned()]), ..webhook() },
            Webhook { subject: Some("s".to_owned()), ..webhook() },
            Webhook { filter: Some("true".to_owned()), ..webhook() },
            Webhook { state: off, ..webhook() },
        ];
        for other in different {
            assert!(!webhook().decides_like(&other), "{other:?}");
        }
        let paused = Webhook { state: off, ..webhook() };
        assert!(
            !paused.decides_like(&Webhook { state: paused_for_good, ..webhook() }),
            "the reason is told too"
        );
    }

    #[test]
    fn only_what_is_on_or_paused_can_be_switched_off() {
        use DisableReason::{ByOwner, Failing, Gone, Paused};
        let off = |reason| WebhookState::Disabled { at: Timestamp::default(), reason };
        let table = [
            (WebhookState::Active, [true; 4]),
            (off(Paused), [true, false, true, true]),
            (off(ByOwner), [false; 4]),
            (off(Gone), [false; 4]),
            (off(Failing), [false; 4]),
        ];
        for (state, expected) in table {
            assert_eq!(DisableReason::ALL.map(|reason| state.gives_way_to(reason)), expected, "{state:?}");
        }
        assert_eq!(DisableReason::ALL.map(DisableReason::ends_pending), [true, false, true, true]);
        for reason in DisableReason::ALL {
            assert_eq!(DisableReason::from_name(reason.name()), Some(reason));
        }
    }
}
