//! Saying that we live, and that others do not.

use signalpost_core::time::Timestamp;
use signalpost_store::row::{Fields, Row};

use super::{Duty, Node};
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const UPDATE: &str = "UPDATE node SET renewed_at = clock_timestamp(), delivers = $3, seen = $4
    WHERE number = $1 AND token = $2
    RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
pub(crate) const FORGET: &str = "DELETE FROM node WHERE token = ANY($1::bigint[])";
/// One that is being renewed this very moment is passed over.
pub(crate) const FORGET_EXPIRED: &str = "DELETE FROM node WHERE number = ANY(ARRAY(SELECT number FROM node
    WHERE renewed_at <= clock_timestamp() - $1::bigint * interval '1 millisecond' FOR UPDATE SKIP LOCKED))
    RETURNING process";

/// What the server's clock said; `None` when others have removed our row: the lease had run out.
///
/// `seen` is told again with every renewal: where telling it at once has failed, whoever waits for us would wait for ever.
pub(super) async fn renew(
    session: &Session,
    node: &Node,
    duty: Duty,
    seen: i64,
) -> Result<Option<Timestamp>, Failure> {
    let (number, delivers) = (i64::from(node.number), duty == Duty::Delivers);
    let now = |row: &Row<'_>| Fields::new(row, "node", 0).integer("renewed_at");
    let now = session.one(UPDATE, &[&number, &node.token, &delivers, &seen], now).await?;
    Ok(now.map(Timestamp::from_ms))
}

/// Nodes that are gone for certain. Their groups are nobody's from here on.
pub(super) async fn forget(session: &Session, tokens: &[i64]) -> Result<(), Failure> {
    if !tokens.is_empty() {
        session.execute(FORGET, &[&tokens]).await?;
    }
    Ok(())
}

/// Nodes that have not renewed their leases in time: their processes.
pub(super) async fn forget_expired(session: &Session, lease_ms: i64) -> Result<Vec<String>, Failure> {
    let process = |row: &Row<'_>| Fields::new(row, "node", 0).text("process").map(str::to_owned);
    session.all(FORGET_EXPIRED, &[&lease_ms], process).await
}
