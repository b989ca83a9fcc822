//! `list_acts`: newest first, in pages of rows of which those that pass are handed out.

use rusqlite::{Connection, params};
use signalpost_store::desk::{ActPage, ListActs};
use signalpost_store::pages::ActChoice;
use signalpost_store::row::{self, act_columns};

use crate::failure::Failure;
use crate::fetch::{fetch_all, limit};

pub(crate) const SELECT: &str =
    concat!("SELECT ", act_columns!(), " FROM operator_act WHERE id < ?1 ORDER BY id DESC LIMIT ?2");
/// Acts that are looked at in one query.
const LOOK_ROWS: usize = 256;

pub(super) fn run(connection: &Connection, params: &ListActs) -> Result<ActPage, Failure> {
    let mut before = params.before.map_or(i64::MAX, |before| before.raw());
    let rows = params.rows_at_once(LOOK_ROWS);
    let mut chosen = ActChoice::of(params);
    loop {
        let page = fetch_all(connection, SELECT, params![before, limit(rows)], row::act)?;
        let Some(last) = page.last().map(|act| act.id.raw()) else { return Ok(chosen.finish()) };
        before = last;
        if page.into_iter().any(|act| chosen.is_full_with(act)) {
            return Ok(chosen.finish());
        }
    }
}
