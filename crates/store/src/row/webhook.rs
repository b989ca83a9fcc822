//! Webhooks, also those of which a tombstone is left.

use signalpost_core::basic_auth::Login;
use signalpost_core::ceilings::{Ceilings, MaxInFlight};
use signalpost_core::custom_header::CustomHeader;
use signalpost_core::event::Sequence;
use signalpost_core::health::{Health, Hold};
use signalpost_core::id::{SigningKeyId, WebhookId, WorkspaceId};
use signalpost_core::order::{OnExhausted, OrderRule};
use signalpost_core::pace::Rate;
use signalpost_core::policy::Patience;
use signalpost_core::principal::Principal;
use signalpost_core::rotation::{PreviousSecret, first_expiry};
use signalpost_core::secret::SealedSecret;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::{DisableReason, EventSelection, Remembered, Tombstone, Webhook, WebhookState};

use super::policy::{optional_schedule, optional_timeout, timeout_column, write_schedule};
use super::{Field, Fields, Row};
use crate::pack::{pack_pairs, pack_texts, unpack_pairs, unpack_texts};
use crate::pack_sealed::{pack_headers, pack_secrets, unpack_headers, unpack_secrets};

#[macro_export]
macro_rules! webhook_columns {
    () => {
        "h.id, h.workspace, h.public_id, h.name, h.url, h.events, h.subject, h.filter, h.disabled_at, \
         h.disable_reason, h.retry_schedule, h.timeout_ms, h.headers, h.secret, h.previous_secrets, \
         h.consecutive_failures, h.created_at, h.updated_at, h.created_after, h.settled_after, h.login_user, \
         h.login_password, \
         (SELECT k.id FROM signing_key k WHERE k.id = h.signing_key AND k.deleted_at IS NULL), h.metadata, h.max_in_flight, h.rate_per_s, h.concurrency, \
         h.ordered, h.on_exhausted, h.failing_since, h.held_since, h.probes, h.probe_at"
    };
}
pub use webhook_columns;

pub fn webhook(row: &Row<'_>) -> Field<Webhook> {
    webhook_of(&mut Fields::new(row, "webhook", 1))
}

/// The columns of [`webhook`], then `deleted_at` and `deleted_by`.
pub fn remembered(row: &Row<'_>) -> Field<Remembered> {
    let mut fields = Fields::new(row, "webhook", 1);
    let webhook = webhook_of(&mut fields)?;
    let Some(deleted_at) = fields.optional_time("deleted_at")? else {
        return Ok(Remembered::Living(Box::new(webhook)));
    };
    let Webhook { id, workspace, public_id, created_after, settled_after, .. } = webhook;
    let deleted_by = fields.optional_text("deleted_by")?.map(|text| {
        Principal::from_text(text)
            .ok_or_else(|| fields.corrupt("deleted_by", format!("{text:?} names nobody")))
    });
    let deleted_by = deleted_by.transpose()?;
    Ok(Remembered::Deleted(Tombstone {
        id,
        workspace,
        public_id,
        created_after,
        settled_after,
        deleted_at,
        deleted_by,
    }))
}

fn webhook_of(fields: &mut Fields<'_>) -> Field<Webhook> {
    let mut webhook = Webhook {
        id: WebhookId::from_raw(fields.id("id")?),
        workspace: WorkspaceId::from_raw(fields.id("workspace")?),
        public_id: fields.text("public_id")?.to_owned(),
        name: fields.optional_text("name")?.map(str::to_owned),
        url: fields.text("url")?.to_owned(),
        events: selection(fields)?,
        subject: fields.optional_text("subject")?.map(str::to_owned),
        filter: fields.optional_text("filter")?.map(str::to_owned),
        state: webhook_state(fields)?,
        patience: Patience { retry: optional_schedule(fields)?, timeout: optional_timeout(fields)? },
        ceilings: Ceilings::default(),
        order: OrderRule::default(),
        headers: headers(fields)?,
        login: Login::none(),
        secret: optional_sealed(fields, "secret")?,
        previous_secrets: previous_secrets(fields)?,
        signing_key: None,
        metadata: Vec::new(),
        health: Health { consecutive_failures: fields.count("consecutive_failures")?, ..Health::default() },
        concurrency: None,
        created_at: fields.time("created_at")?,
        updated_at: fields.time("updated_at")?,
        created_after: Sequence(fields.integer("created_after")?),
        settled_after: Sequence(fields.integer("settled_after")?),
    };
    webhook.login.user = fields.optional_text("login_user")?.map(str::to_owned);
    webhook.login.password = optional_sealed(fields, "login_password")?;
    webhook.signing_key = fields.optional_id("signing_key")?.map(SigningKeyId::from_raw);
    webhook.metadata = metadata(fields)?;
    webhook.ceilings = ceilings(fields)?;
    webhook.concurrency = fields.optional_count("concurrency")?;
    webhook.order = order(fields)?;
    webhook.health.failing_since = fields.optional_time("failing_since")?;
    webhook.health.hold = hold(fields)?;
    Ok(webhook)
}

