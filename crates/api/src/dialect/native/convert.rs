//! Between the words of core and the JSON of this surface.

use std::time::Duration;

use serde_json::value::RawValue;
use signalpost_core::attempt::{Attempt, Outcome, Timing};
use signalpost_core::basic_auth::Login;
use signalpost_core::ceilings::MaxInFlight;
use signalpost_core::credential::Credential;
use signalpost_core::custom_header::{CustomHeader, MASKED};
use signalpost_core::delivery::{DeliveryState, Step};
use signalpost_core::error::Error;
use signalpost_core::event::Event;
use signalpost_core::health::Health;
use signalpost_core::id::{OperatorKeyId, SigningKeyId};
use signalpost_core::id_form::IdForm;
use signalpost_core::pace::Rate;
use signalpost_core::policy::{DeliveryPolicy, Patience};
use signalpost_core::profile::{EventIdRule, SigningRule};
use signalpost_core::retention::{RetentionDefault, RetentionOverrides, RetentionRules, WorkspaceRetention};
use signalpost_core::rotation::PreviousSecret;
use signalpost_core::secret::Secret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::{EventSelection, Webhook, WebhookState};
use signalpost_core::workspace::Workspace;
use signalpost_engine::credentials::IssuedCredential;
use signalpost_engine::ingest::Receipt;
use signalpost_engine::operator_keys::{IssuedOperatorKey, RotatedOperatorKey, ShownOperatorKey};
use signalpost_engine::users::IssuedUser;
use signalpost_engine::{DeliveryRecord, DeliverySummary, Engine, HeldRight, Room, Storage, View};

use super::{credential_wire, webhook_wire, wire};

/// Stands for all event types in a webhook's list.
pub(super) const ALL_EVENTS: &str = "*";

/// `base` is the policy of the workspace's dialect; `rules` are in force for its events.
pub(super) fn workspace(
    workspace: Workspace,
    base: Option<&DeliveryPolicy>,
    rules: WorkspaceRetention,
) -> wire::Workspace {
    let policy = base.map(|base| base.with(&workspace.policy)).map(|policy| wire::Policy {
        retry_schedule_s: policy.retry.as_seconds(),
        timeout_ms: millis(policy.timeout),
        pause_after_failing_s: policy.hold.map_or(0, |rule| rule.failing_for.as_secs()),
        release_order: policy.release.name(),
        retention: retention(rules),
    });
    wire::Workspace {
        id: workspace.public_id,
        dialect: workspace.dialect,
        name: workspace.name,
        features: workspace.features,
        policy,
        created_at: workspace.created_at.to_rfc3339_ms(),
        cell: None,
        usage: None,
    }
}

pub(super) fn retention(rules: WorkspaceRetention) -> wire::Retention {
    wire::Retention {
        event_retention_s: rules.event_age_max.map(|age| age.as_secs()),
        payload_retention_s: rules.payload_age_max.map(|age| age.as_secs()),
        retention_bytes: rules.bytes_max,
    }
}

pub(super) fn storage(storage: &Storage, rules: &RetentionRules) -> wire::Storage {
    let of_store = WorkspaceRetention {
        bytes_max: rules.bytes_max,
        ..rules.with(RetentionDefault::Server, &RetentionOverrides::default())
    };
    wire::Storage {
        database_bytes: storage.database_bytes,
        free_bytes: storage.free_bytes,
        wal_bytes: storage.wal_bytes,
        disk_free_bytes: storage.disk.map(|disk| disk.free_bytes),
        disk_total_bytes: storage.disk.map(|disk| disk.total_bytes),
        full: storage.room == Room::Full,
        events: storage.events,
        idempotency_bytes: storage.answers_bytes,
        idempotency_forgotten: storage.answers_forgotten,
        oldest_event_at: storage.oldest_event_at.map(|at| at.to_rfc3339_ms()),
        retention: retention(of_store),
    }
}

pub(super) fn credential(credential: Credential) -> credential_wire::KeyCredential {
    credential_wire::KeyCredential {
        id: credential.id.to_public(),
        name: credential.name,
        scopes: credential.scopes,
        preview: credential.preview,
        created_at: credential.created_at.to_rfc3339_ms(),
        expires_at: credential.expires_at.map(|end| end.to_rfc3339_ms()),
    }
}

