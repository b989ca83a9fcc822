//! Small valid objects for tests. A number makes each one's ids, texts and times its own.

use std::net::IpAddr;
use std::num::NonZeroU32;

use bytes::Bytes;
use signalpost_core::act::{Act, ActResult, Action, Actor, Surface};
use signalpost_core::attempt::{Attempt, Outcome, Timing, Verdict};
use signalpost_core::basic_auth::Login;
use signalpost_core::ceilings::Ceilings;
use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::delivery::Due;
use signalpost_core::event::{EventContent, Sequence};
use signalpost_core::health::Health;
use signalpost_core::id::{
    ActId, CredentialId, EventId, OperatorAccountId, OperatorKeyId, OperatorSessionId, PortalSessionId,
    ReplayId, SigningKeyId, UserId, WebhookId, WorkspaceId,
};
use signalpost_core::idempotency::KeyedCall;
use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::operator_session::{Opener, OperatorSession};
use signalpost_core::order::OrderRule;
use signalpost_core::password::PasswordHash;
use signalpost_core::policy::{Patience, PolicyOverrides};
use signalpost_core::portal_rights::PortalRights;
use signalpost_core::portal_session::PortalSession;
use signalpost_core::principal::Principal;
use signalpost_core::profile::FeedRule;
use signalpost_core::rate::RateLimit;
use signalpost_core::replay::{Phase, Progress, Replay, Selection, Start, Which};
use signalpost_core::retention::RetentionDefault;
use signalpost_core::role::Role;
use signalpost_core::scope::Scope;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::time::Timestamp;
use signalpost_core::user::{Right, Session, User};
use signalpost_core::webhook::{DisableReason, EventSelection, Webhook, WebhookState};
use signalpost_core::workspace::Workspace;

use crate::catalog::CreateUser;
use crate::ledger::{AcceptEvent, Backlog, Finished, HealthChange};
use crate::{Once, Store};

/// The instant of all samples, plus `ms`.
pub const fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_700_000_000_000 + ms)
}

/// Workspace `n` with the public id `ws-n`.
pub fn workspace(n: i64) -> Workspace {
    Workspace {
        id: WorkspaceId::from_raw(n),
        public_id: format!("ws-{n}"),
        dialect: "native".to_owned(),
        name: format!("Workspace {n}"),
        features: vec!["feed".to_owned(), "replay".to_owned()],
        policy: PolicyOverrides::default(),
        feed: FeedRule::Absent,
        retention: RetentionDefault::Server,
        created_at: at(n),
    }
}

/// Workspace `n` as [`workspace`], with a feed.
pub fn workspace_with_feed(n: i64) -> Workspace {
    Workspace { feed: FeedRule::Kept, ..workspace(n) }
}

/// Webhook `n` with the public id `wh-n`: active, wants everything, has a sealed secret.
pub fn webhook(workspace: WorkspaceId, n: i64) -> Webhook {
    Webhook {
        id: WebhookId::from_raw(n),
        workspace,
        public_id: format!("wh-{n}"),
        name: Some(format!("Webhook {n}")),
        url: format!("https://example.com/{n}"),
        events: EventSelection::All,
        subject: None,
        filter: None,
        state: WebhookState::Active,
        patience: Patience::default(),
        ceilings: Ceilings::default(),
        order: OrderRule::default(),
        headers: Vec::new(),
        login: Login::none(),
        secret: Some(sealed(n)),
        previous_secrets: Vec::new(),
        signing_key: None,
        metadata: Vec::new(),
        health: Health::default(),
        concurrency: None,
        created_at: at(n),
        updated_at: at(n),
        created_after: Sequence(0),
        settled_after: Sequence(0),
    }
}

/// Signing key `n` with the public id `sk-n`.
pub fn signing_key(workspace: WorkspaceId, n: i64) -> SigningKey {
    SigningKey {
        id: SigningKeyId::from_raw(n),
        workspace,
        public_id: format!("sk-{n}"),
        sealed: sealed(n),
        created_at: at(n),
        updated_at: at(n),
    }
}

/// Something sealed that is `n`'s own.
pub fn sealed(n: i64) -> SealedSecret {
    SealedSecret::from_bytes(n.to_be_bytes().to_vec())
}

/// Credential `n`.
pub fn credential(workspace: WorkspaceId, n: i64) -> Credential {
    Credential {
        id: CredentialId::from_raw(n),
        workspace,
        name: Some(format!("Key {n}")),
        scopes: vec!["publish".to_owned(), "read".to_owned()],
        preview: format!("key_…{n}"),
        created_at: at(n),
        expires_at: Some(at(n + 1_000)),
    }
}

/// User `n` with the username `user-n`.
pub fn user(n: i64) -> User {
    User {
        id: UserId::from_raw(n),
        public_id: format!("u-{n}"),
        dialect: "native".to_owned(),
        username: format!("user-{n}"),
        display_name: format!("User {n}"),
        created_at: at(n),
    }
}

/// Right `n` of a user on a workspace, for good.
pub fn right(workspace: WorkspaceId, user: UserId, n: i64) -> Right {
    Right {
        id: CredentialId::from_raw(n),
        workspace,
        user,
        name: Some(format!("Right {n}")),
        scopes: vec!["read".to_owned(), "write".to_owned()],
        created_at: at(n),
        expires_at: None,
    }
}

/// A session of a user that began at `n`.
pub fn session(user: UserId, n: i64) -> Session {
    Session { user, created_at: at(n), expires_at: at(n + 1_000) }
}

/// User `n` with right `n + 1` on a workspace, and a session whose key has this hash.
pub fn new_user(workspace: WorkspaceId, n: i64, hash: CredentialHash) -> CreateUser {
    let user = user(n);
    let (right, session) = (right(workspace, user.id, n + 1), session(user.id, n));
    let password = PasswordHash::from_phc(format!("password {n}"));
    CreateUser { user, password, right, session, hash }
}

