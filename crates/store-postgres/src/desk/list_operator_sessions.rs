//! `list_operator_sessions`: newest first.

use signalpost_store::desk::{ListOperatorSessions, OpenOperatorSession};
use signalpost_store::row;
use signalpost_store::row::operator_session_columns;

use super::from_open_sessions;
use crate::failure::Failure;
use crate::session::{Session, limit};

pub(crate) const SELECT: &str = concat!(
    "SELECT ",
    operator_session_columns!(),
    from_open_sessions!(),
    " AND s.id < $1 AND s.expires_at > $2 AND (k.expires_at IS NULL OR k.expires_at > $2)
    ORDER BY s.id DESC LIMIT $3"
);

pub(super) async fn run(
    session: &Session,
    params: ListOperatorSessions,
) -> Result<Vec<OpenOperatorSession>, Failure> {
    let ListOperatorSessions { at, before, limit: rows } = params;
    let before = before.map_or(i64::MAX, |before| before.raw());
    session.all(SELECT, &[&before, &at.as_ms(), &limit(rows)], row::operator_session).await
}
