//! Keys of the operator API: made, replaced and revoked by who administers the whole.

use axum::response::{IntoResponse, Redirect};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::error::{Error, ErrorCode, FieldError};
use signalpost_core::id::OperatorKeyId;
use signalpost_core::limits::KEY_OVERLAP_S_DEFAULT;
use signalpost_core::scope::Scope;
use signalpost_core::time::Timestamp;
use signalpost_engine::Engine;
use signalpost_engine::operator::Operator;
use signalpost_engine::operator_keys::{IssuedOperatorKey, NewOperatorKey, ShownOperatorKey};

use crate::look::field::{self, Field};
use crate::look::frame::{page_with, proof};
use crate::look::id;
use crate::look::pager::pager_onward;
use crate::look::time::moment;
use crate::look::twice::twice;
use crate::on_record::Deed;
use crate::paths;
use crate::request::{Path, Query};
use crate::sign_in::Nothing;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

const ROWS: usize = 100;
const DAY_S: i64 = 86_400;
/// How long a new key lives, in days.
const LIVES: [(&str, &str); 4] = [("", "for good"), ("1", "a day"), ("30", "30 days"), ("365", "a year")];

#[derive(Default, Deserialize)]
pub(crate) struct Asked {
    /// The last key of the page before.
    after: Option<String>,
}

#[derive(Default, Deserialize)]
pub(crate) struct Filled {
    #[serde(default)]
    name: String,
    #[serde(default)]
    workspace: String,
    #[serde(default)]
    days: String,
    publish: Option<String>,
    read: Option<String>,
    admin: Option<String>,
}

pub(crate) async fn show(visit: Visit, Query(asked): Query<Asked>) -> Page {
    visit.must_administer_all()?;
    list(&visit, &asked, &Filled::default(), None, &[]).await
}

/// The key is shown this once.
pub(crate) async fn create(Posted(visit, filled): Posted<Filled>) -> Page {
    visit.must_administer_all()?;
    let caller = visit.caller().await?;
    let deed = Deed { action: "key.create", object: &filled.name, workspace: given(&filled.workspace) };
    let made = match wanted(&filled, visit.now) {
        Ok(new) => visit.on_record(deed, make(&visit, &caller, new)).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(issued) => list(&visit, &Asked::default(), &Filled::default(), Some(&issued), &[]).await,
        Err(error) => list(&visit, &Asked::default(), &filled, None, &shown_on_form(error)?).await,
    }
}

/// Its successor is shown this once; the key itself goes on for a while.
pub(crate) async fn rotate(Path(key): Path<String>, Posted(visit, Nothing {}): Posted<Nothing>) -> Page {
    visit.must_administer_all()?;
    let caller = visit.caller().await?;
    let engine = engine_of(&visit, &key).await?;
    let deed = Deed { action: "key.rotate", object: &key, workspace: None };
    let rotate =
        async { Ok(engine.rotate_operator_key(&caller, &key, KEY_OVERLAP_S_DEFAULT, None).await?.now()) };
    let rotated = visit.on_record(deed, rotate).await?.ok_or_else(repeated)?;
    list(&visit, &Asked::default(), &Filled::default(), Some(&rotated.next), &[]).await
}

pub(crate) async fn revoke(Path(key): Path<String>, Posted(visit, Nothing {}): Posted<Nothing>) -> Page {
    visit.must_administer_all()?;
    let caller = visit.caller().await?;
    let engine = engine_of(&visit, &key).await?;
    let deed = Deed { action: "key.revoke", object: &key, workspace: None };
    visit.on_record(deed, engine.revoke_operator_key(&caller, &key)).await?;
    Ok(Redirect::to(&visit.paths.page("keys")).into_response())
}

async fn make(visit: &Visit, caller: &Operator, new: NewOperatorKey) -> Result<IssuedOperatorKey, Error> {
    let engine = match &new.workspace {
        None => visit.desk.first(),
        Some(workspace) => match visit.engine_of(workspace).await {
            Err(error) if error.code == ErrorCode::NotFound => {
                return Err(Error::field("workspace", "names no workspace"));
            }
            found => found?,
        },
    };
    engine.create_operator_key(caller, new, None).await?.now().ok_or_else(repeated)
}

/// The engine that has a key.
async fn engine_of<'v>(visit: &'v Visit, key: &str) -> Result<&'v Engine, Error> {
    let place = visit.desk.cells.of_operator_key(key).await?;
    let place = place.ok_or_else(|| Error::not_found("operator key"))?;
    Ok(&visit.desk.cells.all()[place].engine)
}

fn repeated() -> Error {
    Error::internal("a call without a key was answered before")
}

fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn wanted(filled: &Filled, now: Timestamp) -> Result<NewOperatorKey, Error> {
    let chosen =
        [(Scope::Publish, &filled.publish), (Scope::Read, &filled.read), (Scope::Admin, &filled.admin)];
    let scopes: Vec<Scope> =
        chosen.into_iter().filter(|(_, on)| on.is_some()).map(|(scope, _)| scope).collect();
    let days = match filled.days.as_str() {
        "" => None,
        days => Some(days.parse::<u16>().map_err(|_| Error::field("days", "must be a number of days"))?),
    };
    Ok(NewOperatorKey {
        name: given(&filled.name).map(str::to_owned),
        scopes,
        workspace: given(&filled.workspace).map(str::to_owned),
        rate_limit_per_s: None,
        expires_at: days.map(|days| now.plus_ms(i64::from(days) * DAY_S * 1_000)),
    })
}