pub(super) fn issued_key(issued: &IssuedCredential) -> credential_wire::IssuedCredential {
    let secret = issued.secret.expose_text().to_owned();
    let key = credential(issued.credential.clone());
    credential_wire::IssuedCredential::Key(credential_wire::IssuedKey { key, secret })
}

pub(super) fn held_right(held: &HeldRight) -> credential_wire::UserCredential {
    let HeldRight { right, user } = held;
    credential_wire::UserCredential {
        id: right.id.to_public(),
        user_id: user_id(&user.public_id),
        username: user.username.clone(),
        name: right.name.clone(),
        rights: right.scopes.clone(),
        created_at: right.created_at.to_rfc3339_ms(),
        expires_at: right.expires_at.map(|end| end.to_rfc3339_ms()),
        opened: None,
    }
}

/// In the answer that grants it.
pub(super) fn granted_right(held: &HeldRight) -> credential_wire::IssuedCredential {
    credential_wire::IssuedCredential::User(held_right(held))
}

pub(super) fn issued_user(issued: &IssuedUser) -> credential_wire::IssuedCredential {
    let session_key = issued.session_key.expose_text().to_owned();
    let opened = credential_wire::OpenedSession {
        secret: session_key.clone(),
        session_key,
        password: issued.password.expose_text().to_owned(),
        session_expires_at: issued.session.expires_at.to_rfc3339_ms(),
    };
    let user = credential_wire::UserCredential { opened: Some(opened), ..held_right(&issued.held) };
    credential_wire::IssuedCredential::User(user)
}

/// A random text begins with its prefix, so one of digits alone is a number.
fn user_id(public_id: &str) -> credential_wire::UserId {
    let number = Some(public_id).filter(|id| IdForm::Number.fits(id)).and_then(|id| id.parse().ok());
    number
        .map_or_else(|| credential_wire::UserId::Text(public_id.to_owned()), credential_wire::UserId::Number)
}

pub(super) fn operator_key(shown: &ShownOperatorKey, secret: Option<&Secret>) -> wire::OperatorKey {
    let ShownOperatorKey { key, workspace } = shown;
    wire::OperatorKey {
        id: key.id.to_public(),
        secret: secret.map(|secret| secret.expose_text().to_owned()),
        name: key.name.clone(),
        scopes: key.scopes.iter().map(|scope| scope.name()).collect(),
        workspace: workspace.clone(),
        preview: key.preview.clone(),
        rate_limit_per_s: key.rate.map(|rate| rate.per_s),
        created_at: key.created_at.to_rfc3339_ms(),
        expires_at: key.expires_at.map(|end| end.to_rfc3339_ms()),
        successor: key.successor.map(OperatorKeyId::to_public),
    }
}

pub(super) fn issued_operator_key(issued: &IssuedOperatorKey) -> wire::OperatorKey {
    operator_key(&issued.shown, Some(&issued.secret))
}

pub(super) fn rotated_operator_key(rotated: &RotatedOperatorKey) -> wire::RotatedOperatorKey {
    wire::RotatedOperatorKey {
        key: issued_operator_key(&rotated.next),
        previous_expires_at: rotated.previous_expires_at.to_rfc3339_ms(),
    }
}

pub(super) fn receipt(receipt: Receipt) -> wire::Receipt {
    wire::Receipt { id: receipt.id, sequence: receipt.sequence.0, deliveries: receipt.deliveries }
}

/// `Internal` when what is stored is no longer JSON.
pub(super) fn event(event: &Event, ids: EventIdRule) -> Result<wire::Event<'_>, Error> {
    let content = &event.content;
    let producer_id = content.producer_id.as_deref();
    let attributes: Result<_, serde_json::Error> = content
        .attributes
        .iter()
        .map(|(name, raw)| Ok((name.clone(), serde_json::from_str::<&RawValue>(raw)?)))
        .collect();
    let data: &[u8] = if event.payload_removed_at.is_none() { &content.data } else { b"null" };
    Ok(wire::Event {
        id: ids.public_id(event.id, producer_id),
        label: ids.label(producer_id),
        sequence: event.sequence.0,
        r#type: &content.event_type,
        subject: content.subject.as_deref(),
        ordering_key: content.ordering_key.as_deref(),
        time: content.time.to_rfc3339_ms(),
        accepted_at: event.accepted_at.to_rfc3339_ms(),
        attributes: wire::Pairs(attributes.map_err(Error::internal)?),
        data: serde_json::from_slice(data).map_err(Error::internal)?,
        payload_removed_at: event.payload_removed_at.map(|at| at.to_rfc3339_ms()),
        deliveries: event.targets.len(),
    })
}

