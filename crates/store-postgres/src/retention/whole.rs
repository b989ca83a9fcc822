//! The bound of the whole store: what is oldest goes, whoever's it is, events and answers kept for calls alike.

use signalpost_store::StoreError;

use super::calls::{self, Call, ROWS_EACH};
use super::candidate::{Candidate, Judged, judge};
use super::remove;
use super::take::{PAGE_MAX, Seen, Taken, load, locks_of, seen, seen_columns, within};
use super::{Progress, Step};
use crate::failure::Failure;
use crate::session::{Session, limit};
use crate::work::{read, transact};
use crate::write::Write;

pub(crate) const SELECT_OLDEST: &str =
    concat!("SELECT ", seen_columns!(), " FROM message m WHERE m.id > $1 ORDER BY m.id LIMIT $2");
pub(crate) const SELECT_STORED: &str = "SELECT (
    (SELECT coalesce(sum(bytes), 0) FROM head)
    + (SELECT coalesce(sum(t.bytes), 0) FROM tally t
        WHERE EXISTS (SELECT 1 FROM head h WHERE h.workspace = t.workspace))
    + (SELECT value FROM meta WHERE name = 'kept_bytes')
    + (SELECT coalesce(sum(kept_bytes), 0) FROM tally))::bigint";

/// What can go next.
struct Oldest {
    events: Vec<Seen>,
    calls: Vec<Call>,
}

/// What a page has come to.
struct Page {
    taken: Taken,
    /// Events up to this id are done.
    upto: i64,
    /// Bytes that are still too many, without what has come and gone meanwhile.
    excess: i64,
    /// Others had removed some of it: they count for themselves.
    met_others: bool,
}

/// What the events of all workspaces count for, and the answers kept for calls. The sum stands for what the store takes:
/// how much of its files is free PostgreSQL cannot say without reading them.
pub(crate) async fn stored_bytes(session: &Session) -> Result<u64, Failure> {
    Ok(u64::try_from(session.number(SELECT_STORED, &[]).await?).unwrap_or(0))
}

/// Bytes above the bound; below zero when there is room.
async fn excess(session: &Session, bytes_max: u64) -> Result<i64, Failure> {
    let most = i64::try_from(bytes_max).unwrap_or(i64::MAX);
    Ok(session.number(SELECT_STORED, &[]).await?.saturating_sub(most))
}

pub(super) async fn step(
    step: &mut Step<'_>,
    after: &mut i64,
    looked: &mut u64,
    overfull_told: &mut bool,
) -> Result<Progress, StoreError> {
    let Some(bytes_max) = step.rules.bytes_max else { return Ok(Progress::Ended) };
    // Added up once a step and without locks: it reads a row of every workspace.
    let mut excess = read(step.pool, async |session| self::excess(session, bytes_max).await).await?;
    loop {
        if excess <= 0 {
            *overfull_told = false;
            return Ok(Progress::Ended);
        }
        if step.is_spent() {
            return Ok(Progress::Paused);
        }
        let oldest = read(step.pool, async |session| oldest(session, *after).await).await?;
        if oldest.events.is_empty() && oldest.calls.is_empty() {
            tell(overfull_told, bytes_max.saturating_add(excess.unsigned_abs()), bytes_max);
            return Ok(Progress::Ended);
        }
        let events = within(&oldest.events, step.left);
        let work = async |write: &mut Write<'_>| take(write, events, &oldest.calls, (*after, excess)).await;
        let page = transact(step.pool, &work).await?;
        *looked += step.note(&page.taken);
        (*after, excess) = (page.upto, page.excess);
        if page.met_others {
            excess = read(step.pool, async |session| self::excess(session, bytes_max).await).await?;
        }
    }
}

async fn oldest(session: &Session, after: i64) -> Result<Oldest, Failure> {
    let events = session.all(SELECT_OLDEST, &[&after, &limit(PAGE_MAX)], seen).await?;
    Ok(Oldest { events, calls: calls::oldest(session, i64::MIN).await? })
}

/// Removes what is oldest of these until the bound is kept: always the older of the next event and of the next call.
async fn take(
    write: &mut Write<'_>,
    seen: &[Seen],
    calls: &[Call],
    (after, mut excess): (i64, i64),
) -> Result<Page, Failure> {
    write.lock_moving_too(&[locks_of(seen), calls::locks_of(calls)].concat()).await?;
    let events = load(write, seen).await?;
    let mut chosen = Chosen { calls, forgotten: 0, gone: Vec::new(), held: Vec::new(), upto: after };
    chosen.choose(&events, judge(write, &events).await?, &mut excess);
    if seen.is_empty() {
        chosen.forget(None, &mut excess);
    } else if chosen.gone.len() + chosen.held.len() == events.len() {
        // What somebody else has removed is done as well.
        chosen.upto = seen.last().map_or(after, |last| last.id);
    }
    let forgotten = calls::remove(write, &calls[..chosen.forgotten]).await?;
    write.news.answers_forgotten += u64::try_from(forgotten).unwrap_or(0);
    let removed = remove::events(write, &chosen.gone).await?;
    // What is moving was looked at in vain, and so was what others had removed.
    let rows = seen.len() - events.len() + chosen.held.len() + ROWS_EACH * chosen.forgotten;
    let taken = Taken { held: chosen.held, rows, ..Taken::default() }.and(removed);
    Ok(Page { taken, upto: chosen.upto, excess, met_others: events.len() < seen.len() })
}

/// What goes of a page.
struct Chosen<'p> {
    /// The first, oldest first.
    calls: &'p [Call],
    /// So many of them go.
    forgotten: usize,
    gone: Vec<remove::Gone<'p>>,
    held: Vec<i64>,
    upto: i64,
}

impl<'p> Chosen<'p> {
    fn choose(&mut self, events: &'p [Candidate], judged: Vec<Judged>, excess: &mut i64) {
        for (event, judged) in events.iter().zip(judged) {
            self.forget(Some(event.accepted_at), excess);
            // Behind a whole page of calls there may be more that are older.
            if *excess <= 0 || self.forgotten == calls::PAGE_MAX {
                return;
            }
            match judged {
                Judged::Held => self.held.push(event.id),
                Judged::Ended(ended) => {
                    *excess = excess.saturating_sub(ended.bytes);
                    self.gone.push((event, ended));
                }
            }
            self.upto = event.id;
        }
    }

    /// Calls that were made before this time, in milliseconds since the epoch.
    fn forget(&mut self, before: Option<i64>, excess: &mut i64) {
        while *excess > 0
            && let Some(call) = self.calls.get(self.forgotten)
            && before.is_none_or(|before| call.at.as_ms() < before)
        {
            *excess = excess.saturating_sub(call.bytes);
            self.forgotten += 1;
        }
    }
}

/// Says once that the bound is not kept, until it is.
fn tell(overfull_told: &mut bool, stored_bytes: u64, bytes_max: u64) {
    if !std::mem::replace(overfull_told, true) {
        tracing::warn!(
            stored_bytes,
            bytes_max,
            "the store holds more than `retention.bytes`, and nothing more of it can go: the rest is pending, or no \
             history"
        );
    }
}
