//! Asking for a replay. It is planned first, and waits until somebody has seen what it would send.

use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::error::{Error, ErrorCode, FieldError, FieldErrors};
use signalpost_core::limits::REPLAY_PER_SECOND_MAX;
use signalpost_core::replay::{Start, Which};
use signalpost_core::time::Timestamp;
use signalpost_engine::View;
use signalpost_engine::replay::NewReplay;

use crate::look::field::{self, Field};
use crate::look::frame::{page_with, proof};
use crate::look::when::{self, When};
use crate::on_record::Deed;
use crate::pages::webhook::rules::check_feature;
use crate::request::Path;
use crate::trouble::{self, Page};
use crate::visit::{Posted, Visit};

const PER_SECOND_DEFAULT: &str = "50";

#[derive(Deserialize)]
pub(crate) struct Filled {
    which: String,
    since: String,
    /// Now when it is empty.
    #[serde(default)]
    until: String,
    #[serde(default)]
    types: String,
    per_second: String,
}

pub(crate) async fn show(visit: Visit, Path((workspace, webhook)): Path<(String, String)>) -> Page {
    visit.must_act()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_feature(&view)?;
    engine.webhook(view.workspace.id, &webhook).await?;
    let filled = Filled {
        which: Which::Failed.name().to_owned(),
        since: "1d".to_owned(),
        until: String::new(),
        types: String::new(),
        per_second: PER_SECOND_DEFAULT.to_owned(),
    };
    Ok(form(StatusCode::OK, &visit, &view, &webhook, &filled, &[]))
}

pub(crate) async fn create(
    Path((workspace, webhook)): Path<(String, String)>,
    Posted(visit, filled): Posted<Filled>,
) -> Page {
    visit.must_act()?;
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    check_feature(&view)?;
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
        Err(error) => {
            let status = trouble::status(error.code);
            Ok(form(status, &visit, &view, &webhook, &filled, &shown_on_form(error)?))
        }
    }
}

/// Of what surely was not made, so that it can be asked for otherwise.
fn shown_on_form(error: Error) -> Result<Vec<FieldError>, Error> {
    match error.code {
        ErrorCode::Invalid if !error.fields.is_empty() => Ok(error.fields),
        ErrorCode::Invalid
        | ErrorCode::LimitReached
        | ErrorCode::Conflict
        | ErrorCode::RateLimited
        | ErrorCode::StorageFull => Ok(vec![FieldError { field: String::new(), message: error.message }]),
        _ => Err(error),
    }
}

/// `Invalid` with everything that cannot be read; what is read is for the engine to judge.
fn wanted(filled: &Filled, now: Timestamp) -> Result<NewReplay, Error> {
    let mut errors = FieldErrors::default();
    let which = Which::from_name(&filled.which).ok_or_else(|| "must be one of the list".to_owned());
    let which = errors.take("which", which);
    let at = |text: &str| When::read(text.trim()).map(|when| when.at(now));
    let since = errors.take("since", at(&filled.since));
    let until = Some(filled.until.as_str()).filter(|text| !text.trim().is_empty());
    let until = errors.take("until", until.map(at).transpose());
    let per_second = filled.per_second.trim().parse().map_err(|_| "must be a whole number".to_owned());
    let per_second = errors.take("rate_per_second", per_second);
    errors.into_result()?;
    let (Some(which), Some(since), Some(until), Some(per_second)) = (which, since, until, per_second) else {
        return Err(Error::internal("a field was lost although none was refused"));
    };
    let types = filled.types.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
    Ok(NewReplay {
        source: None,
        which,
        since,
        until,
        types: types.map(str::to_owned).collect(),
        subject: None,
        per_second,
        start: Start::WhenTold,
    })
}

fn form(
    status: StatusCode,
    visit: &Visit,
    view: &View,
    webhook: &str,
    filled: &Filled,
    errors: &[FieldError],
) -> Response {
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
    let since = Field { name: "since", label: "Events accepted since", hint: when::HINT, errors };
    let until = Field { name: "until", label: "and before", hint: "Now when it is empty.", errors };
    html! {
        (since.wrap(&html! {
            input #f-since name="since" value=(filled.since) list=(when::AGES_ID) required spellcheck="false" autocomplete="off"
                aria-describedby=(since.note()) aria-invalid=[since.is_wrong()];
        }))
        (until.wrap(&html! {
            input #f-until name="until" value=(filled.until) list=(when::AGES_ID) spellcheck="false" autocomplete="off"
                aria-describedby=(until.note()) aria-invalid=[until.is_wrong()];
        }))
        (when::ages())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(since: &str, until: &str) -> Filled {
        let [since, until, which, per_second] = [since, until, "failed", "10"].map(str::to_owned);
        Filled { which, since, until, types: String::new(), per_second }
    }

    #[test]
    fn a_window_is_exact_or_counted_back_from_now() {
        let now = Timestamp::from_ms(1_777_975_606_000);
        for (since, until, expected) in [
            ("15m", "", ("2026-05-05T09:51:46Z", None)),
            (" 2026-05-05T08:00Z ", " 1m ", ("2026-05-05T08:00:00Z", Some("2026-05-05T10:05:46Z"))),
            ("2026-05-04", "2026-05-05T02:00+02:00", ("2026-05-04T00:00:00Z", Some("2026-05-05T00:00:00Z"))),
        ] {
            let new = wanted(&filled(since, until), now).expect("it is right");
            let (since, until) = (new.since.to_rfc3339_s(), new.until.map(Timestamp::to_rfc3339_s));
            assert_eq!((since.as_str(), until.as_deref()), expected);
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once_and_what_was_not_made_keeps_its_form() {
        let wrong = Filled { per_second: "x".to_owned(), which: "x".to_owned(), ..filled("", "tomorrow") };
        let error = wanted(&wrong, Timestamp::default()).expect_err("all of it is wrong");
        let fields: Vec<&str> = error.fields.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["which", "since", "until", "rate_per_second"]);
        for code in [ErrorCode::Invalid, ErrorCode::LimitReached, ErrorCode::Conflict, ErrorCode::StorageFull]
        {
            let shown = shown_on_form(Error::new(code, "no")).expect("it goes on the form");
            assert_eq!(shown, [FieldError { field: String::new(), message: "no".to_owned() }], "{code:?}");
        }
        // Nobody knows whether it was made.
        let unknown =
            shown_on_form(Error::unavailable("lost")).expect_err("the form would say that it was not");
        assert_eq!(unknown.code, ErrorCode::Unavailable);
    }
}
