//! Rows of the source, page by page, behind a key.

use futures_util::{TryStreamExt, pin_mut};
use signalpost_store::StoreError;
use signalpost_store::transfer::{Bounds, Cell, Key, Page, Record, TransferError};
use tokio_postgres::types::ToSql;

use super::tables::Bulk;
use crate::failure::Failure;
use crate::move_in::copy_in::Put;
use crate::session::{Cells, Session, limit};

/// Some rows behind a key: of the owner that it names, and of those behind it.
pub(super) async fn page(
    session: &Session,
    bulk: &Bulk,
    owners: &[i64],
    after: Option<&Key>,
    bounds: Bounds,
) -> Result<Page, Failure> {
    let mut page = Filling { rows: Vec::new(), bytes: 0, bounds };
    let mut next = owners;
    if let Some(Key(cells)) = after {
        let Some((Cell::Integer(owner), rest)) = cells.split_first() else { return Err(no_key(bulk)) };
        next = &owners[owners.partition_point(|known| known <= owner)..];
        if let Some(sql) = bulk.select_more() {
            let rest: Vec<Put<'_>> = rest.iter().map(Put).collect();
            let rows = limit(page.room());
            let mut params: Vec<&(dyn ToSql + Sync)> = vec![owner];
            params.extend(rest.iter().map(|cell| cell as &(dyn ToSql + Sync)));
            params.push(&rows);
            page.fill(session, bulk, &sql, params).await?;
        }
    }
    if !next.is_empty() && !page.is_full() {
        let rows = limit(page.room());
        page.fill(session, bulk, &bulk.select_next(), vec![&next, &rows]).await?;
    }
    let next = page.rows.last().filter(|_| page.is_full()).map(|row| bulk.key_of(row));
    Ok(Page { rows: page.rows, next })
}

fn no_key(bulk: &Bulk) -> Failure {
    StoreError::Unavailable(format!("what is noted of {} is no key", bulk.table().name)).into()
}

/// A page that is being read.
struct Filling {
    rows: Vec<Record>,
    bytes: usize,
    bounds: Bounds,
}

impl Filling {
    fn room(&self) -> usize {
        self.bounds.rows - self.rows.len()
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= self.bounds.rows || self.bytes >= self.bounds.bytes
    }

    /// Takes rows as they come; those that are too many are left, and come with the next page.
    async fn fill(
        &mut self,
        session: &Session,
        bulk: &Bulk,
        sql: &str,
        params: Vec<&(dyn ToSql + Sync)>,
    ) -> Result<(), Failure> {
        let rows = session.client().query_raw(sql, params).await?;
        pin_mut!(rows);
        while !self.is_full()
            && let Some(row) = rows.try_next().await?
        {
            let row = bulk.table().read(&Cells(&row)).map_err(unreadable)?;
            self.bytes += row.iter().map(Cell::bytes).sum::<usize>();
            self.rows.push(row);
        }
        Ok(())
    }
}

pub(super) fn unreadable(error: TransferError) -> Failure {
    StoreError::Unavailable(error.to_string()).into()
}
