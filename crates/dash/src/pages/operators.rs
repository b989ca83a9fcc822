//! Who may sign in with a name and a password, and as what.

use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::error::Error;
use signalpost_core::id::OperatorAccountId;
use signalpost_core::limits::OPERATOR_ACCOUNTS_MAX;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::role::Role;
use signalpost_core::secret::Secret;
use signalpost_engine::desk::accounts::{IssuedOperatorAccount, NewOperatorAccount, OperatorAccountChange};

use super::sessions;
use crate::look::frame::{page, proof};
use crate::look::id;
use crate::look::time::moment;
use crate::on_record::Deed;
use crate::request::{Path, Query};
use crate::sign_in::Nothing;
use crate::trouble::Page;
use crate::visit::{Posted, Visit};

#[derive(Deserialize)]
pub(crate) struct New {
    username: String,
    role: String,
}

#[derive(Deserialize)]
pub(crate) struct Changed {
    role: String,
}

pub(crate) async fn show(visit: Visit, Query(asked): Query<sessions::Asked>) -> Page {
    visit.must_administer_all()?;
    list(&visit, None, &asked).await
}

/// The password is made here, and shown this once.
pub(crate) async fn create(Posted(visit, New { username, role }): Posted<New>) -> Page {
    visit.must_administer_all()?;
    let new = NewOperatorAccount { username: username.clone(), role: named(&role)?, password: None };
    let deed = Deed { action: "operator.create", object: &username, workspace: None };
    let caller = visit.caller().await?;
    let create = visit.desk.first().create_operator_account(&caller, new);
    let issued = visit.on_record(deed, create).await?;
    list(&visit, Some(&issued), &sessions::Asked::default()).await
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
    list(&visit, Some(&IssuedOperatorAccount { account, password }), &sessions::Asked::default()).await
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

/// All of them, with one whose password is shown, and those who are signed in.
async fn list(visit: &Visit, issued: Option<&IssuedOperatorAccount>, asked: &sessions::Asked) -> Page {
    let accounts = visit.desk.first().list_operator_accounts(None, OPERATOR_ACCOUNTS_MAX).await?;
    let content = html! {
        h1 { "Operators" }
        @if let Some(IssuedOperatorAccount { account, password }) = issued { (shown_once(&account.username, password)) }
        @if accounts.is_empty() {
            p.empty { "Nobody has an account: everybody signs in with a key. Accounts tell people apart on record." }
        } @else { (table(visit, &accounts)) }
        (sessions::table(visit, asked).await?)
        h2 { "New operator" }
        form.line method="post" action=(visit.paths.page("operators")) {
            (proof(visit))
            label { "Name " input name="username" required maxlength="128" autocomplete="off" spellcheck="false"; }
            label { "Role " (roles(Role::Support)) }
            button { "Make the account" }
        }
        p.muted {
            "A viewer looks at everything but secrets and changes nothing. Support sends again, and does not see what customers are sent. An admin does everything."
        }
    };
    Ok(page(visit, "Operators", &[], &content))
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
    html! {
        tr {
            td { (account.username) }
            td {
                form.line method="post" action={ (own) "/role" } {
                    (proof(visit)) (roles_labelled(account)) button.quiet { "Change, and sign out" }
                }
            }
            td { (moment(account.created_at, visit.now)) }
            td { (moment(account.updated_at, visit.now)) }
            td {
                form.line method="post" action={ (own) "/password" } { (proof(visit)) button.quiet { "New password" } }
                form.line method="post" action={ (own) "/delete" } { (proof(visit)) button.quiet { "Delete " (account.username) } }
            }
        }
    }
}

fn roles_labelled(account: &OperatorAccount) -> Markup {
    html! {
        select name="role" aria-label={ "Role of " (account.username) } { (choices(account.role)) }
    }
}

fn roles(chosen: Role) -> Markup {
    html! { select name="role" { (choices(chosen)) } }
}

fn choices(chosen: Role) -> Markup {
    html! { @for role in Role::ALL { option value=(role.name()) selected[role == chosen] { (role.name()) } } }
}
