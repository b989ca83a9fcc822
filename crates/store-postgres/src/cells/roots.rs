//! What leads to everything else of a workspace: its row, its webhooks and keys, and what others find by looking at whatever
//! there is. It is read as a whole, when the source does not change it any more, and is written in one transaction.

use futures_util::{TryStreamExt, pin_mut};
use signalpost_store::StoreError;
use signalpost_store::transfer::{Cell, Checksum, KEPT_ANSWERS, Record, Table};
use tokio_postgres::types::ToSql;

use super::MoveError;
use super::read::unreadable;
use super::tables::described;
use crate::failure::Failure;
use crate::move_in::copy_in::{self, names};
use crate::session::{Cells, Session};
use crate::write::Write;

/// Tables, and which of their rows belong to workspaces.
const ROOTS: &[(&str, &str)] = &[
    ("workspace", "id = ANY($1::bigint[])"),
    ("webhook", "workspace = ANY($1::bigint[])"),
    ("signing_key", "workspace = ANY($1::bigint[])"),
    ("credential", "workspace = ANY($1::bigint[])"),
    ("operator_key", "workspace = ANY($1::bigint[])"),
    ("portal_session", "workspace = ANY($1::bigint[])"),
    ("user_right", "workspace = ANY($1::bigint[])"),
    ("session", "\"user\" IN (SELECT r.user FROM user_right r WHERE r.workspace = ANY($1::bigint[]))"),
    ("sweep", "webhook IN (SELECT h.id FROM webhook h WHERE h.workspace = ANY($1::bigint[]))"),
    ("unblock", "webhook IN (SELECT h.id FROM webhook h WHERE h.workspace = ANY($1::bigint[]))"),
    ("replay", "workspace = ANY($1::bigint[])"),
];
/// With what stands in `tally`.
pub(super) const SELECT_HEADS: &str = "SELECT h.workspace, h.version, (h.events + coalesce(t.events, 0))::bigint,
        (h.bytes + coalesce(t.bytes, 0))::bigint, (h.kept_bytes + coalesce(t.kept_bytes, 0))::bigint, h.expired_through
    FROM head h CROSS JOIN LATERAL (SELECT sum(t.events) AS events, sum(t.bytes) AS bytes, sum(t.kept_bytes) AS kept_bytes
        FROM tally t WHERE t.workspace = h.workspace) AS t
    WHERE h.workspace = ANY($1::bigint[])";
/// Without those that are superseded.
pub(super) const SELECT_PLACES: &str =
    "SELECT workspace, max(sequence) FROM place WHERE workspace = ANY($1::bigint[]) GROUP BY workspace";
/// Where `head` has what kept answers take, see [`SELECT_HEADS`].
const KEPT_BYTES: usize = 4;

pub(super) const UNCOUNT_KEPT: &str = "UPDATE head SET kept_bytes = 0 WHERE workspace = ANY($1::bigint[])";

/// Rows by table.
pub(super) type Roots = Vec<(&'static Table, Vec<Record>)>;

/// All that there is, as it is at one moment.
pub(super) async fn read(session: &Session, workspaces: &[i64]) -> Result<Roots, Failure> {
    let mut roots = Roots::new();
    for (table, sql) in selects() {
        roots.push((table, rows(session, table, &sql, workspaces).await?));
    }
    roots.iter_mut().filter(|(table, _)| table.name == "workspace").for_each(|(table, rows)| {
        let erased_at = table.columns.iter().position(|column| column.name == "erased_at");
        // They live where they come to.
        rows.iter_mut().for_each(|row| erased_at.into_iter().for_each(|place| row[place] = Cell::Null));
    });
    Ok(roots)
}

/// Each table with what finds its rows.
pub(super) fn selects() -> Vec<(&'static Table, String)> {
    let of = |(name, of_workspaces): &(&str, &str)| {
        let table = described(name);
        (table, format!("SELECT {} FROM \"{name}\" WHERE {of_workspaces}", names(table)))
    };
    let summed = [("head", SELECT_HEADS), ("place", SELECT_PLACES)];
    let summed = summed.map(|(name, sql)| (described(name), sql.to_owned()));
    // In the order in which they were kept, by which the target numbers them.
    let answers =
        format!("SELECT {} FROM once WHERE workspace = ANY($1::bigint[]) ORDER BY id", names(&KEPT_ANSWERS));
    ROOTS.iter().map(of).chain(summed).chain([(&KEPT_ANSWERS, answers)]).collect()
}

async fn rows(
    session: &Session,
    table: &Table,
    sql: &str,
    workspaces: &[i64],
) -> Result<Vec<Record>, Failure> {
    let params: [&(dyn ToSql + Sync); 1] = [&workspaces];
    let found = session.client().query_raw(sql, params).await?;
    pin_mut!(found);
    let mut rows = Vec::new();
    while let Some(row) = found.try_next().await? {
        rows.push(table.read(&Cells(&row)).map_err(unreadable)?);
    }
    Ok(rows)
}

/// Writes all of it and reads it back.
pub(super) async fn write(
    write: &mut Write<'_>,
    workspaces: &[i64],
    roots: &Roots,
) -> Result<Vec<(&'static str, Checksum)>, Failure> {
    for (table, rows) in roots {
        copy_in::copy(write, table, rows).await?;
    }
    let mut sums = Vec::with_capacity(roots.len());
    for ((table, rows), (_, there)) in roots.iter().zip(read(write, workspaces).await?) {
        let (source_sum, target_sum) = (sum_of(rows), sum_of(&there));
        if source_sum != target_sum {
            let differs = MoveError::Differs { table: table.name, source_sum, target_sum };
            return Err(StoreError::Unavailable(differs.to_string()).into());
        }
        sums.push((table.name, source_sum));
    }
    count_kept(write, workspaces, roots).await?;
    Ok(sums)
}

fn sum_of(rows: &[Record]) -> Checksum {
    let mut sum = Checksum::default();
    rows.iter().for_each(|row| sum.add(row));
    sum
}

/// What kept answers take is in the sums of the whole store, too: it is counted as if they had been kept here.
async fn count_kept(write: &mut Write<'_>, workspaces: &[i64], roots: &Roots) -> Result<(), Failure> {
    write.execute(UNCOUNT_KEPT, &[&workspaces]).await?;
    let heads = roots.iter().filter(|(table, _)| table.name == "head").flat_map(|(_, rows)| rows);
    for head in heads {
        if let (Cell::Integer(workspace), Cell::Integer(bytes)) = (&head[0], &head[KEPT_BYTES]) {
            write.count_kept(*workspace, *bytes);
        }
    }
    Ok(())
}
