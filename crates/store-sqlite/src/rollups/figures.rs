//! `figures`: of the installation, of a workspace or of a webhook, oldest first.

use rusqlite::{Connection, params};
use signalpost_core::figures::Figures;
use signalpost_core::limits::FIGURES_PAGE_MAX;
use signalpost_core::time::Timestamp;
use signalpost_store::rollups::ListFigures;
use signalpost_store::row::{self, Fields, figures_columns};

use crate::failure::Failure;
use crate::fetch::{fetch_all, fetch_one, limit};

/// Of the installation and of workspaces. Those of a workspace that is gone are as good as gone.
pub(crate) const SELECT_OF_OTHERS: &str = concat!(
    "SELECT at, ",
    figures_columns!(),
    " FROM figure WHERE webhook = 0 AND workspace = ?1 AND at >= ?2 AND at < ?3
        AND (?1 = 0 OR EXISTS (SELECT 1 FROM head WHERE workspace = ?1))
    ORDER BY at LIMIT ?4"
);
/// The first hour of these in which any webhook has figures.
pub(crate) const SELECT_NEXT_HOUR: &str =
    "SELECT at FROM figure WHERE webhook <> 0 AND at >= ?1 AND at < ?2 ORDER BY at LIMIT 1";
pub(crate) const SELECT_OF_WEBHOOK: &str = concat!(
    "SELECT at, ",
    figures_columns!(),
    " FROM figure WHERE at = ?1 AND workspace = ?2 AND webhook = ?3 AND EXISTS (SELECT 1 FROM head WHERE workspace = ?2)"
);

pub(super) fn run(
    connection: &Connection,
    params: &ListFigures,
) -> Result<Vec<(Timestamp, Figures)>, Failure> {
    let ListFigures { of, from, until, limit: rows } = *params;
    let (workspace, webhook) = of.parts();
    let rows = rows.min(FIGURES_PAGE_MAX);
    if webhook == 0 {
        let values = params![workspace, from.as_ms(), until.as_ms(), limit(rows)];
        return fetch_all(connection, SELECT_OF_OTHERS, values, row::figures);
    }
    let mut found = Vec::new();
    let mut next = from.as_ms();
    while found.len() < rows
        && let Some(hour) = next_hour(connection, next, until.as_ms())?
    {
        found.extend(fetch_one(
            connection,
            SELECT_OF_WEBHOOK,
            params![hour, workspace, webhook],
            row::figures,
        )?);
        next = hour + 1;
    }
    Ok(found)
}

/// Hours lie apart in the key, and there are not many: each is looked up.
pub(super) fn next_hour(
    connection: &Connection,
    from_ms: i64,
    until_ms: i64,
) -> Result<Option<i64>, Failure> {
    fetch_one(connection, SELECT_NEXT_HOUR, [from_ms, until_ms], |row| {
        Fields::new(row, "figure", 1).integer("at")
    })
}
