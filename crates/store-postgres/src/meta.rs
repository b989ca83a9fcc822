//! The single numbers that the store keeps about itself.

use crate::failure::Failure;
use crate::session::Session;

pub(crate) const HIGHEST_DELETED_ID: &str = "highest_deleted_id";
pub(crate) const PROBED_AT: &str = "probed_at";

const UPDATE: &str = "UPDATE meta SET value = $2 WHERE name = $1";
/// Touches the row only where that changes something.
const RAISE: &str = "UPDATE meta SET value = $2 WHERE name = $1 AND value < $2";
const SELECT_HIGHEST_ID: &str = "SELECT greatest(0,
    (SELECT max(id) FROM workspace), (SELECT max(id) FROM webhook), (SELECT max(id) FROM signing_key),
    (SELECT max(id) FROM credential), (SELECT max(id) FROM operator_key), (SELECT max(id) FROM \"user\"),
    (SELECT max(id) FROM user_right), (SELECT max(id) FROM replay), (SELECT max(id) FROM message),
    (SELECT max(id) FROM operator_account), (SELECT max(id) FROM operator_session), (SELECT max(id) FROM operator_act),
    (SELECT max(id) FROM portal_session),
    (SELECT value FROM meta WHERE name = 'highest_deleted_id'))";

pub(crate) async fn write(session: &Session, name: &'static str, value: i64) -> Result<(), Failure> {
    session.execute(UPDATE, &[&name, &value]).await?;
    Ok(())
}

/// Writes a value unless a higher one stands there.
pub(crate) async fn raise(session: &Session, name: &'static str, value: i64) -> Result<(), Failure> {
    session.execute(RAISE, &[&name, &value]).await?;
    Ok(())
}

/// The highest number among all ids that are or were stored.
pub(crate) async fn highest_id(session: &Session) -> Result<i64, Failure> {
    session.number(SELECT_HIGHEST_ID, &[]).await
}
