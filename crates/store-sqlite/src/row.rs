//! From rows to domain values, checked: a value that we cannot have written is `Corrupt`, with its place.

mod fields;
mod users;

use std::time::Duration;

use bytes::Bytes;
use rusqlite::Row;
use signalpost_core::basic_auth::Login;
use signalpost_core::credential::Credential;
use signalpost_core::custom_header::CustomHeader;
use signalpost_core::delivery::{Cut, CutReason};
use signalpost_core::event::{Event, EventContent, Sequence};
use signalpost_core::id::{CredentialId, EventId, OperatorKeyId, SigningKeyId, WebhookId, WorkspaceId};
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::policy::{Patience, PolicyOverrides, RetrySchedule};
use signalpost_core::principal::Principal;
use signalpost_core::profile::FeedRule;
use signalpost_core::rate::RateLimit;
use signalpost_core::retention::{RetentionDefault, RetentionOverrides};
use signalpost_core::rotation::PreviousSecret;
use signalpost_core::scope::Scope;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::webhook::{DisableReason, EventSelection, Remembered, Tombstone, Webhook, WebhookState};
use signalpost_core::workspace::Workspace;

use crate::pack::{unpack_ids, unpack_pairs, unpack_texts};
use crate::pack_sealed::{unpack_headers, unpack_secrets};

pub(crate) use self::fields::{Field, Fields};
pub(crate) use self::users::{
    held_right, right, right_columns, user, user_columns, user_with_password, user_with_session,
};

macro_rules! workspace_columns {
    () => {
        "w.id, w.public_id, w.dialect, w.name, w.features, w.retry_schedule, w.timeout_ms, w.event_age_s, \
         w.payload_age_s, w.bytes_max, w.feed, w.for_ever, w.created_at"
    };
}
pub(crate) use workspace_columns;

pub(crate) fn workspace(row: &Row<'_>) -> Field<Workspace> {
    let mut fields = Fields::new(row, "workspace", 1);
    Ok(Workspace {
        id: WorkspaceId::from_raw(fields.id("id")?),
        public_id: fields.text("public_id")?.to_owned(),
        dialect: fields.text("dialect")?.to_owned(),
        name: fields.text("name")?.to_owned(),
        features: texts(&mut fields, "features")?,
        policy: policy(&mut fields)?,
        feed: feed_rule(&mut fields)?,
        retention: retention_default(&mut fields)?,
        created_at: fields.time("created_at")?,
    })
}

/// The next column as whether there is a feed.
pub(crate) fn feed_rule(fields: &mut Fields<'_>) -> Field<FeedRule> {
    match fields.integer("feed")? {
        0 => Ok(FeedRule::Absent),
        1 => Ok(FeedRule::Kept),
        other => Err(fields.corrupt("feed", format!("{other} is neither 0 nor 1"))),
    }
}

/// The next column as what is kept by default.
pub(crate) fn retention_default(fields: &mut Fields<'_>) -> Field<RetentionDefault> {
    match fields.integer("for_ever")? {
        0 => Ok(RetentionDefault::Server),
        1 => Ok(RetentionDefault::ForEver),
        other => Err(fields.corrupt("for_ever", format!("{other} is neither 0 nor 1"))),
    }
}

fn policy(fields: &mut Fields<'_>) -> Field<PolicyOverrides> {
    let (retry, timeout) = (optional_schedule(fields)?, optional_timeout(fields)?);
    Ok(PolicyOverrides { retry, timeout, retention: retention(fields)? })
}

fn optional_schedule(fields: &mut Fields<'_>) -> Field<Option<RetrySchedule>> {
    let Some(text) = fields.optional_text("retry_schedule")? else { return Ok(None) };
    parse_schedule(text).map(Some).map_err(|problem| fields.corrupt("retry_schedule", problem))
}

fn optional_timeout(fields: &mut Fields<'_>) -> Field<Option<Duration>> {
    Ok(fields.optional_count("timeout_ms")?.map(Duration::from_millis))
}

