//! From rows to domain values, checked: a value that we cannot have written is `Corrupt`, with its place.

mod brief;
mod candidate;
mod desk;
mod due;
mod fields;
mod figures;
mod policy;
mod portal;
mod replay;
mod step;
mod users;
mod webhook;

use bytes::Bytes;
use signalpost_core::credential::Credential;
use signalpost_core::delivery::{Cut, CutReason};
use signalpost_core::event::{Event, EventContent, Sequence};
use signalpost_core::id::{CredentialId, EventId, OperatorKeyId, SigningKeyId, WebhookId, WorkspaceId};
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::profile::FeedRule;
use signalpost_core::rate::RateLimit;
use signalpost_core::retention::RetentionDefault;
use signalpost_core::scope::Scope;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::workspace::Workspace;

use crate::pack::{unpack_ids, unpack_pairs, unpack_texts};

pub use self::brief::{
    BRIEF_COLUMNS, Brief, FeedPlace, SizedEvent, brief, brief_columns, feed_place, sized_event,
};
pub use self::candidate::{Candidate, Content, Payload, candidate, candidate_columns};
pub use self::desk::{
    act, act_columns, act_result, operator_account, operator_account_columns, operator_login,
    operator_session, operator_session_columns,
};
pub use self::due::{BLOCKED_AT, DueAt, HELD_AT, KeptPlace, due, first_held};
pub use self::fields::{Columns, Field, Fields, Row, Value};
pub use self::figures::{failing_webhook, figures, figures_added, figures_columns};
pub use self::policy::{PolicyColumns, retention};
pub use self::portal::{portal_ended_at, portal_session, portal_session_columns};
pub use self::replay::{phase as replay_phase, replay, replay_columns};
pub use self::step::{DELIVERED, GIVEN_UP, REQUEUED, SUPERSEDED, step, verdict_code};
pub use self::users::{
    RightKey, held_right, right, right_columns, right_key, user, user_columns, user_with_password,
    user_with_session,
};
pub use self::webhook::{HealthColumns, WebhookColumns, remembered, webhook, webhook_columns};

#[macro_export]
macro_rules! workspace_columns {
    () => {
        "w.id, w.public_id, w.dialect, w.name, w.features, w.retry_schedule, w.timeout_ms, w.event_age_s, \
         w.payload_age_s, w.bytes_max, w.feed, w.for_ever, w.created_at, w.hold_after_s, w.release_order"
    };
}
pub use workspace_columns;

pub fn workspace(row: &Row<'_>) -> Field<Workspace> {
    let mut fields = Fields::new(row, "workspace", 1);
    let mut workspace = Workspace {
        id: WorkspaceId::from_raw(fields.id("id")?),
        public_id: fields.text("public_id")?.to_owned(),
        dialect: fields.text("dialect")?.to_owned(),
        name: fields.text("name")?.to_owned(),
        features: texts(&mut fields, "features")?,
        policy: policy::policy(&mut fields)?,
        feed: feed_rule(&mut fields)?,
        retention: retention_default(&mut fields)?,
        created_at: fields.time("created_at")?,
    };
    workspace.policy.hold_after = policy::hold_after(&mut fields)?;
    workspace.policy.release = policy::release(&mut fields)?;
    Ok(workspace)
}

/// The next column as whether there is a feed.
pub fn feed_rule(fields: &mut Fields<'_>) -> Field<FeedRule> {
    match fields.integer("feed")? {
        0 => Ok(FeedRule::Absent),
        1 => Ok(FeedRule::Kept),
        other => Err(fields.corrupt("feed", format!("{other} is neither 0 nor 1"))),
    }
}

/// The next column as what is kept by default.
pub fn retention_default(fields: &mut Fields<'_>) -> Field<RetentionDefault> {
    match fields.integer("for_ever")? {
        0 => Ok(RetentionDefault::Server),
        1 => Ok(RetentionDefault::ForEver),
        other => Err(fields.corrupt("for_ever", format!("{other} is neither 0 nor 1"))),
    }
}

#[macro_export]
macro_rules! signing_key_columns {
    () => {
        "id, workspace, public_id, sealed, created_at, updated_at"
    };
}
pub use signing_key_columns;

