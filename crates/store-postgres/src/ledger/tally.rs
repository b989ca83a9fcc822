//! Adding up what has come and gone, so that few rows say what is there; and forgetting places that are superseded.

use std::collections::BTreeMap;

use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::session::limit;
use crate::write::Write;

/// Rows that another node adds up at the moment are passed over.
pub(crate) const TAKE: &str = "DELETE FROM tally WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM tally ORDER BY workspace LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING workspace, events, bytes, kept_bytes";
pub(crate) const ADD: &str = "UPDATE head SET events = head.events + k.events, bytes = head.bytes + k.bytes,
        kept_bytes = head.kept_bytes + k.kept_bytes
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS k (workspace, events, bytes, kept_bytes)
    WHERE head.workspace = k.workspace";
pub(crate) const ADD_KEPT: &str =
    "UPDATE meta SET value = value + CASE name WHEN 'kept_bytes' THEN $1::bigint ELSE $2::bigint END
    WHERE name IN ('kept_bytes', 'kept_bytes_outside') AND ($1::bigint <> 0 OR $2::bigint <> 0)";
/// All but the last of each workspace among the first that there are behind a place.
pub(crate) const FORGET_PLACES: &str = "WITH page AS (
        SELECT workspace, sequence, lead(workspace) OVER (ORDER BY workspace, sequence) AS behind
        FROM (SELECT workspace, sequence FROM place WHERE (workspace, sequence) > ($1, $2)
            ORDER BY workspace, sequence LIMIT $3) AS p),
    gone AS (
        DELETE FROM place p USING page WHERE page.behind = page.workspace
            AND p.workspace = page.workspace AND p.sequence = page.sequence)
    SELECT workspace, sequence, (SELECT count(*) FROM page) FROM page ORDER BY workspace DESC, sequence DESC LIMIT 1";

/// What was counted for a place.
#[derive(Default)]
struct Sum {
    events: i64,
    bytes: i64,
    kept_bytes: i64,
}

/// Adds some rows up; `true` when there may be more.
pub(super) async fn step(write: &Write<'_>) -> Result<bool, Failure> {
    let rows = write
        .all(TAKE, &[&limit(UPKEEP_ROWS_MAX)], |row| {
            let mut fields = Fields::new(row, "tally", 1);
            let place = fields.integer("workspace")?;
            let (events, bytes) = (fields.integer("events")?, fields.integer("bytes")?);
            Ok((place, Sum { events, bytes, kept_bytes: fields.integer("kept_bytes")? }))
        })
        .await?;
    let is_full = rows.len() == UPKEEP_ROWS_MAX;
    let mut sums: BTreeMap<i64, Sum> = BTreeMap::new();
    for (place, row) in rows {
        let sum = sums.entry(place).or_default();
        sum.events += row.events;
        sum.bytes += row.bytes;
        sum.kept_bytes += row.kept_bytes;
    }
    if !sums.is_empty() {
        add(write, &sums).await?;
    }
    Ok(is_full)
}

async fn add(write: &Write<'_>, sums: &BTreeMap<i64, Sum>) -> Result<(), Failure> {
    let column = |of: fn(&Sum) -> i64| sums.values().map(of).collect::<Vec<i64>>();
    let places: Vec<i64> = sums.keys().copied().collect();
    let (events, bytes) = (column(|sum| sum.events), column(|sum| sum.bytes));
    let kept = column(|sum| sum.kept_bytes);
    write.execute(ADD, &[&places, &events, &bytes, &kept]).await?;
    let outside = sums.get(&signalpost_store::once::OUTSIDE).map_or(0, |sum| sum.kept_bytes);
    write.execute(ADD_KEPT, &[&kept.iter().sum::<i64>(), &outside]).await?;
    Ok(())
}

/// Forgets some superseded places; where it has come to, or `None` at the end.
pub(super) async fn forget_places(
    write: &Write<'_>,
    after: (i64, i64),
) -> Result<Option<(i64, i64)>, Failure> {
    let last = write
        .one(FORGET_PLACES, &[&after.0, &after.1, &limit(UPKEEP_ROWS_MAX)], |row| {
            let mut fields = Fields::new(row, "place", 2);
            let place = (fields.integer("workspace")?, fields.integer("sequence")?);
            Ok((place, fields.count::<usize>("count")?))
        })
        .await?;
    // The last of a page stays whatever comes behind it, and is looked at again from just before it.
    Ok(last
        .filter(|(_, rows)| *rows == UPKEEP_ROWS_MAX)
        .map(|((workspace, sequence), _)| (workspace, sequence - 1)))
}