/// The next three columns as a workspace's own rules of retention.
pub(crate) fn retention(fields: &mut Fields<'_>) -> Field<RetentionOverrides> {
    Ok(RetentionOverrides {
        event_age_max: fields.optional_count("event_age_s")?.map(Duration::from_secs),
        payload_age_max: fields.optional_count("payload_age_s")?.map(Duration::from_secs),
        bytes_max: fields.optional_count("bytes_max")?,
    })
}

/// Seconds with commas between them.
pub(crate) fn write_schedule(schedule: &RetrySchedule) -> String {
    schedule.as_seconds().iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

fn parse_schedule(text: &str) -> Result<RetrySchedule, String> {
    let parse = |delay: &str| delay.parse::<u64>().map_err(|error| format!("{delay:?}: {error}"));
    let delays = text.split(',').filter(|delay| !delay.is_empty()).map(parse);
    RetrySchedule::from_seconds(&delays.collect::<Result<Vec<_>, String>>()?)
}

macro_rules! webhook_columns {
    () => {
        "h.id, h.workspace, h.public_id, h.name, h.url, h.events, h.subject, h.filter, h.disabled_at, \
         h.disable_reason, h.retry_schedule, h.timeout_ms, h.headers, h.secret, h.previous_secrets, \
         h.consecutive_failures, h.created_at, h.updated_at, h.created_after, h.settled_after, h.login_user, \
         h.login_password, \
         (SELECT k.id FROM signing_key k WHERE k.id = h.signing_key AND k.deleted_at IS NULL), h.metadata"
    };
}
pub(crate) use webhook_columns;

pub(crate) fn webhook(row: &Row<'_>) -> Field<Webhook> {
    webhook_of(&mut Fields::new(row, "webhook", 1))
}

/// The columns of [`webhook`], then `deleted_at` and `deleted_by`.
pub(crate) fn remembered(row: &Row<'_>) -> Field<Remembered> {
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
        headers: headers(fields)?,
        login: Login::none(),
        secret: optional_sealed(fields, "secret")?,
        previous_secrets: previous_secrets(fields)?,
        signing_key: None,
        metadata: Vec::new(),
        consecutive_failures: fields.count("consecutive_failures")?,
        created_at: fields.time("created_at")?,
        updated_at: fields.time("updated_at")?,
        created_after: Sequence(fields.integer("created_after")?),
        settled_after: Sequence(fields.integer("settled_after")?),
    };
    webhook.login.user = fields.optional_text("login_user")?.map(str::to_owned);
    webhook.login.password = optional_sealed(fields, "login_password")?;
    webhook.signing_key = fields.optional_id("signing_key")?.map(SigningKeyId::from_raw);
    webhook.metadata = metadata(fields)?;
    Ok(webhook)
}

fn optional_sealed(fields: &mut Fields<'_>, column: &'static str) -> Field<Option<SealedSecret>> {
    Ok(fields.optional_blob(column)?.map(|bytes| SealedSecret::from_bytes(bytes.to_vec())))
}

fn metadata(fields: &mut Fields<'_>) -> Field<Vec<(String, String)>> {
    let Some(blob) = fields.optional_blob("metadata")? else { return Ok(Vec::new()) };
    unpack_pairs(blob).map_err(|problem| fields.corrupt("metadata", problem))
}

macro_rules! signing_key_columns {
    () => {
        "id, workspace, public_id, sealed, created_at, updated_at"
    };
}
pub(crate) use signing_key_columns;