pub fn signing_key(row: &Row<'_>) -> Field<SigningKey> {
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

/// Columns of `cut`: webhook, n, upto, at, reason.
pub fn cut(row: &Row<'_>) -> Field<Cut> {
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

#[macro_export]
macro_rules! credential_columns {
    () => {
        "id, workspace, name, scopes, preview, created_at, expires_at"
    };
}
pub use credential_columns;

pub fn credential(row: &Row<'_>) -> Field<Credential> {
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

#[macro_export]
macro_rules! operator_key_columns {
    () => {
        "id, workspace, name, scopes, rate_per_s, rate_burst, preview, created_at, expires_at, successor"
    };
}
pub use operator_key_columns;

pub fn operator_key(row: &Row<'_>) -> Field<OperatorKey> {
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

#[macro_export]
macro_rules! event_columns {
    () => {
        "m.id, m.workspace, m.sequence, m.accepted_at, m.time, m.type, m.subject, m.producer_id, m.targets, \
         m.attributes, m.data, m.payload_removed_at, m.ordering_key"
    };
}
pub use event_columns;

pub fn event(row: &Row<'_>) -> Field<Event> {
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
    let ordering_key = fields.optional_text("ordering_key")?.map(str::to_owned);
    let content = EventContent { producer_id, event_type, subject, time, attributes, data, ordering_key };
    Ok(Event { id, workspace, sequence, content, targets, accepted_at, payload_removed_at })
}

/// The next column as the webhooks that an event was accepted for.
pub fn targets(fields: &mut Fields<'_>) -> Field<Vec<WebhookId>> {
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
    use crate::StoreError;
    use Value::{Blob, Integer, Null, Real, Text};
    use signalpost_core::time::Timestamp;

    struct Cells<'a>(&'a [Value<'a>]);

    impl Columns for Cells<'_> {
        fn value(&self, index: usize) -> Result<Value<'_>, String> {
            self.0.get(index).copied().ok_or_else(|| "no such column".to_owned())
        }
    }

    /// A row that is wrong in one column at a time is refused with that column's name and the row's key.
    #[test]
    fn a_wrong_value_is_corrupt_with_its_place() {
        let good = [Integer(7), Integer(1), Integer(2), Integer(3), Text(b"webhook_deleted")];
        let expected = Cut { upto: Sequence(2), at: Timestamp::from_ms(3), reason: CutReason::Deleted };
        assert_eq!(cut(&Cells(&good)).expect("good"), expected);
        let table = [
            (2, Text(b"x"), "upto"),
            (3, Null, "at"),
            (4, Text(b"because"), "reason"),
            (4, Text(b"\xff"), "reason"),
            (4, Real(4.5), "reason"),
        ];
        for (place, value, wrong) in table {
            let mut cells = good;
            cells[place] = value;
            match cut(&Cells(&cells)) {
                Err(StoreError::Corrupt { table: "cut", column, key, .. }) => {
                    assert_eq!((column, key.as_str()), (wrong, "7/1"), "{value:?}");
                }
                other => panic!("{value:?}: {other:?}"),
            }
        }
        assert!(cut(&Cells(&good[..4])).is_err(), "a column is missing");
    }

    /// Public forms are made of positive numbers only, so one that is none must not come so far.
    #[test]
    fn no_id_is_negative_wherever_it_stands() {
        let key = |workspace: i64, successor: i64| {
            let scopes = Blob(b"\x01\x04read");
            let before = [Integer(7), Integer(workspace), Null, scopes, Null, Null];
            let after = [Text(b"spo_8f2a"), Integer(5), Null, Integer(successor)];
            operator_key(&Cells(&[before.as_slice(), &after].concat()))
        };
        assert_eq!(key(1, 8).expect("good").successor, Some(OperatorKeyId::from_raw(8)));
        for (workspace, successor, wrong) in [(-1, 8, "workspace"), (1, -8, "successor")] {
            match key(workspace, successor) {
                Err(StoreError::Corrupt { table: "operator_key", column, .. }) => assert_eq!(column, wrong),
                other => panic!("{wrong}: {other:?}"),
            }
        }
    }
}
