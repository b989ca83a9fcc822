//! Users, their rights and their sessions.

use crate::catalog::HeldRight;
use signalpost_core::id::{CredentialId, UserId, WorkspaceId};
use signalpost_core::password::PasswordHash;
use signalpost_core::user::{Right, Session, User};

use super::{Field, Fields, Row, texts};

#[macro_export]
macro_rules! user_columns {
    () => {
        "u.id, u.dialect, u.public_id, u.username, u.display_name, u.created_at"
    };
}
pub use user_columns;

pub fn user(row: &Row<'_>) -> Field<User> {
    user_of(&mut Fields::new(row, "user", 1))
}

/// The password's hash stands after the user.
pub fn user_with_password(row: &Row<'_>) -> Field<(User, PasswordHash)> {
    let mut fields = Fields::new(row, "user", 1);
    Ok((user_of(&mut fields)?, PasswordHash::from_phc(fields.text("password")?.to_owned())))
}

/// The session stands after the user.
pub fn user_with_session(row: &Row<'_>) -> Field<(User, Session)> {
    let mut fields = Fields::new(row, "session", 1);
    let user = user_of(&mut fields)?;
    let (created_at, expires_at) = (fields.time("created_at")?, fields.time("expires_at")?);
    let session = Session { user: user.id, created_at, expires_at };
    Ok((user, session))
}

fn user_of(fields: &mut Fields<'_>) -> Field<User> {
    Ok(User {
        id: UserId::from_raw(fields.id("id")?),
        dialect: fields.text("dialect")?.to_owned(),
        public_id: fields.text("public_id")?.to_owned(),
        username: fields.text("username")?.to_owned(),
        display_name: fields.text("display_name")?.to_owned(),
        created_at: fields.time("created_at")?,
    })
}

#[macro_export]
macro_rules! right_columns {
    () => {
        "r.id, r.workspace, r.user, r.name, r.scopes, r.created_at, r.expires_at"
    };
}
pub use right_columns;

pub fn right(row: &Row<'_>) -> Field<Right> {
    right_of(&mut Fields::new(row, "user_right", 1))
}

/// The user stands after the right.
pub fn held_right(row: &Row<'_>) -> Field<HeldRight> {
    let mut fields = Fields::new(row, "user_right", 1);
    Ok(HeldRight { right: right_of(&mut fields)?, user: user_of(&mut fields)? })
}

/// A right that is there, and whose it is.
#[derive(Clone, Copy)]
pub struct RightKey {
    pub id: i64,
    pub user: UserId,
}

/// Columns of `user_right`: id, user.
pub fn right_key(row: &Row<'_>) -> Field<RightKey> {
    let mut fields = Fields::new(row, "user_right", 1);
    Ok(RightKey { id: fields.id("id")?, user: UserId::from_raw(fields.id("user")?) })
}

fn right_of(fields: &mut Fields<'_>) -> Field<Right> {
    Ok(Right {
        id: CredentialId::from_raw(fields.id("id")?),
        workspace: WorkspaceId::from_raw(fields.id("workspace")?),
        user: UserId::from_raw(fields.id("user")?),
        name: fields.optional_text("name")?.map(str::to_owned),
        scopes: texts(fields, "scopes")?,
        created_at: fields.time("created_at")?,
        expires_at: fields.optional_time("expires_at")?,
    })
}
