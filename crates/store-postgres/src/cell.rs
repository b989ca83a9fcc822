//! Which part of an installation a database is. It says so itself, so that no two are taken for each other, and what is made in
//! one is never called what something is called in another (`core/src/cell.rs`).

use signalpost_core::cell::CellNumber;
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::locks::Locked;
use crate::open::OpenError;
use crate::pool::Pool;
use crate::schema;
use crate::session::Session;
use crate::write::Write;

pub(crate) const SELECT: &str = "SELECT value FROM meta WHERE name = 'cell'";
pub(crate) const INSERT: &str = "INSERT INTO meta (name, value) VALUES ('cell', $1)";
/// Something has been made here.
pub(crate) const IS_USED: &str = "SELECT 1 FROM counter WHERE last <> 0
    UNION ALL SELECT 1 FROM workspace UNION ALL SELECT 1 FROM operator_key LIMIT 1";
pub(crate) const BEGIN_COUNTERS: &str = "UPDATE counter SET last = $1";

/// Makes the database the cell that it is opened as. `OtherCell` and `NotEmpty` when it cannot be that one.
pub(crate) async fn settle(pool: &Pool) -> Result<(), OpenError> {
    let session = pool.take().await?;
    // Whoever becomes a node waits, so that nobody has a number yet which is another cell's.
    let write = Write::begin_locked(&session, &pool.shared, &[Locked::Nodes]).await?;
    match be(&write, pool.shared.cell).await {
        Ok(()) => Ok(write.commit().await.map(drop)?),
        Err(refusal) => {
            write.roll_back().await;
            Err(refusal)
        }
    }
}

async fn be(session: &Session, wanted: Option<CellNumber>) -> Result<(), OpenError> {
    match (read(session).await?, wanted) {
        (None, None) => Ok(()),
        (None, Some(wanted)) => begin(session, wanted).await,
        (Some(found), wanted) if wanted == Some(found) => Ok(()),
        (Some(found), wanted) => Err(OpenError::OtherCell { found, wanted }),
    }
}

async fn read(session: &Session) -> Result<Option<CellNumber>, Failure> {
    let number = |row: &signalpost_store::row::Row<'_>| {
        let mut fields = Fields::new(row, "meta", 0);
        let number = fields.integer("value")?;
        let known = usize::try_from(number).ok().and_then(CellNumber::new);
        known.ok_or_else(|| fields.corrupt("value", format!("{number} is no cell")))
    };
    session.one(SELECT, &[], number).await
}

/// An installation that was one database becomes its own first cell.
async fn begin(session: &Session, wanted: CellNumber) -> Result<(), OpenError> {
    // They would give themselves the numbers of other cells, and serve what is moving.
    schema::shut_out_before_cells(session).await?;
    if wanted.number() > 0 {
        if session.exists(IS_USED, &[]).await? {
            return Err(OpenError::NotEmpty { wanted });
        }
        let taken = wanted.public_numbers().start - 1;
        session.execute(BEGIN_COUNTERS, &[&taken]).await?;
    }
    let number = i64::try_from(wanted.number()).expect("there are few");
    session.execute(INSERT, &[&number]).await?;
    Ok(())
}
