//! `top_failing`: of each hour those that failed most, and of them those that failed most of all.

use signalpost_core::limits::FAILING_LOOKED_AT_MAX;
use signalpost_store::rollups::{FailingWebhook, TopFailing, worst};
use signalpost_store::row;

use crate::failure::Failure;
use crate::session::{Session, limit};

macro_rules! failing {
    ($which:literal) => {
        concat!(
            "SELECT t.* FROM unnest($1::bigint[]) AS k (hour) CROSS JOIN LATERAL (
                SELECT f.webhook, w.public_id AS workspace, h.public_id, h.url, f.attempts_succeeded, f.attempts_failed
                FROM figure f JOIN webhook h ON h.id = f.webhook AND h.workspace = f.workspace AND h.deleted_at IS NULL
                    JOIN workspace w ON w.id = f.workspace JOIN head d ON d.workspace = f.workspace
                WHERE f.webhook <> 0 AND f.attempts_failed > 0 AND f.at = k.hour AND ",
            $which,
            " ORDER BY f.attempts_failed DESC, f.webhook LIMIT $2) AS t"
        )
    };
}

pub(crate) const SELECT: &str = failing!("true");
pub(crate) const SELECT_OF_WORKSPACE: &str = failing!("f.workspace = $3");

pub(super) async fn run(session: &Session, params: &TopFailing) -> Result<Vec<FailingWebhook>, Failure> {
    let hours: Vec<i64> = params.hours().map(|hour| hour.as_ms()).collect();
    let most = limit(FAILING_LOOKED_AT_MAX);
    let rows = match params.workspace {
        None => session.all(SELECT, &[&hours, &most], row::failing_webhook).await?,
        Some(workspace) => {
            session.all(SELECT_OF_WORKSPACE, &[&hours, &most, &workspace.raw()], row::failing_webhook).await?
        }
    };
    Ok(worst(rows, params.limit))
}