/// How the webhooks of a workspace are shown at one moment.
pub(super) struct Shown<'a> {
    view: &'a View,
    now: Timestamp,
    /// Those that its webhooks may refer to.
    signing_keys: Vec<SigningKey>,
}

impl<'a> Shown<'a> {
    /// Where webhooks have secrets of their own.
    pub(super) fn by(view: &'a View, now: Timestamp) -> Self {
        Self { view, now, signing_keys: Vec::new() }
    }

    /// In any dialect. Keys are read after the webhooks that are to be shown: one that is gone by now is shown by none.
    pub(super) async fn in_any_dialect(view: &'a View, engine: &Engine) -> Result<Self, Error> {
        let signing_keys = match view.profile.signing {
            SigningRule::OwnSecret => Vec::new(),
            SigningRule::SharedKeys { .. } => engine.list_signing_keys(view.workspace.id).await?,
        };
        Ok(Self { signing_keys, ..Self::by(view, engine.now()) })
    }

    pub(super) fn webhook(&self, webhook: Webhook, secret: Option<&Secret>) -> webhook_wire::Webhook {
        let disabled = match webhook.state {
            WebhookState::Active => None,
            WebhookState::Disabled { at, reason } => Some((at, reason)),
        };
        webhook_wire::Webhook {
            id: webhook.public_id,
            secret: secret.map(|secret| secret.expose_text().to_owned()),
            previous_secrets: previous_secrets(&webhook.previous_secrets, self.now),
            url: webhook.url,
            events: match webhook.events {
                EventSelection::All => vec![ALL_EVENTS.to_owned()],
                EventSelection::Only(types) => types,
            },
            subject: webhook.subject,
            filter: webhook.filter,
            name: webhook.name,
            headers: masked(webhook.headers),
            signing_key: webhook.signing_key.and_then(|key| self.signing_key(key)),
            basic_auth: basic_auth(webhook.login),
            metadata: wire::Pairs(webhook.metadata),
            in_force: self.in_force(&webhook.patience),
            retry_schedule_s: webhook.patience.retry.map(|retry| retry.as_seconds()),
            timeout_ms: webhook.patience.timeout.map(millis),
            max_in_flight: webhook.ceilings.in_flight.map(MaxInFlight::get),
            rate_per_second: webhook.ceilings.rate.map(Rate::requests_per_second),
            ordered: webhook.order.by_key,
            on_exhausted: webhook.order.on_exhausted.name(),
            status: if disabled.is_none() { "active" } else { "disabled" },
            disabled_at: disabled.map(|(at, _)| at.to_rfc3339_ms()),
            disabled_reason: disabled.map(|(_, reason)| reason.name()),
            consecutive_failures: webhook.health.consecutive_failures,
            health: health(&webhook.health),
            concurrency: webhook.concurrency,
            created_at: webhook.created_at.to_rfc3339_ms(),
            updated_at: webhook.updated_at.to_rfc3339_ms(),
        }
    }

    fn signing_key(&self, id: SigningKeyId) -> Option<String> {
        let found = self.signing_keys.binary_search_by_key(&id, |key| key.id).ok()?;
        Some(self.signing_keys[found].public_id.clone())
    }

    fn in_force(&self, own: &Patience) -> webhook_wire::Patience {
        let base = &self.view.profile.delivery.policy;
        let policy = base.with(&self.view.workspace.policy).with_patience(own);
        webhook_wire::Patience {
            retry_schedule_s: policy.retry.as_seconds(),
            timeout_ms: millis(policy.timeout),
        }
    }
}

