//! Who may sign in with a name and a password, and as what.

use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::error::{Error, ErrorCode, FieldError};
use signalpost_core::id::OperatorAccountId;
use signalpost_core::limits::OPERATOR_ACCOUNTS_MAX;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::role::Role;
use signalpost_core::secret::Secret;
use signalpost_engine::desk::accounts::{IssuedOperatorAccount, NewOperatorAccount, OperatorAccountChange};

use super::sessions;
use crate::look::field::{self, Field};
use crate::look::frame::{page_with, proof};
use crate::look::id;
use crate::look::time::moment;
use crate::look::twice::twice;
use crate::on_record::Deed;
use crate::request::{Path, Query};
use crate::sign_in::Nothing;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

#[derive(Default, Deserialize)]
pub(crate) struct Filled {
    #[serde(default)]
    username: String,
    #[serde(default)]
    role: String,
}

/// What the page shows beside the accounts.
#[derive(Default)]
struct Shown<'a> {
    asked: sessions::Asked,
    /// An account whose password is told.
    issued: Option<&'a IssuedOperatorAccount>,
    filled: Filled,
    errors: Vec<FieldError>,
}

#[derive(Deserialize)]
pub(crate) struct Changed {
    role: String,
}

pub(crate) async fn show(visit: Visit, Query(asked): Query<sessions::Asked>) -> Page {
    visit.must_administer_all()?;
    list(&visit, &Shown { asked, ..Shown::default() }).await
}

/// The password is made here, and shown this once.
pub(crate) async fn create(Posted(visit, filled): Posted<Filled>) -> Page {
    visit.must_administer_all()?;
    match make(&visit, &filled).await {
        Ok(issued) => list(&visit, &Shown { issued: Some(&issued), ..Shown::default() }).await,
        Err(error) => {
            list(&visit, &Shown { filled, errors: shown_on_form(error)?, ..Shown::default() }).await
        }
    }
}

async fn make(visit: &Visit, filled: &Filled) -> Result<IssuedOperatorAccount, Error> {
    let username = filled.username.trim();
    let new =
        NewOperatorAccount { username: username.to_owned(), role: named(&filled.role)?, password: None };
    let caller = visit.caller().await?;
    let deed = Deed { action: "operator.create", object: username, workspace: None };
    visit.on_record(deed, visit.desk.first().create_operator_account(&caller, new)).await
}

/// What the form says of a refusal, and at which field.
fn shown_on_form(error: Error) -> Result<Vec<FieldError>, Error> {
    match error.code {
        ErrorCode::Invalid if !error.fields.is_empty() => Ok(error.fields),
        ErrorCode::Conflict => Ok(vec![FieldError { field: "username".to_owned(), message: error.message }]),
        ErrorCode::LimitReached => Ok(vec![FieldError { field: String::new(), message: error.message }]),
        _ => Err(error),
    }
}

pub(crate) async fn set_role(Path(account): Path<String>, Posted(visit, changed): Posted<Changed>) -> Page {
    visit.must_administer_all()?;
    let change = OperatorAccountChange { role: Some(named(&changed.role)?), password: None };
    let deed = Deed { action: "operator.role", object: &account, workspace: None };
    let caller = visit.caller().await?;
    let set = visit.desk.first().update_operator_account(&caller, account_of(&account)?, change);
    visit.on_record(deed, set).await?;
    Ok(back(&visit))
}

/// A new one is made here, and shown this once.
pub(crate) async fn set_password(
    Path(account): Path<String>,
    Posted(visit, Nothing {}): Posted<Nothing>,
) -> Page {
    visit.must_administer_all()?;
    let engine = visit.desk.first();
    let password = engine.mint_operator_password();
    let change = OperatorAccountChange { role: None, password: Some(password.clone()) };
    let deed = Deed { action: "operator.password", object: &account, workspace: None };
    let caller = visit.caller().await?;
    let set = engine.update_operator_account(&caller, account_of(&account)?, change);
    let account = visit.on_record(deed, set).await?;
    let issued = IssuedOperatorAccount { account, password };
    list(&visit, &Shown { issued: Some(&issued), ..Shown::default() }).await
}

pub(crate) async fn delete(Path(account): Path<String>, Posted(visit, Nothing {}): Posted<Nothing>) -> Page {
    visit.must_administer_all()?;
    let deed = Deed { action: "operator.delete", object: &account, workspace: None };
    let delete = visit.desk.first().delete_operator_account(account_of(&account)?);
    visit.on_record(deed, delete).await?;
    Ok(back(&visit))
}

