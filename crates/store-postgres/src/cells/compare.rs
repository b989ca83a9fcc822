//! What is in a table by now of what is copied, read as a whole and not by the pages of the copy.

use futures_util::{TryStreamExt, pin_mut};
use signalpost_store::StoreError;
use signalpost_store::transfer::Checksum;
use tokio_postgres::types::ToSql;

use super::read::unreadable;
use super::tables::Bulk;
use crate::failure::Failure;
use crate::pool::Pool;
use crate::session::{Cells, Session, Standing};

pub(super) async fn checksum(pool: &Pool, bulk: &Bulk, owners: &[i64]) -> Result<Checksum, StoreError> {
    let summed = async {
        let session = pool.take().await?;
        session.set_standing(Standing::Reading);
        // It takes as long as it takes, and nobody waits for it.
        session.batch("BEGIN READ ONLY; SET LOCAL statement_timeout = 0").await?;
        let sum = sum(&session, bulk, owners).await?;
        session.batch("COMMIT").await?;
        session.set_standing(Standing::Idle);
        Ok(sum)
    };
    summed.await.map_err(Failure::into_store_error)
}

async fn sum(session: &Session, bulk: &Bulk, owners: &[i64]) -> Result<Checksum, Failure> {
    let params: [&(dyn ToSql + Sync); 1] = [&owners];
    let rows = session.client().query_raw(&bulk.select_all(), params).await?;
    pin_mut!(rows);
    let mut sum = Checksum::default();
    while let Some(row) = rows.try_next().await? {
        sum.add(&bulk.table().read(&Cells(&row)).map_err(unreadable)?);
    }
    Ok(sum)
}
