//! `usage`: what one workspace has stored. Counted as it comes and goes.

use signalpost_core::id::WorkspaceId;
use signalpost_store::ledger::Usage;
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT: &str =
    "SELECT h.workspace, h.events + t.events, h.bytes + t.bytes FROM head h CROSS JOIN LATERAL (
        SELECT coalesce(sum(t.events), 0)::bigint AS events, coalesce(sum(t.bytes), 0)::bigint AS bytes
        FROM tally t WHERE t.workspace = h.workspace) AS t
    WHERE h.workspace = $1";

pub(crate) async fn run(session: &Session, workspace: WorkspaceId) -> Result<Option<Usage>, Failure> {
    let found = session
        .one(SELECT, &[&workspace.raw()], |row| {
            let mut fields = Fields::new(row, "head", 1);
            fields.skip();
            // What is being removed may be counted out before it was counted in.
            let unsigned = |count: i64| u64::try_from(count).unwrap_or(0);
            Ok(Usage {
                events: unsigned(fields.integer("events")?),
                bytes: unsigned(fields.integer("bytes")?),
            })
        })
        .await?;
    Ok(found)
}
