//! Writing down what a transaction has changed.

use futures_util::future::try_join;
use signalpost_store::change::Change;

use super::form::Columns;
use crate::failure::Failure;
use crate::locks::{self, Locked};
use crate::session::Session;
use crate::shared::Shared;

/// Gives the highest number.
pub(crate) const INSERT: &str = "WITH added AS (
    INSERT INTO change (n, origin, kind, workspace, object, release_order)
        SELECT coalesce((SELECT n FROM change ORDER BY n DESC LIMIT 1), 0) + k.place,
            $1, k.kind, k.workspace, k.object, k.release_order
        FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[])
            WITH ORDINALITY AS k (kind, workspace, object, release_order, place)
        RETURNING n)
    SELECT max(n) FROM added";

/// What a commit has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The number of the last of its changes.
    pub(crate) upto: i64,
    /// See [`Change::revokes`].
    pub(crate) revokes: bool,
}

/// Takes the lock behind which numbers are given, and writes. Nothing may come behind it but the commit: who waits for this lock
/// may have any other, and whoever has it must need none.
pub(crate) async fn insert(
    session: &Session,
    shared: &Shared,
    changes: &[Change],
) -> Result<Option<Changed>, Failure> {
    if changes.is_empty() {
        return Ok(None);
    }
    let columns: Vec<Columns<'_>> = changes.iter().map(Columns::of).collect();
    let kinds: Vec<&str> = columns.iter().map(|columns| columns.kind).collect();
    let workspaces: Vec<Option<i64>> = columns.iter().map(|columns| columns.workspace).collect();
    let objects: Vec<Option<i64>> = columns.iter().map(|columns| columns.object).collect();
    let orders: Vec<Option<&str>> = columns.iter().map(|columns| columns.release_order).collect();
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&shared.origin, &kinds, &workspaces, &objects, &orders];
    let locked = locks::take(session, shared.schema_key, &[Locked::Changes]);
    let ((), upto) = try_join(locked, session.number(INSERT, &params)).await?;
    Ok(Some(Changed { upto, revokes: changes.iter().any(Change::revokes) }))
}
