//! Sending an event to one webhook, to see it arrive.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::value::RawValue;
use signalpost_core::error::{Error, ErrorCode, FieldError};
use signalpost_core::event_rule::DataRule;
use signalpost_core::limits::EVENT_BODY_BYTES_MAX;
use signalpost_core::webhook::{EventSelection, Webhook};
use signalpost_engine::View;
use signalpost_engine::test_event::TestEvent;

use super::form::at_its_field;
use super::large_forms::{LargeForms, admit};
use super::rules::check_feature;
use crate::desk::Desk;
use crate::look::field::{self, Field};
use crate::look::frame::{page_with, proof};
use crate::on_record::Deed;
use crate::request::{Path, Query};
use crate::router;
use crate::trouble::{self, Page};
use crate::visit::{Posted, Visit};

/// A form with an event of the largest size: each byte of it may have become three on its way.
const FORM_BYTES_MAX: usize = 3 * EVENT_BODY_BYTES_MAX + router::FORM_BYTES_MAX;

/// The page and its form, which may be larger than others.
pub(crate) fn route() -> MethodRouter<Arc<Desk>> {
    get(show)
        .post(send)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(from_fn_with_state(Arc::<LargeForms>::default(), admit))
}

/// The fields of the form.
const FIELDS: [&str; 2] = ["type", "data"];

/// What is filled in, and what an address may fill in beforehand.
#[derive(Default, Deserialize)]
struct Filled {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    data: String,
}

async fn show(
    visit: Visit,
    Path((workspace, webhook)): Path<(String, String)>,
    Query(mut filled): Query<Filled>,
) -> Page {
    visit.must_act()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_feature(&view)?;
    let webhook = engine.webhook(view.workspace.id, &webhook).await?;
    if filled.r#type.is_empty() {
        filled.r#type = likely_type(&view, &webhook);
    }
    if filled.data.is_empty() {
        filled.data = example(&view, &filled.r#type);
    }
    Ok(form(&visit, &view, &webhook, &filled, (StatusCode::OK, &[])))
}

async fn send(
    Path((workspace, webhook)): Path<(String, String)>,
    Posted(visit, filled): Posted<Filled>,
) -> Page {
    visit.must_act()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_feature(&view)?;
    let webhook = engine.webhook(view.workspace.id, &webhook).await?;
    let id = &webhook.public_id;
    let deed = Deed { action: "test_event.send", object: id, workspace: Some(&workspace) };
    let sent = match event(&filled) {
        Ok(test) => {
            let send = async { Ok(engine.send_test(&workspace, id, test, None).await?.now()) };
            visit.on_record(deed, send).await
        }
        Err(error) => Err(error),
    };
    match sent {
        Ok(Some(receipt)) => Ok(Redirect::to(&visit.paths.delivery(&receipt.delivery)).into_response()),
        Ok(None) => Err(Error::internal("a call without a key was answered before").into()),
        Err(error) => {
            trouble::log(&error, &visit.here);
            let status = trouble::status(error.code);
            Ok(form(&visit, &view, &webhook, &filled, (status, &shown_on_form(error)?)))
        }
    }
}

/// Errors that are to be shown on the form, with what was typed; any other is given back.
fn shown_on_form(error: Error) -> Result<Vec<FieldError>, Error> {
    match error.code {
        ErrorCode::Invalid if !error.fields.is_empty() => {
            Ok(error.fields.into_iter().map(|error| at_its_field(error, &FIELDS)).collect())
        }
        ErrorCode::Invalid
        | ErrorCode::Conflict
        | ErrorCode::RateLimited
        | ErrorCode::Unavailable
        | ErrorCode::StorageFull => Ok(vec![FieldError { field: String::new(), message: error.message }]),
        _ => Err(error),
    }
}

fn event(filled: &Filled) -> Result<TestEvent, Error> {
    if filled.data.len() > EVENT_BODY_BYTES_MAX {
        return Err(Error::field("data", format!("must be at most {EVENT_BODY_BYTES_MAX} bytes long")));
    }
    let data: &RawValue = serde_json::from_str(filled.data.trim())
        .map_err(|error| Error::field("data", format!("must be JSON: {error}")))?;
    Ok(TestEvent {
        event_type: filled.r#type.trim().to_owned(),
        data: Bytes::copy_from_slice(data.get().as_bytes()),
    })
}

/// One that the webhook would get.
fn likely_type(view: &View, webhook: &Webhook) -> String {
    let chosen = match &webhook.events {
        EventSelection::Only(types) => types.iter().find(|name| !name.contains('*')).cloned(),
        EventSelection::All => None,
    };
    let known = || view.profile.catalogue.as_ref()?.first().map(|kind| kind.name.clone());
    chosen.or_else(known).unwrap_or_else(|| "test.event".to_owned())
}

/// The least that the type permits, or something.
fn example(view: &View, event_type: &str) -> String {
    match view.profile.data_rule(event_type) {
        Some(rule @ DataRule::Object { .. }) => example_of(rule).unwrap_or_else(|| "{}".to_owned()),
        Some(DataRule::Any) | None => "{\n  \"hello\": \"world\"\n}".to_owned(),
    }
}

/// An object with the members that the rule names; `None` where it names none.
pub(crate) fn example_of(rule: &DataRule) -> Option<String> {
    let DataRule::Object { members } = rule else { return None };
    let named = members.iter().map(|name| (name.clone(), serde_json::Value::from("example")));
    let object = serde_json::Value::Object(named.collect());
    (!members.is_empty()).then(|| format!("{object:#}"))
}

fn form(
    visit: &Visit,
    view: &View,
    webhook: &Webhook,
    filled: &Filled,
    (status, errors): (StatusCode, &[FieldError]),
) -> axum::response::Response {
    let action = visit.paths.webhook_act(&view.workspace.public_id, &webhook.public_id, "test");
    let content = html! {
        h1 { "Send a test event" }
        p { "It goes to this webhook alone, whatever it selects, and is signed, tried again and listed as any other." }
        p.url.muted { (webhook.url) }
        (field::summary(errors))
        form.sheet method="post" action=(action) {
            (proof(visit))
            (event_type(view, filled, errors))
            (data(filled, errors))
            p { button { "Send it" } }
        }
    };
    page_with(status, visit, "Send a test event", &visit.paths.to_webhook(view, &webhook.public_id), &content)
}

fn event_type(view: &View, filled: &Filled, errors: &[FieldError]) -> Markup {
    let field = Field { name: "type", label: "Type", hint: "", errors };
    field.wrap(&html! {
        @match &view.profile.catalogue {
            Some(kinds) => {
                select #f-type name="type" aria-describedby=(field.note()) aria-invalid=[field.is_wrong()] {
                    @for kind in kinds { option value=(kind.name) selected[kind.name == filled.r#type] { (kind.name) } }
                }
            }
            None => {
                input #f-type name="type" required value=(filled.r#type) spellcheck="false" autocomplete="off"
                    aria-describedby=(field.note()) aria-invalid=[field.is_wrong()];
            }
        }
    })
}

fn data(filled: &Filled, errors: &[FieldError]) -> Markup {
    let field = Field { name: "data", label: "Data", hint: "JSON, sent as it stands here.", errors };
    field.wrap(&html! {
        textarea #f-data name="data" rows="10" spellcheck="false" aria-describedby=(field.note())
            aria-invalid=[field.is_wrong()] { (filled.data) }
    })
}
