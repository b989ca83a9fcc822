//! `feed`: events of a workspace in order of their sequence.
//!
//! An event gets its sequence and its row in `feed` while its workspace is locked, to the commit: whatever a later commit
//! adds, on whatever node, stands behind everything that a reader can see. No snapshot is asked which transactions are still
//! open, so nobody's open transaction holds a feed up.

use signalpost_core::event::Sequence;
use signalpost_core::profile::FeedRule;
use signalpost_store::StoreError;
use signalpost_store::ledger::{Feed, ReadFeed};
use signalpost_store::pages::FeedChoice;
use signalpost_store::row::{Fields, feed_place, feed_rule};

use super::events_by_id;
use crate::failure::Failure;
use crate::session::{Session, limit};

pub(crate) const SELECT_STATE: &str = "SELECT w.id, w.feed, h.expired_through
    FROM workspace w JOIN head h ON h.workspace = w.id WHERE w.id = $1 AND w.erased_at IS NULL";
pub(crate) const SELECT: &str = "SELECT f.workspace, f.sequence, f.event, m.type, length(m.data)
    FROM (SELECT * FROM feed WHERE workspace = $1 AND sequence > $2 ORDER BY sequence LIMIT $3) AS f
    CROSS JOIN LATERAL (SELECT m.type, m.data FROM message m WHERE m.id = f.event OFFSET 0) AS m
    ORDER BY f.sequence";

/// Events that are looked at in one query.
const LOOK_ROWS: usize = 512;

pub(super) async fn run(session: &Session, params: &ReadFeed) -> Result<Option<Feed>, Failure> {
    let state = session
        .one(SELECT_STATE, &[&params.workspace.raw()], |row| {
            let mut fields = Fields::new(row, "workspace", 1);
            fields.skip();
            Ok((feed_rule(&mut fields)?, Sequence(fields.integer("expired_through")?)))
        })
        .await?;
    let Some((rule, oldest)) = state else { return Ok(None) };
    if rule == FeedRule::Absent {
        return Err(StoreError::WrongState("the workspace keeps no feed").into());
    }
    let after = params.after.unwrap_or(oldest);
    if after < oldest {
        return Ok(Some(Feed::Expired { oldest }));
    }
    let FeedChoice { events, next, more, .. } = choose(session, params, after).await?;
    let events = events_by_id::run(session, &events).await?;
    Ok(Some(Feed::Page { events, next, more }))
}

async fn choose(session: &Session, params: &ReadFeed, after: Sequence) -> Result<FeedChoice, Failure> {
    let mut chosen = FeedChoice::behind(after);
    // One more than is wanted shows whether there is more.
    let rows =
        if params.types.is_empty() { params.limit.saturating_add(1).min(LOOK_ROWS) } else { LOOK_ROWS };
    loop {
        let page =
            session.all(SELECT, &[&params.workspace.raw(), &chosen.next.0, &limit(rows)], feed_place).await?;
        let is_last = page.len() < rows;
        for place in page {
            if chosen.is_full_with(params, &place) {
                return Ok(chosen);
            }
        }
        if is_last {
            return Ok(chosen);
        }
    }
}