fn hold(fields: &mut Fields<'_>) -> Field<Option<Hold>> {
    let since = fields.optional_time("held_since")?;
    let probes = fields.optional_count("probes")?;
    let probe_at = fields.optional_time("probe_at")?;
    match (since, probes, probe_at) {
        (None, None, None) => Ok(None),
        (Some(since), Some(probes), Some(probe_at)) => Ok(Some(Hold { since, probes, probe_at })),
        _ => Err(fields.corrupt("held_since", "a pause must stand with its probes".to_owned())),
    }
}

/// A webhook's health as it is stored.
pub struct HealthColumns {
    pub failures: i64,
    pub failing_since: Option<i64>,
    pub held_since: Option<i64>,
    pub probes: Option<i64>,
    pub probe_at: Option<i64>,
}

impl HealthColumns {
    pub fn of(health: &Health) -> Self {
        Self {
            failures: i64::from(health.consecutive_failures),
            failing_since: health.failing_since.map(Timestamp::as_ms),
            held_since: health.hold.map(|hold| hold.since.as_ms()),
            probes: health.hold.map(|hold| i64::from(hold.probes)),
            probe_at: health.hold.map(|hold| hold.probe_at.as_ms()),
        }
    }
}

fn ceilings(fields: &mut Fields<'_>) -> Field<Ceilings> {
    let in_flight = fields.optional_count("max_in_flight")?.map(MaxInFlight::new).transpose();
    let in_flight = in_flight.map_err(|problem| fields.corrupt("max_in_flight", problem))?;
    let rate = fields.optional_count("rate_per_s")?.map(Rate::per_second).transpose();
    let rate = rate.map_err(|problem| fields.corrupt("rate_per_s", problem))?;
    Ok(Ceilings { in_flight, rate })
}

fn order(fields: &mut Fields<'_>) -> Field<OrderRule> {
    let by_key = match fields.integer("ordered")? {
        0 => false,
        1 => true,
        other => return Err(fields.corrupt("ordered", format!("{other} is neither 0 nor 1"))),
    };
    let on_exhausted = OnExhausted::from_name(fields.text("on_exhausted")?);
    let on_exhausted = on_exhausted.map_err(|problem| fields.corrupt("on_exhausted", problem))?;
    Ok(OrderRule { by_key, on_exhausted })
}

fn optional_sealed(fields: &mut Fields<'_>, column: &'static str) -> Field<Option<SealedSecret>> {
    Ok(fields.optional_blob(column)?.map(|bytes| SealedSecret::from_bytes(bytes.to_vec())))
}

fn metadata(fields: &mut Fields<'_>) -> Field<Vec<(String, String)>> {
    let Some(blob) = fields.optional_blob("metadata")? else { return Ok(Vec::new()) };
    unpack_pairs(blob).map_err(|problem| fields.corrupt("metadata", problem))
}

fn selection(fields: &mut Fields<'_>) -> Field<EventSelection> {
    let Some(blob) = fields.optional_blob("events")? else { return Ok(EventSelection::All) };
    let types = unpack_texts(blob).map_err(|problem| fields.corrupt("events", problem))?;
    Ok(EventSelection::Only(types))
}

fn headers(fields: &mut Fields<'_>) -> Field<Vec<CustomHeader>> {
    let Some(blob) = fields.optional_blob("headers")? else { return Ok(Vec::new()) };
    unpack_headers(blob).map_err(|problem| fields.corrupt("headers", problem))
}

fn previous_secrets(fields: &mut Fields<'_>) -> Field<Vec<PreviousSecret>> {
    let Some(blob) = fields.optional_blob("previous_secrets")? else { return Ok(Vec::new()) };
    unpack_secrets(blob).map_err(|problem| fields.corrupt("previous_secrets", problem))
}

