//! Reading what other nodes have changed.

use futures_util::future::try_join;
use signalpost_store::change::Change;
use signalpost_store::row::Fields;

use super::form::Columns;
use crate::failure::Failure;
use crate::session::{Session, limit};

pub(crate) const SELECT_SINCE: &str = "SELECT n, origin, kind, workspace, object, release_order
    FROM change WHERE n > $1 ORDER BY n LIMIT $2";
pub(crate) const SELECT_NEWEST: &str = "SELECT coalesce((SELECT n FROM change ORDER BY n DESC LIMIT 1), 0)";

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Where to read on: everything up to here is among the changes, or one's own.
    pub(crate) upto: i64,
    /// Of others, in their order.
    pub(crate) changes: Vec<(i64, Change)>,
    /// There may be more behind it.
    pub(crate) is_full: bool,
}

/// The number of the newest change; zero before the first.
pub(crate) async fn newest(session: &Session) -> Result<i64, Failure> {
    session.number(SELECT_NEWEST, &[]).await
}

/// What others than `origin` have changed after a number, of the next `rows` changes. [`Change::Any`] stands for those that are
/// not there any more, and for all when there are no such numbers: the database is an older one then, and numbers come again.
pub(crate) async fn read_since(
    session: &Session,
    after: i64,
    origin: i64,
    rows: usize,
) -> Result<Page, Failure> {
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&after, &limit(rows)];
    let found = session.all(SELECT_SINCE, &params, |row| {
        let mut fields = Fields::new(row, "change", 1);
        let (n, origin) = (fields.integer("n")?, fields.integer("origin")?);
        let columns = Columns {
            kind: fields.text("kind")?,
            workspace: fields.optional_integer("workspace")?,
            object: fields.optional_integer("object")?,
            release_order: fields.optional_text("release_order")?,
        };
        Ok((n, origin, columns.change()))
    });
    let (found, newest) = try_join(found, newest(session)).await?;
    if newest < after {
        return Ok(Page { upto: newest, changes: vec![(newest, Change::Any)], is_full: false });
    }
    let mut page = Page { upto: after, changes: Vec::new(), is_full: found.len() == rows };
    for (n, by, change) in found {
        if n != page.upto + 1 {
            page.changes.push((n - 1, Change::Any));
        }
        if by != origin {
            page.changes.push((n, change));
        }
        page.upto = n;
    }
    Ok(page)
}
