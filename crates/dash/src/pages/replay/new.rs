//! Asking for a replay. It is planned first, and waits until somebody has seen what it would send.

use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::error::{Error, ErrorCode, FieldError};
use signalpost_core::limits::REPLAY_PER_SECOND_MAX;
use signalpost_core::replay::{Start, Which};
use signalpost_core::time::Timestamp;
use signalpost_engine::View;
use signalpost_engine::replay::NewReplay;

use crate::look::field::{self, Field};
use crate::look::frame::{page_with, proof};
use crate::on_record::Deed;
use crate::request::Path;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

/// How long ago, in seconds, in words.
const SPANS: [(&str, &str); 7] = [
    ("900", "15 minutes"),
    ("3600", "an hour"),
    ("21600", "6 hours"),
    ("86400", "a day"),
    ("259200", "3 days"),
    ("604800", "a week"),
    ("2592000", "30 days"),
];
const PER_SECOND_DEFAULT: &str = "50";

#[derive(Deserialize)]
pub(crate) struct Filled {
    which: String,
    since_s: String,
    #[serde(default)]
    until_s: String,
    #[serde(default)]
    types: String,
    per_second: String,
}

pub(crate) async fn show(visit: Visit, Path((workspace, webhook)): Path<(String, String)>) -> Page {
    visit.must_act()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    engine.webhook(view.workspace.id, &webhook).await?;
    let filled = Filled {
        which: Which::Failed.name().to_owned(),
        since_s: "86400".to_owned(),
        until_s: String::new(),
        types: String::new(),
        per_second: PER_SECOND_DEFAULT.to_owned(),
    };
    Ok(form(&visit, &view, &webhook, &filled, &[]))
}

pub(crate) async fn create(
    Path((workspace, webhook)): Path<(String, String)>,
    Posted(visit, filled): Posted<Filled>,
) -> Page {
    visit.must_act()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    let deed = Deed { action: "replay.create", object: &webhook, workspace: Some(&workspace) };
    let made = match wanted(&filled, engine.now()) {
        Ok(new) => {
            let by = visit.who.principal();
            let create = async { Ok(engine.create_replay(&view, &webhook, new, by, None).await?.now()) };
            visit.on_record(deed, create).await
        }
        Err(error) => Err(error),
    };
    match made {
        Ok(Some(shown)) => {
            Ok(Redirect::to(&visit.paths.replay(&workspace, &shown.replay.id.to_public())).into_response())
        }
        Ok(None) => Err(Error::internal("a call without a key was answered before").into()),
        Err(error) => Ok(form(&visit, &view, &webhook, &filled, &shown_on_form(error)?)),
    }
}

fn shown_on_form(error: Error) -> Result<Vec<FieldError>, Error> {
    match error.code {
        ErrorCode::Invalid if !error.fields.is_empty() => Ok(error.fields),
        ErrorCode::LimitReached => Ok(vec![FieldError { field: String::new(), message: error.message }]),
        _ => Err(error),
    }
}

fn wanted(filled: &Filled, now: Timestamp) -> Result<NewReplay, Error> {
    let number = |field: &str, text: &str| {
        text.trim().parse::<u64>().map_err(|_| Error::field(field, "must be a whole number"))
    };
    let ago = |field: &str, text: &str| {
        let seconds = number(field, text)?.min(u64::from(u32::MAX));
        Ok::<_, Error>(now.plus_ms(-1_000 * i64::try_from(seconds).expect("fewer than 2^32")))
    };
    let types = filled.types.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
    Ok(NewReplay {
        source: None,
        which: Which::from_name(&filled.which)
            .ok_or_else(|| Error::field("which", "must be one of the list"))?,
        since: ago("since", &filled.since_s)?,
        until: if filled.until_s.is_empty() { None } else { Some(ago("until", &filled.until_s)?) },
        types: types.map(str::to_owned).collect(),
        subject: None,
        per_second: number("rate_per_second", &filled.per_second)?,
        start: Start::WhenTold,
    })
}

fn form(visit: &Visit, view: &View, webhook: &str, filled: &Filled, errors: &[FieldError]) -> Response {
    let action = visit.paths.webhook_act(&view.workspace.public_id, webhook, "replay");
    let content = html! {
        h1 { "Replay" }
        p { "Sends deliveries to " code { (webhook) } " once more. First they are looked up and counted; nothing is sent before you have seen how many there are." }
        (field::summary(errors))
        form.sheet method="post" action=(action) {
            (proof(visit))
            (which(filled, errors))
            (window(filled, errors))
            (types_and_rate(filled, errors))
            p { button { "Count them" } }
        }
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    page_with(status, visit, "Replay", &visit.paths.to_webhook(view, webhook), &content)
}

fn which(filled: &Filled, errors: &[FieldError]) -> Markup {
    let words = |which: Which| match which {
        Which::Failed => "those that were tried and not delivered",
        Which::NeverAttempted => {
            "those that were never tried, and events that it would get by what it selects now"
        }
        Which::All => "all, also what was delivered",
    };
    let field = Field { name: "which", label: "Which deliveries", hint: "", errors };
    field.group(&html! {
        @for which in Which::ALL {
            label.choice { input type="radio" name="which" value=(which.name()) checked[which.name() == filled.which]; " " (words(which)) }
        }
    })
}

fn window(filled: &Filled, errors: &[FieldError]) -> Markup {
    let since = Field { name: "since", label: "Events accepted since", hint: "", errors };
    let until =
        Field { name: "until", label: "and until", hint: "Exact instants are taken by the API.", errors };
    html! {
        (since.wrap(&html! {
            select #f-since name="since_s" aria-describedby=(since.note()) {
                @for (seconds, words) in SPANS { option value=(seconds) selected[seconds == filled.since_s] { (words) " ago" } }
            }
        }))
        (until.wrap(&html! {
            select #f-until name="until_s" aria-describedby=(until.note()) {
                option value="" { "now" }
                @for (seconds, words) in SPANS { option value=(seconds) selected[seconds == filled.until_s] { (words) " ago" } }
            }
        }))
    }
}

fn types_and_rate(filled: &Filled, errors: &[FieldError]) -> Markup {
    let types =
        Field { name: "types", label: "Event types", hint: "Separated by commas; none are all.", errors };
    let rate = Field { name: "rate_per_second", label: "Deliveries a second, at most", hint: "", errors };
    html! {
        (types.wrap(&html! {
            input #f-types name="types" value=(filled.types) spellcheck="false" autocomplete="off"
                aria-describedby=(types.note()) aria-invalid=[types.is_wrong()];
        }))
        (rate.wrap(&html! {
            input #f-rate_per_second type="number" name="per_second" min="1" max=(REPLAY_PER_SECOND_MAX) value=(filled.per_second)
                aria-describedby=(rate.note()) aria-invalid=[rate.is_wrong()];
        }))
    }
}
