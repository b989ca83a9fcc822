//! `create_user`: a user, the first right and an open session, in one transaction.

use signalpost_core::user::User;
use signalpost_store::StoreError;
use signalpost_store::catalog::CreateUser;

use super::{grant_right, open_session};
use crate::failure::Failure;
use crate::write::Write;

pub(crate) const IS_NAME_TAKEN: &str = "SELECT 1 FROM \"user\" WHERE dialect = $1 AND username = $2";
pub(crate) const IS_ID_TAKEN: &str = "SELECT 1 FROM \"user\" WHERE dialect = $1 AND public_id = $2";
pub(crate) const INSERT: &str = "INSERT INTO \"user\"
    (id, dialect, public_id, username, display_name, password, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

pub(super) async fn run(write: &mut Write<'_>, params: &CreateUser) -> Result<(), Failure> {
    let CreateUser { user, password, right, session, hash } = params;
    write.lock_all(&grant_right::locks_of(right)).await?;
    if write.version(right.workspace).is_none() {
        return Err(StoreError::Missing("workspace").into());
    }
    check_names(write, user).await?;
    open_session::check_new(write, *hash).await?;
    let crowded_out = grant_right::crowded_out_by(write, right).await?;
    write
        .execute(
            INSERT,
            &[
                &user.id.raw(),
                &user.dialect,
                &user.public_id,
                &user.username,
                &user.display_name,
                &password.as_phc(),
                &user.created_at.as_ms(),
            ],
        )
        .await?;
    write.news.note_id(user.id.raw());
    open_session::replace(write, session, *hash).await?;
    grant_right::add(write, right, crowded_out).await
}

async fn check_names(write: &Write<'_>, user: &User) -> Result<(), Failure> {
    if write.exists(IS_NAME_TAKEN, &[&user.dialect, &user.username]).await? {
        return Err(StoreError::Taken("username").into());
    }
    if write.exists(IS_ID_TAKEN, &[&user.dialect, &user.public_id]).await? {
        return Err(StoreError::Taken("user id").into());
    }
    Ok(())
}