/// Operator key `n`: publishes at a limited rate.
pub fn operator_key(workspace: Option<WorkspaceId>, n: i64) -> OperatorKey {
    OperatorKey {
        id: OperatorKeyId::from_raw(n),
        name: Some(format!("Service {n}")),
        scopes: vec![Scope::Publish],
        workspace,
        rate: Some(RateLimit { per_s: 5, burst: 10 }),
        preview: format!("spo_…{n}"),
        created_at: at(n),
        expires_at: Some(at(n + 1_000)),
        successor: None,
    }
}

/// Act `n`: somebody with a key looks at a payload, and nobody knows whether it was shown.
pub fn act(n: i64) -> Act {
    Act {
        id: ActId::from_raw(n),
        at: at(n),
        by: Actor::Key { id: OperatorKeyId::from_raw(7), name: Some("Night shift".to_owned()) },
        action: Action::named("payload.view"),
        object: format!("evt_{n}"),
        workspace: Some("ws-1".to_owned()),
        surface: Surface::Page,
        address: Some(IpAddr::from([192, 0, 2, 1])),
        request_id: format!("request {n}"),
        result: ActResult::Pending,
        detail: format!("detail {n}"),
    }
}

/// Account `n` of somebody who looks and changes nothing.
pub fn operator_account(n: i64) -> OperatorAccount {
    OperatorAccount {
        id: OperatorAccountId::from_raw(n),
        username: format!("ann{n}"),
        role: Role::Viewer,
        created_at: at(n),
        updated_at: at(n),
    }
}

/// Session `n`, for a second.
pub fn operator_session(opener: Opener, n: i64) -> OperatorSession {
    OperatorSession {
        id: OperatorSessionId::from_raw(n),
        opener,
        role: Role::Viewer,
        workspace: None,
        created_at: at(n),
        expires_at: at(n + 1_000),
    }
}

/// Session `n` at a workspace's portal, for a second.
pub fn portal_session(workspace: WorkspaceId, n: i64) -> PortalSession {
    PortalSession {
        id: PortalSessionId::from_raw(n),
        workspace,
        rights: PortalRights::Manages,
        name: Some(format!("customer {n}")),
        created_at: at(n),
        expires_at: at(n + 1_000),
    }
}

/// Replay `n`: all that has failed of a webhook, once more to it, once somebody starts it.
pub fn replay(workspace: WorkspaceId, n: i64, source: WebhookId) -> Replay {
    Replay {
        id: ReplayId::from_raw(n),
        workspace,
        selection: Selection {
            source,
            which: Which::Failed,
            since: at(0),
            until: at(n),
            types: vec!["order.paid".to_owned(), "order.sent".to_owned()],
            subject: Some(format!("subject {n}")),
        },
        target: source,
        per_second: NonZeroU32::new(50).expect("not zero"),
        start: Start::WhenTold,
        phase: Phase::Planning,
        made_by: Principal::Operator,
        made_at: at(n),
        changed_by: Principal::Operator,
        changed_at: at(n),
        progress: Progress::default(),
    }
}

/// The call called `name`, which asks for `said`, made at `ms`.
pub fn once(workspace: Option<WorkspaceId>, name: u8, said: u8, ms: i64) -> Once {
    Once { workspace, call: KeyedCall { name: [name; 32], request: [said; 32] }, at: at(ms) }
}

/// Event `n` for `targets`, chosen at `version`, accepted at its own millisecond, without a producer's id.
pub fn event(workspace: WorkspaceId, n: i64, version: u64, targets: &[WebhookId]) -> AcceptEvent {
    AcceptEvent {
        id: EventId::from_raw(n),
        workspace,
        version,
        content: EventContent {
            producer_id: None,
            event_type: "order.paid".to_owned(),
            subject: None,
            time: at(n - 5),
            attributes: vec![("jobId".to_owned(), "\"j1\"".to_owned()), ("z".to_owned(), "[1]".to_owned())],
            data: Bytes::from(format!("{{ \"n\": {n}.0 }}")),
            ordering_key: None,
        },
        targets: targets.to_vec(),
        accepted_at: at(n),
        dedupe: None,
        ordered: Vec::new(),
    }
}

/// The attempt that follows `due`, at its due time, without a change of health. 204 when it is delivered, else 500.
pub fn finished(workspace: WorkspaceId, due: Due, verdict: Verdict) -> Finished {
    let delivered = verdict == Verdict::Delivered;
    let attempt = Attempt {
        number: due.steps + 1,
        at: due.due_at,
        outcome: Outcome::Status(if delivered { 204 } else { 500 }),
        verdict,
        detail: if delivered { String::new() } else { "answered 500".to_owned() },
        timing: Timing { dns_us: 1, connect_us: 2, tls_us: 3, first_byte_us: 4, total_us: 10 },
        request_headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        answer: Bytes::from_static(b"answer \xff\x00"),
    };
    Finished { workspace, due, attempt, health: None, concurrency: None, epoch: GroupEpoch::ONLY }
}

/// The same, begun by this process a moment ago.
pub fn begun_by(store: &dyn Store, mut finished: Vec<Finished>) -> Vec<Finished> {
    let ownership = store.ownership();
    for one in &mut finished {
        one.epoch = ownership.epoch_of(LaneGroup::of(one.due.id.webhook)).unwrap_or(one.epoch);
    }
    finished
}

/// So many failures in a row, and perhaps the end of the webhook.
pub fn health(consecutive_failures: u32, disable: Option<DisableReason>) -> HealthChange {
    let health = Health { consecutive_failures, ..Health::default() };
    HealthChange { health, disable, backlog: Backlog::Kept }
}
