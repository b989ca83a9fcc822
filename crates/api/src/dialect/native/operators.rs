//! `/v1/operators`: accounts of those who sign in at the dashboard with a name and a password.

use axum::Extension;
use axum::extract::{Request, State};
use http::{StatusCode, Uri};
use signalpost_core::error::{Error, FieldErrors};
use signalpost_core::id::OperatorAccountId;
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::role::Role;
use signalpost_core::secret::Secret;
use signalpost_engine::desk::accounts::{NewOperatorAccount, OperatorAccountChange};
use signalpost_engine::operator::Operator;

use super::{Shared, desk_wire as wire};
use crate::kit::body::read_json;
use crate::kit::fields::{Fields, Member};
use crate::kit::json::Object;
use crate::kit::page::{self, Page, Wanted};
use crate::kit::paths::Ids;
use crate::kit::query::Query;
use crate::kit::refusal::Answer;
use crate::kit::{cursor, reply};

const LIST: &str = "operators";

pub(super) async fn list(State(surface): Shared, uri: Uri) -> Answer {
    let mut query = Query::parse(uri.query())?;
    let mut errors = FieldErrors::default();
    let Wanted { position, limit } = page::take::<1>(LIST, &mut query, &mut errors);
    query.refuse_rest(&mut errors);
    errors.into_result()?;
    let after = position.map(|[id]| OperatorAccountId::from_raw(id));
    let mut rows = surface.desk().list_operator_accounts(after, limit + 1).await?;
    let more = page::cut(&mut rows, limit);
    let next_cursor = rows.last().filter(|_| more).map(|last| cursor::encode(LIST, &[last.id.raw()]));
    let data = rows.iter().map(|account| shown(account, None)).collect();
    reply::json(StatusCode::OK, &Page::<wire::OperatorAccount> { data, next_cursor })
}

pub(super) async fn create(
    State(surface): Shared,
    Extension(caller): Extension<Operator>,
    request: Request,
) -> Answer {
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    let mut fields = Fields::new(Object::parse(&body)?);
    let username = fields.required_text("username");
    let role = fields.required_text("role").and_then(|name| named(&mut fields, &name));
    let password = fields.optional_text("password");
    fields.refuse_rest("is not a property of an operator");
    fields.finish()?;
    let (Some(username), Some(role)) = (username, role) else {
        return Err(Error::internal("what is missing was noted").into());
    };
    let is_given = password.is_some();
    let new = NewOperatorAccount { username, role, password: password.as_deref().map(Secret::from_text) };
    let issued = surface.desk().create_operator_account(&caller, new).await?;
    let made = Some(&issued.password).filter(|_| !is_given);
    reply::json_once(StatusCode::CREATED, &shown(&issued.account, made))
}

pub(super) async fn update(
    State(surface): Shared,
    Extension(caller): Extension<Operator>,
    Ids([operator]): Ids<1>,
    request: Request,
) -> Answer {
    let body = read_json(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    // Whoever was revoked while the body arrived is told that first.
    let id = account_of(&operator)?;
    let mut fields = Fields::new(Object::parse(&body)?);
    let role = fields.text("role");
    let role = fields.unless_absent("role", role).and_then(|name| named(&mut fields, &name));
    let password = fields.text("password");
    fields.refuse_rest("is not a property of an operator that can be changed");
    fields.finish()?;
    let desk = surface.desk();
    let made = matches!(password, Member::Null).then(|| desk.mint_operator_password());
    let given = password.given().as_deref().map(Secret::from_text);
    let change = OperatorAccountChange { role, password: given.or_else(|| made.clone()) };
    let account = desk.update_operator_account(&caller, id, change).await?;
    reply::json_once(StatusCode::OK, &shown(&account, made.as_ref()))
}

pub(super) async fn delete(State(surface): Shared, Ids([operator]): Ids<1>) -> Answer {
    surface.desk().delete_operator_account(account_of(&operator)?).await?;
    Ok(reply::no_content())
}

fn named(fields: &mut Fields<'_>, name: &str) -> Option<Role> {
    let known = Role::ALL.map(Role::name).join(", ");
    fields.check("role", Role::from_name(name).ok_or(format!("must be one of {known}")))
}

fn account_of(public_id: &str) -> Result<OperatorAccountId, Error> {
    OperatorAccountId::from_public(public_id).ok_or_else(|| Error::not_found("operator account"))
}

/// With a password that was made here.
fn shown(account: &OperatorAccount, made: Option<&Secret>) -> wire::OperatorAccount {
    wire::OperatorAccount {
        id: account.id.to_public(),
        username: account.username.clone(),
        role: account.role.name(),
        password: made.map(|password| password.expose_text().to_owned()),
        created_at: account.created_at.to_rfc3339_ms(),
        updated_at: account.updated_at.to_rfc3339_ms(),
    }
}
