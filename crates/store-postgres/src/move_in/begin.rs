//! The beginning and the end of a move.

use signalpost_store::row::Fields;
use signalpost_store::transfer::{Identity, TABLES, TransferError};

use super::{Problem, Standing, together};
use crate::failure::Failure;
use crate::session::Session;
use crate::spans::cover_what_was_before;

const SELECT: &str = "SELECT id, source, state, done FROM migration WHERE id = 1";
const INSERT: &str = "INSERT INTO migration (id, source, state, done) VALUES (1, $1, $2, 0)";
const FINISH: &str = "UPDATE migration SET done = 1 WHERE id = 1";
/// The rows with which a database is made; they come from the source now.
const CLEAR: &str = "DELETE FROM key_check; DELETE FROM counter; DELETE FROM meta;";
/// Answers are numbered here behind those that were kept there.
const NUMBER_ANSWERS: &str =
    "SELECT setval(pg_get_serial_sequence('once', 'id'), greatest(1, max(id) + 1), false) FROM once";
/// Of a database that was served from, and in which nothing was ever made.
const COUNTED: &str = "SELECT 1 FROM counter WHERE last <> 0
    UNION ALL SELECT 1 FROM meta WHERE value <> 0 AND name <> 'probed_at'
    UNION ALL SELECT 1 FROM tally LIMIT 1";
/// They hold rows from the beginning.
const NEVER_EMPTY: [&str; 3] = ["key_check", "counter", "meta"];

pub(super) async fn standing(session: &Session, identity: &Identity) -> Result<Standing, Problem> {
    let Some((begun, done)) = read(session).await? else {
        refuse_rows(session).await?;
        return Ok(Standing::Empty);
    };
    if done {
        return if begun.source == identity.source { Ok(Standing::Done) } else { Err(served().into()) };
    }
    if begun.source != identity.source {
        return Err(TransferError::OtherSource.into());
    }
    if begun.state != identity.state {
        return Err(TransferError::SourceChanged.into());
    }
    Ok(Standing::Begun)
}

/// Somebody else's data came here by a move that is done.
const fn served() -> TransferError {
    TransferError::NotEmpty("migration")
}

/// The move that was begun here, and whether it is done.
async fn read(session: &Session) -> Result<Option<(Identity, bool)>, Failure> {
    let found = session.one(SELECT, &[], |row| {
        let mut fields = Fields::new(row, "migration", 1);
        fields.skip();
        let mut digest = |column| {
            let bytes = fields.blob(column)?.try_into();
            bytes.map_err(|_| fields.corrupt(column, "it is no digest".to_owned()))
        };
        let (source, state) = (digest("source")?, digest("state")?);
        Ok((Identity { source, state }, fields.integer("done")? != 0))
    });
    found.await
}

async fn refuse_rows(session: &Session) -> Result<(), Problem> {
    for table in TABLES.iter().filter(|table| !NEVER_EMPTY.contains(&table.name)) {
        let sql = format!("SELECT 1 FROM \"{}\" LIMIT 1", table.name);
        if session.client().query_opt(&sql, &[]).await?.is_some() {
            return Err(TransferError::NotEmpty(table.name).into());
        }
    }
    if session.exists(COUNTED, &[]).await? {
        return Err(TransferError::NotEmpty("counter").into());
    }
    Ok(())
}

pub(super) async fn begin(session: &Session, identity: &Identity) -> Result<(), Problem> {
    let work = async {
        session.execute(INSERT, &[&identity.source.as_slice(), &identity.state.as_slice()]).await?;
        cover_what_was_before(session).await?;
        Ok(session.batch(CLEAR).await?)
    };
    together(session, work).await
}

pub(super) async fn finish(session: &Session) -> Result<(), Problem> {
    let work = async {
        session.number(NUMBER_ANSWERS, &[]).await?;
        session.execute(FINISH, &[]).await?;
        Ok(())
    };
    together(session, work).await
}
