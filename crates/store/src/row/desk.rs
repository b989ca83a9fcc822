//! Sessions of those who operate, each with what opened it.

use signalpost_core::id::{OperatorSessionId, WorkspaceId};
use signalpost_core::operator_session::{Opener, OperatorSession};
use signalpost_core::role::Role;

use super::{Field, Fields, Row, scopes};
use crate::desk::OpenOperatorSession;

/// Of `operator_session s`, with the key `k` that has opened it where one has.
#[macro_export]
macro_rules! operator_session_columns {
    () => {
        "s.id, s.opener, s.opener_id, s.created_at, s.expires_at, k.workspace, k.name, k.scopes, k.expires_at"
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
    }
}

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
