//! `feed`: events of a workspace in order of their sequence.
//!
//! An event gets its sequence and its row in `feed` in the transaction that stores it, and one connection writes all of
//! them: whatever a later commit adds stands behind everything that a reader can see.

use std::sync::Arc;

use rusqlite::{Connection, params};
use signalpost_core::event::{Event, Sequence};
use signalpost_core::profile::FeedRule;
use signalpost_store::StoreError;
use signalpost_store::ledger::{Feed, ReadFeed};

use super::events_by_id;
use crate::failure::Failure;
use crate::fetch::{Cells, fetch_one};
use signalpost_store::pages::FeedChoice;
use signalpost_store::row::{Fields, feed_place, feed_rule};

pub(crate) const SELECT_STATE: &str = "SELECT w.id, w.feed, h.expired_through
    FROM workspace w CROSS JOIN head h ON h.workspace = w.id WHERE w.id = ?1 AND w.erased_at IS NULL";
pub(crate) const SELECT: &str = "SELECT f.workspace, f.sequence, f.event, m.type, length(m.data)
    FROM feed f CROSS JOIN message m ON m.id = f.event
    WHERE f.workspace = ?1 AND f.sequence > ?2 ORDER BY f.sequence";

pub(super) fn run(connection: &Connection, params: &ReadFeed) -> Result<Option<Feed>, Failure> {
    let state = fetch_one(connection, SELECT_STATE, [params.workspace.raw()], |row| {
        let mut fields = Fields::new(row, "workspace", 1);
        fields.skip();
        Ok((feed_rule(&mut fields)?, Sequence(fields.integer("expired_through")?)))
    })?;
    let Some((rule, oldest)) = state else { return Ok(None) };
    if rule == FeedRule::Absent {
        return Err(StoreError::WrongState("the workspace keeps no feed").into());
    }
    let after = params.after.unwrap_or(oldest);
    if after < oldest {
        return Ok(Some(Feed::Expired { oldest }));
    }
    let FeedChoice { events, next, more, .. } = choose(connection, params, after)?;
    let events: Vec<Arc<Event>> = events_by_id::run(connection, &events)?;
    Ok(Some(Feed::Page { events, next, more }))
}

fn choose(connection: &Connection, params: &ReadFeed, after: Sequence) -> Result<FeedChoice, Failure> {
    let mut select = connection.prepare_cached(SELECT)?;
    let mut rows = select.query(params![params.workspace.raw(), after.0])?;
    let mut chosen = FeedChoice::behind(after);
    while let Some(row) = rows.next()? {
        if chosen.is_full_with(params, &feed_place(&Cells(row))?) {
            break;
        }
    }
    Ok(chosen)
}
