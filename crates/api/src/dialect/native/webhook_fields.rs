//! The properties of a webhook as callers write them, at its creation and in a merge patch (RFC 7396).

use serde_json::value::RawValue;
use signalpost_core::basic_auth::{Login, LoginChange, check_password, check_user};
use signalpost_core::ceilings::Ceilings;
use signalpost_core::custom_header::{HeadersChange, reads_as};
use signalpost_core::event::check_event_type;
use signalpost_core::limits::WEBHOOK_EVENTS_MAX;
use signalpost_core::matching::check_pattern;
use signalpost_core::metadata::MetadataChange;
use signalpost_core::order::{OnExhausted, OrderChange, OrderRule};
use signalpost_core::policy::Patience;
use signalpost_core::secret::Secret;
use signalpost_core::webhook::EventSelection;
use signalpost_engine::webhooks::{Activity, NewWebhook, WebhookChange};

use super::{convert, patience};
use crate::kit::fields::{Fields, Member, without_repetitions};
use crate::kit::json::{Object, shown};

const BASIC_AUTH: &str = "basic_auth";

/// `None` when something was noted that a webhook cannot do without.
pub(super) fn new(fields: &mut Fields<'_>) -> Option<NewWebhook> {
    let url = fields.required_text("url");
    let url = fields.target_url("url", url);
    let events = events(fields).given().unwrap_or(EventSelection::All);
    let subject = fields.optional_text("subject");
    let filter = fields.optional_text("filter");
    let name = fields.optional_text("name");
    let secret = secret(fields);
    let activity = activity(fields).given().unwrap_or(Activity::Active);
    let WebhookChange { retry, timeout, ceilings, order, headers, login, metadata, .. } = options(fields);
    let patience = Patience { retry: retry.flatten(), timeout: timeout.flatten() };
    let headers = match headers {
        // What is to be removed is not there.
        Some(HeadersChange::Merge(headers)) => {
            headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
        }
        Some(HeadersChange::Clear) | None => Vec::new(),
    };
    let login = Login { user: login.user.flatten(), password: login.password.flatten() };
    let metadata = match metadata {
        Some(MetadataChange::Merge(entries)) => {
            entries.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
        }
        Some(MetadataChange::Clear) | None => Vec::new(),
    };
    Some(NewWebhook {
        name,
        events,
        subject,
        filter,
        patience,
        ceilings: Ceilings::default().after(ceilings),
        order: OrderRule::default().after(order),
        headers,
        login,
        secret,
        metadata,
        activity,
        ..NewWebhook::to(url?)
    })
}

pub(super) fn change(fields: &mut Fields<'_>) -> WebhookChange {
    let url = fields.text("url");
    let url = fields.unless_absent("url", url);
    let events = events(fields);
    let active = activity(fields);
    WebhookChange {
        name: fields.merged("name", "a string", Ok::<String, _>),
        url: fields.target_url("url", url),
        events: fields.unless_absent("events", events),
        subject: fields.merged("subject", "a string", Ok::<String, _>),
        filter: fields.merged("filter", "a string", Ok::<String, _>),
        active: fields.unless_absent("active", active),
        ..options(fields)
    }
}

fn activity(fields: &mut Fields<'_>) -> Member<Activity> {
    match fields.member::<bool>("active", "true or false") {
        Member::Value(true) => Member::Value(Activity::Active),
        Member::Value(false) => Member::Value(Activity::Paused),
        Member::Absent => Member::Absent,
        Member::Null => Member::Null,
        Member::Broken => Member::Broken,
    }
}

/// A secret of the caller's own.
pub(super) fn secret(fields: &mut Fields<'_>) -> Option<Secret> {
    fields.optional_text("secret").map(|text| Secret::from_text(&text))
}

/// What a webhook needs not have. The engine judges it by the rules of the dialect.
fn options(fields: &mut Fields<'_>) -> WebhookChange {
    WebhookChange {
        retry: patience::retry(fields),
        timeout: patience::timeout(fields),
        ceilings: patience::ceilings(fields),
        order: order(fields),
        headers: headers(fields),
        login: basic_auth(fields),
        metadata: metadata(fields),
        ..WebhookChange::default()
    }
}

/// The members `ordered` and `on_exhausted`; null is what they are when they are left out.
fn order(fields: &mut Fields<'_>) -> OrderChange {
    let by_key = fields.merged("ordered", "true or false", Ok::<bool, _>);
    let on_exhausted =
        fields.merged("on_exhausted", "a string", |name: String| OnExhausted::from_name(&name));
    OrderChange {
        by_key: by_key.map(Option::unwrap_or_default),
        on_exhausted: on_exhausted.map(Option::unwrap_or_default),
    }
}

