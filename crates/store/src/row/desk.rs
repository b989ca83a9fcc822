//! Accounts of those who operate, their sessions, each with what opened it, and what was done.

use std::net::IpAddr;

use signalpost_core::act::{Act, ActResult, Action, Actor, ActorId, Surface};
use signalpost_core::id::{ActId, OperatorAccountId, OperatorSessionId, WorkspaceId};
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_session::{Opener, OperatorSession};
use signalpost_core::password::PasswordHash;
use signalpost_core::role::Role;

use super::{Field, Fields, Row, scopes};
use crate::desk::{OpenOperatorSession, OperatorLogin};

#[macro_export]
macro_rules! operator_account_columns {
    () => {
        "id, username, role, created_at, updated_at"
    };
}
pub use operator_account_columns;

pub fn operator_account(row: &Row<'_>) -> Field<OperatorAccount> {
    account_of(&mut Fields::new(row, "operator_account", 1))
}

/// The password's hash stands after the account.
pub fn operator_login(row: &Row<'_>) -> Field<OperatorLogin> {
    let mut fields = Fields::new(row, "operator_account", 1);
    let account = account_of(&mut fields)?;
    Ok(OperatorLogin { account, password: PasswordHash::from_phc(fields.text("password")?.to_owned()) })
}

fn account_of(fields: &mut Fields<'_>) -> Field<OperatorAccount> {
    Ok(OperatorAccount {
        id: OperatorAccountId::from_raw(fields.id("id")?),
        username: fields.text("username")?.to_owned(),
        role: read(fields, "role", Role::from_name)?,
        created_at: fields.time("created_at")?,
        updated_at: fields.time("updated_at")?,
    })
}

/// Of `operator_session s`, with the key `k` or the account `a` that has opened it where one has.
#[macro_export]
macro_rules! operator_session_columns {
    () => {
        "s.id, s.opener, s.opener_id, s.created_at, s.expires_at, k.workspace, k.name, k.scopes, k.expires_at, \
         a.username, a.role"
    };
}
pub use operator_session_columns;

/// Nothing of a session whose opener is gone may come here.
pub fn operator_session(row: &Row<'_>) -> Field<OpenOperatorSession> {
    let mut fields = Fields::new(row, "operator_session", 1);
    let id = OperatorSessionId::from_raw(fields.id("id")?);
    let (kind, number) = (fields.text("opener")?, fields.integer("opener_id")?);
    let opener = Opener::from_parts(kind, number)
        .ok_or_else(|| fields.corrupt("opener", format!("{number} of {kind:?} has opened nothing")))?;
    let (created_at, expires_at) = (fields.time("created_at")?, fields.time("expires_at")?);
    let session = OperatorSession { id, opener, role: Role::Admin, workspace: None, created_at, expires_at };
    match opener {
        Opener::Root { .. } => Ok(OpenOperatorSession { session, opener_name: None }),
        Opener::Key(_) => of_key(session, &mut fields),
        Opener::Account(_) => of_account(session, &mut fields),
    }
}

fn of_account(session: OperatorSession, fields: &mut Fields<'_>) -> Field<OpenOperatorSession> {
    (0..KEY_COLUMNS).for_each(|_| fields.skip());
    let opener_name = Some(fields.text("username")?.to_owned());
    let role = read(fields, "role", Role::from_name)?;
    Ok(OpenOperatorSession { session: OperatorSession { role, ..session }, opener_name })
}

/// Those of a key that stand before those of an account.
const KEY_COLUMNS: usize = 4;

fn of_key(session: OperatorSession, fields: &mut Fields<'_>) -> Field<OpenOperatorSession> {
    let workspace = fields.optional_id("workspace")?.map(WorkspaceId::from_raw);
    let opener_name = fields.optional_text("name")?.map(str::to_owned);
    let role = Role::of_scopes(&scopes(fields)?)
        .ok_or_else(|| fields.corrupt("scopes", "a key that may only publish opens no session".to_owned()))?;
    let end = fields.optional_time("expires_at")?;
    let expires_at = end.map_or(session.expires_at, |end| end.min(session.expires_at));
    Ok(OpenOperatorSession {
        session: OperatorSession { role, workspace, expires_at, ..session },
        opener_name,
    })
}

#[macro_export]
macro_rules! act_columns {
    () => {
        "id, at, actor, actor_id, actor_name, action, object, workspace, surface, address, request_id, result, status, detail"
    };
}
pub use act_columns;

pub fn act(row: &Row<'_>) -> Field<Act> {
    let mut fields = Fields::new(row, "operator_act", 1);
    Ok(Act {
        id: ActId::from_raw(fields.id("id")?),
        at: fields.time("at")?,
        by: actor(&mut fields)?,
        action: read(&mut fields, "action", Action::from_text)?,
        object: fields.text("object")?.to_owned(),
        workspace: fields.optional_text("workspace")?.map(str::to_owned),
        surface: read(&mut fields, "surface", Surface::from_name)?,
        address: fields
            .optional("address", |fields, column| read(fields, column, |text| text.parse::<IpAddr>().ok()))?,
        request_id: fields.text("request_id")?.to_owned(),
        result: act_result(&mut fields)?,
        detail: fields.text("detail")?.to_owned(),
    })
}

fn actor(fields: &mut Fields<'_>) -> Field<Actor> {
    let (kind, id) = (fields.text("actor")?, fields.optional_integer("actor_id")?);
    let name = fields.optional_text("actor_name")?.map(str::to_owned);
    let actor = ActorId::from_parts(kind, id).and_then(|id| Actor::from_parts(id, name));
    actor.ok_or_else(|| fields.corrupt("actor", format!("{id:?} of {kind:?} is nobody")))
}

/// The next two columns as what came of an act.
pub fn act_result(fields: &mut Fields<'_>) -> Field<ActResult> {
    let (name, status) = (fields.text("result")?, fields.optional_count("status")?);
    ActResult::from_parts(name, status)
        .ok_or_else(|| fields.corrupt("result", format!("{name:?} with the status {status:?} is no result")))
}

fn read<T>(fields: &mut Fields<'_>, column: &'static str, from: impl FnOnce(&str) -> Option<T>) -> Field<T> {
    let text = fields.text(column)?;
    from(text).ok_or_else(|| fields.corrupt(column, format!("{text:?} is none that is known")))
}
