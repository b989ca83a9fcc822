//! `top_failing`: of each hour those that failed most, and of them those that failed most of all.

use rusqlite::{Connection, params};
use signalpost_core::limits::FAILING_LOOKED_AT_MAX;
use signalpost_store::rollups::{FailingWebhook, TopFailing, worst};
use signalpost_store::row;

use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};

macro_rules! failing {
    ($which:literal) => {
        concat!(
            "SELECT f.webhook, w.public_id, h.public_id, h.url, f.attempts_succeeded, f.attempts_failed
            FROM figure f CROSS JOIN webhook h CROSS JOIN workspace w
            WHERE f.webhook <> 0 AND f.attempts_failed > 0 AND f.at = ?1 AND ",
            $which,
            " AND h.id = f.webhook AND h.workspace = f.workspace AND h.deleted_at IS NULL AND w.id = f.workspace
                AND EXISTS (SELECT 1 FROM head d WHERE d.workspace = f.workspace)
            ORDER BY f.attempts_failed DESC, f.webhook LIMIT ?2"
        )
    };
}

pub(crate) const SELECT: &str = failing!("?3 IS NULL");
pub(crate) const SELECT_OF_WORKSPACE: &str = failing!("f.workspace = ?3");

pub(super) fn run(connection: &Connection, params: &TopFailing) -> Result<Vec<FailingWebhook>, Failure> {
    let workspace = params.workspace.map(|workspace| workspace.raw());
    let sql = if workspace.is_some() { SELECT_OF_WORKSPACE } else { SELECT };
    let mut hours = Vec::new();
    for hour in params.hours() {
        let values = params![hour.as_ms(), limit(FAILING_LOOKED_AT_MAX), workspace];
        hours.extend(fetch_all(connection, sql, values, row::failing_webhook)?);
    }
    Ok(worst(hours, params.limit))
}
