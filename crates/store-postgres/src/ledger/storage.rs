//! `storage`: what the whole store takes.

use std::sync::atomic::Ordering;

use signalpost_store::ledger::Storage;
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::retention;
use crate::session::Session;
use crate::shared::Board;

/// Our tables with their indexes, and what is in them.
pub(crate) const SELECT: &str = "SELECT
    (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'),
    (SELECT coalesce(sum(events), 0)::bigint FROM head) + (SELECT coalesce(sum(t.events), 0)::bigint FROM tally t
        WHERE EXISTS (SELECT 1 FROM head h WHERE h.workspace = t.workspace)),
    (SELECT accepted_at FROM message ORDER BY id LIMIT 1),
    (SELECT value FROM meta WHERE name = 'kept_bytes') + (SELECT coalesce(sum(kept_bytes), 0)::bigint FROM tally)";

/// What is free inside of tables PostgreSQL does not say without reading them. It is taken to be what they have beyond what
/// is counted in them, by the same measure as that of the bound on bytes.
pub(super) async fn run(session: &Session, board: &Board) -> Result<Storage, Failure> {
    let stored_bytes = retention::stored_bytes(session).await?;
    let found = session
        .one(SELECT, &[], |row| {
            let mut fields = Fields::new(row, "storage", 0);
            let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
            let database_bytes = unsigned(fields.integer("database_bytes")?).max(stored_bytes);
            let free_bytes = database_bytes - stored_bytes;
            let events = unsigned(fields.integer("events")?);
            let oldest_event_at = fields.optional_time("oldest_event_at")?;
            let answers_bytes = unsigned(fields.integer("answers_bytes")?);
            Ok(Storage {
                database_bytes,
                free_bytes,
                events,
                oldest_event_at,
                answers_bytes,
                ..Storage::default()
            })
        })
        .await?;
    let answers_forgotten = board.answers_forgotten.load(Ordering::Relaxed);
    Ok(Storage { answers_forgotten, ..found.unwrap_or_default() })
}
