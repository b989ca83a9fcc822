//! What has left for another cell, which has not said yet that it is there: nobody serves it for that moment, and whoever asks
//! is told to ask again. Looked for only where nothing was found.

use signalpost_core::id::WorkspaceId;
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::session::{Params, Session};

macro_rules! away {
    ($workspace:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM moving v JOIN cell_move m ON m.id = v.move
                WHERE v.workspace = ",
            $workspace,
            " AND m.phase = 'gone' OFFSET 0)"
        )
    };
}

pub(crate) const IS_AWAY: &str = concat!("SELECT 1 WHERE ", away!("$1"));
pub(crate) const IS_NAMED_AWAY: &str =
    concat!("SELECT 1 FROM workspace w WHERE w.public_id = $1 AND ", away!("w.id"));
pub(crate) const HAS_CREDENTIAL_AWAY: &str =
    concat!("SELECT 1 FROM credential c WHERE c.hash = $1 AND ", away!("c.workspace"));
pub(crate) const HAS_SESSION_AWAY: &str = concat!(
    "SELECT 1 FROM session s JOIN user_right r ON r.user = s.user WHERE s.hash = $1 AND ",
    away!("r.workspace"),
    " LIMIT 1"
);
pub(crate) const HAS_PORTAL_SESSION_AWAY: &str =
    concat!("SELECT 1 FROM portal_session s WHERE s.hash = $1 AND ", away!("s.workspace"));
pub(crate) const HAS_ACCOUNT_AWAY: &str = concat!(
    "SELECT 1 FROM \"user\" u JOIN user_right r ON r.user = u.id WHERE u.dialect = $1 AND u.username = $2 AND ",
    away!("r.workspace"),
    " LIMIT 1"
);
pub(crate) const HAS_WEBHOOK_AWAY: &str = concat!(
    "SELECT 1 FROM webhook h JOIN workspace w ON w.id = h.workspace
     WHERE h.public_id = $1 AND h.deleted_at IS NULL AND w.dialect = $2 AND ",
    away!("w.id"),
    " LIMIT 1"
);
pub(crate) const HAS_SIGNING_KEY_AWAY: &str = concat!(
    "SELECT 1 FROM signing_key k JOIN workspace w ON w.id = k.workspace
     WHERE k.public_id = $1 AND k.deleted_at IS NULL AND w.dialect = $2 AND ",
    away!("w.id"),
    " LIMIT 1"
);

/// What was found; `Moving` where nothing was, and one of these statements finds what it may have been.
pub(crate) async fn or_away<T>(
    session: &Session,
    found: Option<T>,
    (sql, params): (&'static str, Params<'_>),
) -> Result<Option<T>, Failure> {
    if found.is_none() && session.exists(sql, params).await? {
        return Err(StoreError::Moving.into());
    }
    Ok(found)
}

/// The same of a workspace that is known by its id.
pub(crate) async fn workspace_or_away<T>(
    session: &Session,
    found: Option<T>,
    workspace: WorkspaceId,
) -> Result<Option<T>, Failure> {
    or_away(session, found, (IS_AWAY, &[&workspace.raw()])).await
}