fn shown_on_form(error: Error) -> Result<Vec<FieldError>, Error> {
    match error.code {
        ErrorCode::Invalid if !error.fields.is_empty() => Ok(error.fields),
        ErrorCode::Forbidden | ErrorCode::LimitReached => {
            Ok(vec![FieldError { field: String::new(), message: error.message }])
        }
        _ => Err(error),
    }
}

async fn list(
    visit: &Visit,
    asked: &Asked,
    filled: &Filled,
    issued: Option<&IssuedOperatorKey>,
    errors: &[FieldError],
) -> Page {
    let unknown = || Error::field("after", "must be the id of a key");
    let after = asked.after.as_deref().map(|id| OperatorKeyId::from_public(id).ok_or_else(unknown));
    let after = after.transpose()?;
    let mut keys = visit.desk.cells.list_operator_keys(&Operator::Root, after, ROWS + 1).await?;
    let more = keys.len() > ROWS;
    keys.truncate(ROWS);
    let own = visit.paths.page("keys");
    let last = keys.last().filter(|_| more).map(|last| last.key.id.to_public());
    let next = last.map(|last| paths::with_query(&own, &[("after", Some(&last))]));
    let content = html! {
        h1 { "Keys" }
        @if let Some(issued) = issued { (shown_once(issued)) }
        p { "With these the operator API is called. The installation's own key is not among them: it opens everything, and cannot be revoked." }
        @if keys.is_empty() { p.empty { "There is none. Give each service a key of its own that may no more than it needs." } }
        @else { (table(visit, &keys)) }
        (pager_onward(after.map(|_| own.as_str()), next.as_deref()))
        h2 { "New key" }
        (form(visit, filled, errors))
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(page_with(status, visit, "Keys", &[], &content))
}

fn shown_once(issued: &IssuedOperatorKey) -> Markup {
    html! {
        div.advice role="status" {
            p { "The key " strong { (issued.shown.key.name.as_deref().unwrap_or("without a name")) } " is made. It is shown this once:" }
            p.secret { (id::copied(issued.secret.expose_text())) }
        }
    }
}

fn table(visit: &Visit, keys: &[ShownOperatorKey]) -> Markup {
    html! {
        div.wide { table {
            thead { tr { th scope="col" { "Name" } th scope="col" { "Scopes" } th scope="col" { "Workspace" } th scope="col" { "Begins with" } th scope="col" { "Made" } th scope="col" { "Ends" } th scope="col" { "Do" } } }
            tbody { @for shown in keys { (row(visit, shown)) } }
        } }
    }
}

fn row(visit: &Visit, ShownOperatorKey { key, workspace }: &ShownOperatorKey) -> Markup {
    let own = visit.paths.page(&format!("keys/{}", key.id.to_public()));
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
    let name = key.name.as_deref().unwrap_or("–");
    html! {
        tr {
            td { (name) }
            td { (scopes.join(", ")) }
            td { @if let Some(workspace) = workspace { a href=(visit.paths.workspace(workspace)) { (workspace) } } @else { "all" } }
            td { code { (key.preview) } }
            td { (moment(key.created_at, visit.now)) }
            td { @if let Some(end) = key.expires_at { (moment(end, visit.now)) } @else { "–" } }
            td.line {
                @if key.successor.is_none() && key.is_valid_at(visit.now) {
                    form method="post" action={ (own) "/rotate" } { (proof(visit)) button.quiet aria-label={ "Replace " (name) } { "Replace" } }
                }
                (twice("Revoke", name, "Calls with it are refused from then on, and sessions that it has opened end.", |button| html! {
                    form method="post" action={ (own) "/revoke" } { (proof(visit)) (button) }
                }))
            }
        }
    }
}

fn form(visit: &Visit, filled: &Filled, errors: &[FieldError]) -> Markup {
    let name = Field { name: "name", label: "Name", hint: "For people: which service has it.", errors };
    let workspace = Field {
        name: "workspace",
        label: "Workspace",
        hint: "Its id, for a key that knows of no other.",
        errors,
    };
    html! {
        (field::summary(errors))
        form.sheet method="post" action=(visit.paths.page("keys")) {
            (proof(visit))
            (name.wrap(&html! { input #f-name name="name" value=(filled.name) maxlength="128" autocomplete="off" aria-describedby=(name.note()) aria-invalid=[name.is_wrong()]; }))
            (scopes(filled, errors))
            (workspace.wrap(&html! { input #f-workspace name="workspace" value=(filled.workspace) autocomplete="off" spellcheck="false" aria-describedby=(workspace.note()) aria-invalid=[workspace.is_wrong()]; }))
            (ends(filled, errors))
            p { button { "Make the key" } }
        }
    }
}

fn scopes(filled: &Filled, errors: &[FieldError]) -> Markup {
    let field = Field { name: "scopes", label: "May", hint: "", errors };
    let rows = [
        ("publish", "publish events", &filled.publish),
        ("read", "read everything but secrets", &filled.read),
        ("admin", "do everything", &filled.admin),
    ];
    field.group(&html! {
        @for (scope, words, chosen) in rows {
            label.choice { input type="checkbox" name=(scope) checked[chosen.is_some()]; " " (words) }
        }
    })
}

fn ends(filled: &Filled, errors: &[FieldError]) -> Markup {
    let field = Field { name: "days", label: "Lives", hint: "", errors };
    field.wrap(&html! {
        select #f-days name="days" aria-describedby=(field.note()) aria-invalid=[field.is_wrong()] {
            @for (days, words) in LIVES { option value=(days) selected[days == filled.days] { (words) } }
        }
    })
}