fn webhook_state(fields: &mut Fields<'_>) -> Field<WebhookState> {
    let at = fields.optional_time("disabled_at")?;
    let reason = fields.optional_text("disable_reason")?;
    let (Some(at), Some(name)) = (at, reason) else {
        if at.is_none() && reason.is_none() {
            return Ok(WebhookState::Active);
        }
        return Err(fields.corrupt("disabled_at", "a time and a reason must stand together".to_owned()));
    };
    let reason = DisableReason::from_name(name)
        .ok_or_else(|| fields.corrupt("disable_reason", format!("unknown reason {name:?}")))?;
    Ok(WebhookState::Disabled { at, reason })
}

/// What may change of a webhook, as it is stored.
pub struct WebhookColumns<'w> {
    pub name: Option<&'w str>,
    pub url: &'w str,
    pub events: Option<Vec<u8>>,
    pub subject: Option<&'w str>,
    pub filter: Option<&'w str>,
    pub disabled_at: Option<i64>,
    pub disable_reason: Option<&'static str>,
    pub retry_schedule: Option<String>,
    pub timeout_ms: Option<i64>,
    pub headers: Option<Vec<u8>>,
    pub secret: Option<&'w [u8]>,
    pub previous_secrets: Option<Vec<u8>>,
    /// When the first of the previous secrets is to be wiped.
    pub secret_expires_at: Option<i64>,
    pub updated_at: i64,
    pub login_user: Option<&'w str>,
    pub login_password: Option<&'w [u8]>,
    pub signing_key: Option<i64>,
    pub metadata: Option<Vec<u8>>,
    pub max_in_flight: Option<i64>,
    pub rate_per_s: Option<i64>,
    pub concurrency: Option<i64>,
    pub ordered: i64,
    pub on_exhausted: &'static str,
    pub health: HealthColumns,
}

impl<'w> WebhookColumns<'w> {
    pub fn of(webhook: &'w Webhook) -> Self {
        let (disabled_at, disable_reason) = disabled_columns(webhook.state);
        let Webhook { patience, ceilings, order, login, .. } = webhook;
        Self {
            name: webhook.name.as_deref(),
            url: &webhook.url,
            events: events_column(&webhook.events),
            subject: webhook.subject.as_deref(),
            filter: webhook.filter.as_deref(),
            disabled_at,
            disable_reason,
            retry_schedule: patience.retry.as_ref().map(write_schedule),
            timeout_ms: timeout_column(patience.timeout),
            headers: pack_headers(&webhook.headers),
            secret: webhook.secret.as_ref().map(SealedSecret::as_bytes),
            previous_secrets: pack_secrets(&webhook.previous_secrets),
            secret_expires_at: first_expiry(&webhook.previous_secrets).map(Timestamp::as_ms),
            updated_at: webhook.updated_at.as_ms(),
            login_user: login.user.as_deref(),
            login_password: login.password.as_ref().map(SealedSecret::as_bytes),
            signing_key: signing_key_column(webhook),
            metadata: metadata_column(&webhook.metadata),
            max_in_flight: ceilings.in_flight.map(MaxInFlight::get).map(i64::from),
            rate_per_s: ceilings.rate.map(Rate::requests_per_second).map(i64::from),
            concurrency: webhook.concurrency.map(i64::from),
            ordered: i64::from(order.by_key),
            on_exhausted: order.on_exhausted.name(),
            health: HealthColumns::of(&webhook.health),
        }
    }
}

/// `disabled_at` and `disable_reason`.
fn disabled_columns(state: WebhookState) -> (Option<i64>, Option<&'static str>) {
    match state {
        WebhookState::Active => (None, None),
        WebhookState::Disabled { at, reason } => (Some(at.as_ms()), Some(reason.name())),
    }
}

fn events_column(events: &EventSelection) -> Option<Vec<u8>> {
    match events {
        EventSelection::All => None,
        EventSelection::Only(types) => Some(pack_texts(types)),
    }
}

/// One that is not signed is told from one that has lost its secret.
fn signing_key_column(webhook: &Webhook) -> Option<i64> {
    match webhook.signing_key {
        Some(key) => Some(key.raw()),
        None if webhook.secret.is_none() => Some(0),
        None => None,
    }
}

fn metadata_column(metadata: &[(String, String)]) -> Option<Vec<u8>> {
    (!metadata.is_empty()).then(|| pack_pairs(metadata))
}
