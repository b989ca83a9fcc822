//! Rows into the target, each page in one transaction with how far the table has come.

use signalpost_store::StoreError;
use signalpost_store::row::Fields;
use signalpost_store::transfer::{Cell, Key, Page, Stand};

use super::tables::Bulk;
use super::{Move, MoveError, Phase, phase};
use crate::failure::Failure;
use crate::move_in::copy_in;
use crate::move_in::stand::written;
use crate::pool::Pool;
use crate::session::{Session, limit};
use crate::work::transact;
use crate::write::Write;

pub(super) const SELECT: &str = "SELECT name, come_to, done FROM moving_table WHERE move = $1 AND name = $2";
pub(super) const RAISE: &str =
    "INSERT INTO moving_table (move, name, rows, come_to, done) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (move, name) DO UPDATE SET rows = moving_table.rows + excluded.rows,
        come_to = coalesce(excluded.come_to, moving_table.come_to), done = excluded.done";
/// What comes into tables that are departing has to be looked at by whoever has them depart, and may lie behind the place that
/// this one has come to.
pub(super) const TOUCH: &str = "INSERT INTO touched (event) SELECT k FROM unnest($1::bigint[]) AS k
    JOIN departure d ON d.phase = 'carrying' AND k >= d.first AND k < d.ended";
pub(super) const SELECT_KNOWN_USER: &str = "SELECT u.username
    FROM unnest($1::text[], $2::text[], $3::text[]) AS k (dialect, username, public_id)
    JOIN \"user\" u ON u.dialect = k.dialect AND (u.username = k.username OR u.public_id = k.public_id) LIMIT 1";

/// How far a table has come.
pub(super) async fn stand(session: &Session, moving: i64, bulk: &Bulk) -> Result<Stand, Failure> {
    let name = bulk.table().name;
    let written = session.one(SELECT, &[&moving, &name], |row| written(row, "moving_table")).await?;
    Stand::recall(written, bulk.key_columns())
        .ok_or_else(|| StoreError::Unavailable(format!("moving_table {name}: come_to is no key")).into())
}

/// Behind the locks of the workspaces: whoever looks at events looks at all of a page or at nothing of it.
pub(super) async fn put(
    pool: &Pool,
    moving: &Move,
    bulk: &'static Bulk,
    page: &Page,
    cell: &str,
) -> Result<Result<(), MoveError>, StoreError> {
    let work = async |write: &mut Write<'_>| {
        write.lock_moving_too(&moving.locks()).await?;
        if phase(write, moving.id).await? != Some(Phase::Arriving) {
            return Err(StoreError::WrongState("the move was given up").into());
        }
        let table = bulk.table();
        if table.name == "user"
            && let Some(username) = known_user(write, page).await?
        {
            return Ok(Err(MoveError::KnownUser { username, cell: cell.to_owned() }));
        }
        if !page.rows.is_empty() {
            copy_in::copy(write, table, &page.rows).await?;
        }
        if table.name == "message" {
            write.execute(TOUCH, &[&ids(page)]).await?;
        }
        let (rows, come_to) = (limit(page.rows.len()), page.next.as_ref().map(Key::to_bytes));
        let done = i64::from(page.next.is_none());
        write.execute(RAISE, &[&moving.id, &table.name, &rows, &come_to, &done]).await?;
        Ok(Ok(()))
    };
    transact(pool, &work).await
}

/// By their first column.
fn ids(page: &Page) -> Vec<i64> {
    let id = |cell: &Cell| match cell {
        Cell::Integer(id) => Some(*id),
        _ => None,
    };
    page.rows.iter().filter_map(|row| row.first().and_then(id)).collect()
}

/// One of these users whom the target has already, or another of the same name.
async fn known_user(session: &Session, page: &Page) -> Result<Option<String>, Failure> {
    let texts =
        |column: usize| -> Vec<&str> { page.rows.iter().filter_map(|row| text_at(row, column)).collect() };
    // As `user` is described: id, dialect, public id, username.
    let (dialects, public_ids, usernames) = (texts(1), texts(2), texts(3));
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&dialects, &usernames, &public_ids];
    session
        .one(SELECT_KNOWN_USER, &params, |row| Ok(Fields::new(row, "user", 0).text("username")?.to_owned()))
        .await
}

fn text_at(row: &[Cell], column: usize) -> Option<&str> {
    match row.get(column) {
        Some(Cell::Text(text)) => Some(text),
        _ => None,
    }
}