fn back(visit: &Visit) -> Response {
    Redirect::to(&visit.paths.page("operators")).into_response()
}

fn named(role: &str) -> Result<Role, Error> {
    Role::from_name(role).ok_or_else(|| Error::field("role", "must be viewer, support or admin"))
}

fn account_of(public_id: &str) -> Result<OperatorAccountId, Error> {
    OperatorAccountId::from_public(public_id).ok_or_else(|| Error::not_found("account"))
}

/// All of them, and those who are signed in.
async fn list(visit: &Visit, shown: &Shown<'_>) -> Page {
    let Shown { asked, issued, filled, errors } = shown;
    let accounts = visit.desk.first().list_operator_accounts(None, OPERATOR_ACCOUNTS_MAX).await?;
    let content = html! {
        h1 { "Operators" }
        @if let Some(IssuedOperatorAccount { account, password }) = issued { (shown_once(&account.username, password)) }
        @if accounts.is_empty() {
            p.empty { "Nobody has an account: everybody signs in with a key. Accounts tell people apart on record." }
        } @else { (table(visit, &accounts)) }
        (sessions::table(visit, asked).await?)
        h2 { "New operator" }
        (form(visit, filled, errors))
        p.muted {
            "A viewer looks at everything but secrets and changes nothing. Support sends again, and does not see what customers are sent. An admin does everything."
        }
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(page_with(status, visit, "Operators", &[], &content))
}

fn form(visit: &Visit, filled: &Filled, errors: &[FieldError]) -> Markup {
    let name = Field { name: "username", label: "User name", hint: "To sign in with.", errors };
    let role = Field { name: "role", label: "Role", hint: "", errors };
    let chosen = Role::from_name(&filled.role).unwrap_or(Role::Support);
    html! {
        (field::summary(errors))
        form.sheet method="post" action=(visit.paths.page("operators")) {
            (proof(visit))
            (name.wrap(&html! { input #f-username name="username" value=(filled.username) required maxlength="128" autocomplete="off" spellcheck="false" aria-describedby=(name.note()) aria-invalid=[name.is_wrong()]; }))
            (role.wrap(&html! { select #f-role name="role" aria-describedby=(role.note()) aria-invalid=[role.is_wrong()] { (choices(chosen)) } }))
            p { button { "Make the account" } }
        }
    }
}

fn shown_once(username: &str, password: &Secret) -> Markup {
    html! {
        div.advice role="status" {
            p { strong { "The password of " (username) } " is shown this once: " code { (password.expose_text()) } " " (id::copy(password.expose_text(), "Copy the password")) }
        }
    }
}

fn table(visit: &Visit, accounts: &[OperatorAccount]) -> Markup {
    html! {
        div.wide { table {
            thead { tr { th scope="col" { "Name" } th scope="col" { "Role" } th scope="col" { "Made" } th scope="col" { "Changed" } th scope="col" { "Do" } } }
            tbody { @for account in accounts { (row(visit, account)) } }
        } }
    }
}

/// Whatever is done here ends the account's sessions, so each says so.
fn row(visit: &Visit, account: &OperatorAccount) -> Markup {
    let own = visit.paths.page(&format!("operators/{}", account.id.to_public()));
    let name = &account.username;
    html! {
        tr {
            td { (name) }
            td {
                form.line method="post" action={ (own) "/role" } {
                    (proof(visit)) (roles_labelled(account)) button.quiet { "Change, and sign out" }
                }
            }
            td { (moment(account.created_at, visit.now)) }
            td { (moment(account.updated_at, visit.now)) }
            td {
                (twice("New password", &format!("for {name}"), "The one that they have opens nothing any more, and their sessions end.", |button| html! {
                    form method="post" action={ (own) "/password" } { (proof(visit)) (button) }
                }))
                (twice("Delete", name, "Their sessions end. What they did stays on record.", |button| html! {
                    form method="post" action={ (own) "/delete" } { (proof(visit)) (button) }
                }))
            }
        }
    }
}

fn roles_labelled(account: &OperatorAccount) -> Markup {
    html! {
        select name="role" aria-label={ "Role of " (account.username) } { (choices(account.role)) }
    }
}

fn choices(chosen: Role) -> Markup {
    html! { @for role in Role::ALL { option value=(role.name()) selected[role == chosen] { (role.name()) } } }
}
