//! What is in a table by now, read as a whole.

use futures_util::{TryStreamExt, pin_mut};
use signalpost_store::transfer::{Checksum, Table};
use tokio_postgres::types::ToSql;

use super::Problem;
use super::copy_in::names;
use crate::session::{Cells, Session};

/// The rows come one by one, and no faster than they are taken.
pub(super) async fn checksum(session: &Session, table: &Table) -> Result<Checksum, Problem> {
    let sql = format!("SELECT {} FROM \"{}\"", names(table), table.name);
    let none: [&(dyn ToSql + Sync); 0] = [];
    let rows = session.client().query_raw(&sql, none).await?;
    pin_mut!(rows);
    let mut sum = Checksum::default();
    while let Some(row) = rows.try_next().await? {
        sum.add(&table.read(&Cells(&row))?);
    }
    Ok(sum)
}