pub(crate) fn signing_key(row: &Row<'_>) -> Field<SigningKey> {
    let mut fields = Fields::new(row, "signing_key", 1);
    Ok(SigningKey {
        id: SigningKeyId::from_raw(fields.id("id")?),
        workspace: WorkspaceId::from_raw(fields.id("workspace")?),
        public_id: fields.text("public_id")?.to_owned(),
        sealed: SealedSecret::from_bytes(fields.blob("sealed")?.to_vec()),
        created_at: fields.time("created_at")?,
        updated_at: fields.time("updated_at")?,
    })
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

/// Columns of `cut`: webhook, n, upto, at, reason.
pub(crate) fn cut(row: &Row<'_>) -> Field<Cut> {
    let mut fields = Fields::new(row, "cut", 2);
    fields.skip();
    fields.skip();
    let upto = Sequence(fields.integer("upto")?);
    let at = fields.time("at")?;
    let name = fields.text("reason")?;
    let reason = CutReason::from_name(name)
        .ok_or_else(|| fields.corrupt("reason", format!("unknown reason {name:?}")))?;
    Ok(Cut { upto, at, reason })
}

macro_rules! credential_columns {
    () => {
        "id, workspace, name, scopes, preview, created_at, expires_at"
    };
}
pub(crate) use credential_columns;

pub(crate) fn credential(row: &Row<'_>) -> Field<Credential> {
    let mut fields = Fields::new(row, "credential", 1);
    Ok(Credential {
        id: CredentialId::from_raw(fields.id("id")?),
        workspace: WorkspaceId::from_raw(fields.id("workspace")?),
        name: fields.optional_text("name")?.map(str::to_owned),
        scopes: texts(&mut fields, "scopes")?,
        preview: fields.text("preview")?.to_owned(),
        created_at: fields.time("created_at")?,
        expires_at: fields.optional_time("expires_at")?,
    })
}

macro_rules! operator_key_columns {
    () => {
        "id, workspace, name, scopes, rate_per_s, rate_burst, preview, created_at, expires_at, successor"
    };
}
pub(crate) use operator_key_columns;

pub(crate) fn operator_key(row: &Row<'_>) -> Field<OperatorKey> {
    let mut fields = Fields::new(row, "operator_key", 1);
    Ok(OperatorKey {
        id: OperatorKeyId::from_raw(fields.id("id")?),
        workspace: fields.optional_id("workspace")?.map(WorkspaceId::from_raw),
        name: fields.optional_text("name")?.map(str::to_owned),
        scopes: scopes(&mut fields)?,
        rate: rate(&mut fields)?,
        preview: fields.text("preview")?.to_owned(),
        created_at: fields.time("created_at")?,
        expires_at: fields.optional_time("expires_at")?,
        successor: fields.optional_id("successor")?.map(OperatorKeyId::from_raw),
    })
}

fn scopes(fields: &mut Fields<'_>) -> Field<Vec<Scope>> {
    let names = texts(fields, "scopes")?;
    let scope = |name: &String| {
        Scope::from_name(name).ok_or_else(|| fields.corrupt("scopes", format!("unknown scope {name:?}")))
    };
    names.iter().map(scope).collect()
}

fn rate(fields: &mut Fields<'_>) -> Field<Option<RateLimit>> {
    let per_s = fields.optional("rate_per_s", Fields::count)?;
    let burst = fields.optional("rate_burst", Fields::count)?;
    match (per_s, burst) {
        (None, None) => Ok(None),
        (Some(per_s), Some(burst)) => Ok(Some(RateLimit { per_s, burst })),
        _ => Err(fields.corrupt("rate_burst", "a rate and a burst must stand together".to_owned())),
    }
}

macro_rules! event_columns {
    () => {
        "m.id, m.workspace, m.sequence, m.accepted_at, m.time, m.type, m.subject, m.producer_id, m.targets, \
         m.attributes, m.data, m.payload_removed_at"
    };
}
pub(crate) use event_columns;

pub(crate) fn event(row: &Row<'_>) -> Field<Event> {
    let mut fields = Fields::new(row, "message", 1);
    let id = EventId::from_raw(fields.id("id")?);
    let workspace = WorkspaceId::from_raw(fields.id("workspace")?);
    let sequence = Sequence(fields.integer("sequence")?);
    let accepted_at = fields.time("accepted_at")?;
    let time = fields.time("time")?;
    let event_type = fields.text("type")?.to_owned();
    let subject = fields.optional_text("subject")?.map(str::to_owned);
    let producer_id = fields.optional_text("producer_id")?.map(str::to_owned);
    let targets = targets(&mut fields)?;
    let attributes = match fields.optional_blob("attributes")? {
        None => Vec::new(),
        Some(blob) => unpack_pairs(blob).map_err(|problem| fields.corrupt("attributes", problem))?,
    };
    let data = Bytes::copy_from_slice(fields.blob("data")?);
    let payload_removed_at = fields.optional_time("payload_removed_at")?;
    let content = EventContent { producer_id, event_type, subject, time, attributes, data };
    Ok(Event { id, workspace, sequence, content, targets, accepted_at, payload_removed_at })
}

/// The next column as the webhooks that an event was accepted for.
pub(crate) fn targets(fields: &mut Fields<'_>) -> Field<Vec<WebhookId>> {
    let blob = fields.blob("targets")?;
    let ids: Vec<i64> = unpack_ids(blob).map_err(|problem| fields.corrupt("targets", problem))?.collect();
    match ids.iter().find(|id| **id < 0) {
        Some(id) => Err(fields.corrupt("targets", format!("{id} is no id"))),
        None => Ok(ids.into_iter().map(WebhookId::from_raw).collect()),
    }
}

fn texts(fields: &mut Fields<'_>, column: &'static str) -> Field<Vec<String>> {
    let blob = fields.blob(column)?;
    unpack_texts(blob).map_err(|problem| fields.corrupt(column, problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use signalpost_core::time::Timestamp;
    use signalpost_store::StoreError;

    fn with_row<T>(select: &str, read: impl FnOnce(&Row<'_>) -> T) -> T {
        let connection = Connection::open_in_memory().expect("memory");
        let mut statement = connection.prepare(select).expect("a good select");
        let mut rows = statement.query([]).expect("rows");
        read(rows.next().expect("no error").expect("one row"))
    }

    /// A row that is wrong in one column at a time is refused with that column's name and the row's key.
    #[test]
    fn a_wrong_value_is_corrupt_with_its_place() {
        let table = [
            ("SELECT 7, 'x', 2, 3, 'webhook_deleted'", "upto"),
            ("SELECT 7, 1, 2, NULL, 'webhook_deleted'", "at"),
            ("SELECT 7, 1, 2, 3, 'because'", "reason"),
            ("SELECT 7, 1, 2, 3, CAST(x'ff' AS TEXT)", "reason"),
            ("SELECT 7, 1, 2, 3, 4.5", "reason"),
        ];
        for (select, wrong) in table {
            let select = select.replace("'x', 2,", "1, 'x',");
            match with_row(&select, cut) {
                Err(StoreError::Corrupt { table: "cut", column, key, .. }) => {
                    assert_eq!((column, key.as_str()), (wrong, "7/1"), "{select}");
                }
                other => panic!("{select}: {other:?}"),
            }
        }
        let good = with_row("SELECT 7, 1, 2, 3, 'webhook_deleted'", cut).expect("good");
        assert_eq!(good, Cut { upto: Sequence(2), at: Timestamp::from_ms(3), reason: CutReason::Deleted });
    }

    /// Public forms are made of positive numbers only, so one that is none must not come so far.
    #[test]
    fn no_id_is_negative_wherever_it_stands() {
        let key = |workspace: i64, successor: i64| {
            let columns = "NULL, x'010472656164', NULL, NULL, 'spo_8f2a', 5, NULL";
            with_row(&format!("SELECT 7, {workspace}, {columns}, {successor}"), operator_key)
        };
        assert_eq!(key(1, 8).expect("good").successor, Some(OperatorKeyId::from_raw(8)));
        for (workspace, successor, wrong) in [(-1, 8, "workspace"), (1, -8, "successor")] {
            match key(workspace, successor) {
                Err(StoreError::Corrupt { table: "operator_key", column, .. }) => assert_eq!(column, wrong),
                other => panic!("{wrong}: {other:?}"),
            }
        }
    }

    #[test]
    fn schedules_return_as_they_were_written() {
        for seconds in [&[][..], &[0], &[5, 0, 86_400]] {
            let schedule = RetrySchedule::from_seconds(seconds).expect("in bounds");
            assert_eq!(parse_schedule(&write_schedule(&schedule)), Ok(schedule));
        }
        for bad in ["x", "1,-2", "86401", "1 2"] {
            assert!(parse_schedule(bad).is_err(), "{bad}");
        }
    }
}