fn health(health: &Health) -> webhook_wire::Health {
    let shown = |at: Timestamp| at.to_rfc3339_ms();
    webhook_wire::Health {
        state: health.standing().name(),
        failing_since: health.failing_since.map(shown),
        paused_since: health.hold.map(|hold| shown(hold.since)),
        failed_probes: health.hold.map(|hold| hold.probes),
        next_probe_at: health.hold.map(|hold| shown(hold.probe_at)),
    }
}

/// Those that still sign, newest first.
fn previous_secrets(previous: &[PreviousSecret], now: Timestamp) -> Vec<webhook_wire::PreviousSecret> {
    let living = previous.iter().filter(|secret| secret.expires_at > now);
    living
        .map(|secret| webhook_wire::PreviousSecret { expires_at: secret.expires_at.to_rfc3339_ms() })
        .collect()
}

/// One with both parts: only such a login is sent.
fn basic_auth(login: Login) -> Option<webhook_wire::BasicAuth> {
    let Login { user: Some(username), password: Some(_) } = login else { return None };
    Some(webhook_wire::BasicAuth { username })
}

fn masked(headers: Vec<CustomHeader>) -> wire::Pairs<&'static str> {
    wire::Pairs(headers.into_iter().map(|header| (header.name, MASKED)).collect())
}

/// Within the bounds of a policy, far below 2^64.
fn millis(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn delivery(view: &View, summary: DeliverySummary) -> wire::Delivery {
    let (ids, producer_id) = (view.profile.event_id, summary.producer_id.as_deref());
    let (next_at, ended_at, reason) = match summary.state {
        DeliveryState::Pending { next_at } => (Some(next_at), None, None),
        DeliveryState::Delivered { at } | DeliveryState::Failed { at } => (None, Some(at), None),
        DeliveryState::Dropped { at, reason } => (None, Some(at), Some(reason.name())),
    };
    wire::Delivery {
        id: summary.id.to_public(),
        workspace: view.workspace.public_id.clone(),
        event: ids.public_id(summary.id.event, producer_id),
        event_label: ids.label(producer_id).map(str::to_owned),
        event_type: summary.event_type,
        webhook: summary.webhook,
        status: summary.state.status().name(),
        created_at: summary.created_at.to_rfc3339_ms(),
        next_attempt_at: next_at.map(|at| at.to_rfc3339_ms()),
        ended_at: ended_at.map(|at| at.to_rfc3339_ms()),
        dropped_reason: reason,
        attempt_count: summary.attempts,
        last_outcome: summary.last_outcome.map(Outcome::name),
    }
}

pub(super) fn delivery_with_history(view: &View, record: DeliveryRecord) -> wire::DeliveryWithHistory {
    let attempts = record.steps.into_iter().map(step).collect();
    wire::DeliveryWithHistory { delivery: delivery(view, record.summary), attempts }
}

fn step(step: Step) -> wire::Step {
    match step {
        Step::Attempted(made) => wire::Step::Attempt(attempt(made)),
        Step::Requeued { number, at, .. } => {
            wire::Step::Requeue { number, at: at.to_rfc3339_ms(), outcome: "requeued" }
        }
    }
}

fn attempt(attempt: Attempt) -> wire::Attempt {
    let next_at = attempt.verdict.next_at().map(Timestamp::to_rfc3339_ms);
    wire::Attempt {
        number: attempt.number,
        at: attempt.at.to_rfc3339_ms(),
        outcome: attempt.outcome.name(),
        http_status: attempt.outcome.status(),
        error: (!attempt.outcome.is_success()).then(|| attempt.outcome.name()),
        message: Some(attempt.detail).filter(|detail| !detail.is_empty()),
        next_attempt_at: next_at,
        timing_ms: timing(attempt.timing),
        request_headers: wire::Pairs(attempt.request_headers),
        response_body: String::from_utf8_lossy(&attempt.answer).into_owned(),
    }
}

fn timing(timing: Timing) -> wire::Timing {
    // Exact below 2^53 microseconds, that is 285 years.
    let ms = |us: u64| us as f64 / 1_000.0;
    wire::Timing {
        dns: ms(timing.dns_us),
        connect: ms(timing.connect_us),
        tls: ms(timing.tls_us),
        first_byte: ms(timing.first_byte_us),
        total: ms(timing.total_us),
    }
}