/// `["*"]` is every type; otherwise a set of types and patterns, of which the first of equals is kept.
fn events(fields: &mut Fields<'_>) -> Member<EventSelection> {
    let entries = match fields.texts("events", WEBHOOK_EVENTS_MAX) {
        Member::Value(entries) => without_repetitions(entries),
        Member::Absent => return Member::Absent,
        Member::Null => return Member::Null,
        Member::Broken => return Member::Broken,
    };
    if entries == [convert::ALL_EVENTS] {
        return Member::Value(EventSelection::All);
    }
    if entries.is_empty() {
        fields.note("events", "must name at least one event type; leave it out for all of them");
        return Member::Broken;
    }
    for (position, entry) in entries.iter().enumerate() {
        fields.check(&format!("events/{position}"), check_entry(entry));
    }
    Member::Value(EventSelection::Only(entries))
}

fn check_entry(entry: &str) -> Result<(), String> {
    match entry {
        convert::ALL_EVENTS => Err("`*` is every type and must stand alone".to_owned()),
        pattern if pattern.contains('*') => check_pattern(pattern),
        event_type => check_event_type(event_type),
    }
}

/// Headers by name; null removes one, and all of them in the place of the object.
fn headers(fields: &mut Fields<'_>) -> Option<HeadersChange<Secret>> {
    let raw = match fields.raw("headers") {
        Member::Absent | Member::Broken => return None,
        Member::Null => return Some(HeadersChange::Clear),
        Member::Value(raw) => raw,
    };
    let object = Object::of_element(raw).map_err(|_| "must be an object of names and values".to_owned());
    let object = fields.check("headers", object)?;
    let mut inner = Fields::inside(object, "headers/".to_owned());
    let mut merged: Vec<(String, Option<Secret>)> = Vec::new();
    for (name, raw) in inner.rest() {
        // As in a pointer (RFC 6901), for `/` joins the parts of a place.
        let place = shown(&name).replace('~', "~0").replace('/', "~1");
        let lower = name.to_ascii_lowercase();
        if merged.iter().any(|(known, _)| reads_as(known, &lower)) {
            inner.note(
                &place,
                "is given twice; names of headers are the same in any case, and with `_` for `-`",
            );
        } else if let Some(value) = inner.check(&place, header_value(raw)) {
            merged.push((lower, value));
        }
    }
    fields.adopt(inner);
    Some(HeadersChange::Merge(merged))
}

/// A login, which is given as a whole: who may not see a password cannot mean to keep it for another user.
fn basic_auth(fields: &mut Fields<'_>) -> LoginChange<Secret> {
    let raw = match fields.raw(BASIC_AUTH) {
        Member::Absent | Member::Broken => return LoginChange::default(),
        Member::Null => return LoginChange::clear(),
        Member::Value(raw) => raw,
    };
    let object =
        Object::of_element(raw).map_err(|_| "must be an object of `username` and `password`".to_owned());
    let Some(object) = fields.check(BASIC_AUTH, object) else { return LoginChange::default() };
    let mut inner = Fields::inside(object, format!("{BASIC_AUTH}/"));
    let user = inner.required_text("username");
    let user = user.and_then(|user| inner.check("username", check_user(&user).map(|()| user.clone())));
    let password = inner.required_text("password").map(|password| Secret::from_text(&password));
    let password = password
        .and_then(|password| inner.check("password", check_password(&password).map(|()| password.clone())));
    inner.refuse_rest("is not a property of a login");
    fields.adopt(inner);
    LoginChange { user: Some(user), password: Some(password) }
}

/// Texts by name; null removes one, and all of them in the place of the object.
fn metadata(fields: &mut Fields<'_>) -> Option<MetadataChange> {
    let raw = match fields.raw("metadata") {
        Member::Absent | Member::Broken => return None,
        Member::Null => return Some(MetadataChange::Clear),
        Member::Value(raw) => raw,
    };
    let object = Object::of_element(raw).map_err(|_| "must be an object of names and texts".to_owned());
    let mut inner = Fields::inside(fields.check("metadata", object)?, "metadata/".to_owned());
    let mut merged: Vec<(String, Option<String>)> = Vec::new();
    for (name, raw) in inner.rest() {
        let place = shown(&name).replace('~', "~0").replace('/', "~1");
        if let Some(value) = inner.check(&place, text_or_null(raw)) {
            merged.push((name, value));
        }
    }
    fields.adopt(inner);
    Some(MetadataChange::Merge(merged))
}

fn header_value(raw: &RawValue) -> Result<Option<Secret>, String> {
    Ok(text_or_null(raw)?.map(|text| Secret::from_text(&text)))
}

fn text_or_null(raw: &RawValue) -> Result<Option<String>, String> {
    serde_json::from_str(raw.get()).map_err(|_| "must be a string, or null to remove it".to_owned())
}
