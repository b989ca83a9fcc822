//! Each workspace in turn: its bound on bytes, then the ages of events and of payloads.
//!
//! Events of a workspace lie together in the order of their ids. By age a phase ends at the first that is young, so a look at
//! the first of all says whether there is anything to do. What goes with its table (`crate::spans`) is passed over. Events that are bare stay for long, though, so up to where they are
//! is remembered.

use signalpost_core::id::WorkspaceId;
use signalpost_core::retention::{Fate, RetentionDefault};
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;
use signalpost_store::row::{Field, Fields, Row, retention, retention_default};

use super::candidate::{Judged, judge};
use super::remove;
use super::take::{PAGE_MAX, Seen, Taken, Wanted, load, seen, seen_columns, take, within};
use super::walk::{First, Phase, Places, Tour, Visit};
use super::{Progress, Step, earlier};
use crate::failure::Failure;
use crate::ledger::usage;
use crate::locks::Locked;
use crate::session::{Session, limit};
use crate::spans::LeftToTables;
use crate::work::{read, transact};
use crate::write::Write;

/// With the times of their first events. What is moving stays as it is.
pub(crate) const SELECT_NEXT: &str =
    "SELECT w.id, w.for_ever, w.event_age_s, w.payload_age_s, w.bytes_max, f.id, f.accepted_at
    FROM workspace w LEFT JOIN LATERAL (
        SELECT m.id, m.accepted_at FROM message m WHERE m.workspace = w.id ORDER BY m.id + 0 LIMIT 1) AS f ON true
    WHERE w.id > $1 AND w.erased_at IS NULL AND NOT EXISTS (SELECT 1 FROM moving v WHERE v.workspace = w.id OFFSET 0)
    ORDER BY w.id LIMIT 64";
pub(crate) const SELECT_OLDEST: &str = concat!(
    "SELECT ",
    seen_columns!(),
    " FROM message m WHERE m.workspace = $1 AND m.id + 0 > $2 ORDER BY m.id + 0 LIMIT $3"
);
pub(crate) const SELECT_HELD: &str = concat!(
    "SELECT ",
    seen_columns!(),
    " FROM unnest($2::bigint[]) AS k CROSS JOIN LATERAL (
        SELECT * FROM message m WHERE m.workspace = $1 AND m.id = k OFFSET 0) AS m
     ORDER BY m.id"
);

/// Events that are older than this come after none that is still to be stored: nodes' clocks differ by less, and commits
/// are faster.
const SETTLED_MS: i64 = 10 * 60 * 1_000;

pub(super) async fn step(
    step: &mut Step<'_>,
    tour: &mut Tour,
    places: &mut Places,
    looked: &mut u64,
) -> Result<Progress, StoreError> {
    while !step.is_spent() {
        if tour.visits.is_empty() && !read_on(step, tour).await? {
            return Ok(Progress::Ended);
        }
        let Some(visit) = tour.visits.front_mut() else { return Ok(Progress::Ended) };
        let (held, young_at) = match pass(step, visit, places).await? {
            Pass::Paused { held } => {
                *looked += held;
                continue;
            }
            Pass::Ended { held, young_at } => (held, young_at),
        };
        *looked += held;
        tour.next_at = earlier(tour.next_at, next_at(step, visit, young_at));
        if !visit.go_on() {
            step.spend(1);
            *looked += 1;
            tour.visits.pop_front();
        }
    }
    Ok(Progress::Paused)
}

/// Reads the next workspaces; `false` at the end.
async fn read_on(step: &Step<'_>, tour: &mut Tour) -> Result<bool, StoreError> {
    let next =
        async |session: &Session| session.all(SELECT_NEXT, &[&tour.after], |row| visit(step, row)).await;
    tour.visits = read(step.pool, next).await?.into();
    tour.after = tour.visits.back().map_or(tour.after, |last| last.workspace.raw());
    Ok(!tour.visits.is_empty())
}

fn visit(step: &Step<'_>, row: &Row<'_>) -> Field<Visit> {
    let mut fields = Fields::new(row, "workspace", 1);
    let workspace = WorkspaceId::from_raw(fields.id("id")?);
    let default = retention_default(&mut fields)?;
    let overrides = retention(&mut fields)?;
    let rules = step.rules.with(default, &overrides);
    let is_of_server = default == RetentionDefault::Server && overrides.event_age_max.is_none();
    let first = (fields.optional_integer("id")?, fields.optional_integer("accepted_at")?);
    let first = first.0.zip(first.1).map(|(id, accepted_at)| First { id, accepted_at });
    Ok(Visit { workspace, rules, is_of_server, first, phase: Phase::Bytes, after: i64::MIN })
}

impl Visit {
    /// To the next phase; `false` after the last.
    fn go_on(&mut self) -> bool {
        self.phase = match self.phase {
            Phase::Bytes => Phase::Events,
            // What loses its payload no earlier than it goes itself is what is held.
            Phase::Events if self.rules.payload_age_max.is_none() || self.goes_at_once() => return false,
            Phase::Events => Phase::HeldPayloads,
            Phase::HeldPayloads => Phase::Payloads,
            Phase::Payloads => return false,
        };
        self.after = i64::MIN;
        true
    }

    /// Whether what this phase removes goes with tables where it can.
    fn goes_with_tables(&self) -> bool {
        self.is_of_server && self.phase == Phase::Events
    }

    /// Whether no payload goes before its event.
    fn goes_at_once(&self) -> bool {
        self.rules
            .event_age_max
            .is_some_and(|age| self.rules.payload_age_max.is_some_and(|payload| payload >= age))
    }

    /// Whether the phase is after events that were accepted then.
    fn is_old(&self, accepted_at: Timestamp, now: Timestamp) -> bool {
        match self.rules.fate(accepted_at, now) {
            Fate::Removed => true,
            Fate::LosesPayload => matches!(self.phase, Phase::HeldPayloads | Phase::Payloads),
            Fate::Kept => false,
        }
    }
}

/// How far one look at a phase has come, and how many events it has left because something of them is pending.
enum Pass {
    Paused {
        held: u64,
    },
    /// With the time of the first event that is young.
    Ended {
        held: u64,
        young_at: Option<i64>,
    },
}

const NOTHING_TO_DO: Pass = Pass::Ended { held: 0, young_at: None };

/// A page of a phase.
async fn pass(step: &mut Step<'_>, visit: &mut Visit, places: &mut Places) -> Result<Pass, StoreError> {
    match visit.phase {
        Phase::Bytes => shrink(step, visit).await,
        Phase::Events if visit.rules.event_age_max.is_none() => Ok(NOTHING_TO_DO),
        Phase::HeldPayloads => again(step, visit, places).await,
        Phase::Events | Phase::Payloads => by_age(step, visit, places).await,
    }
}

/// Removes the oldest events until the workspace's bound on bytes is kept.
async fn shrink(step: &mut Step<'_>, visit: &mut Visit) -> Result<Pass, StoreError> {
    let Some(bytes_max) = visit.rules.bytes_max else { return Ok(NOTHING_TO_DO) };
    let workspace = visit.workspace;
    if read(step.pool, async |session| excess(session, workspace, bytes_max).await).await? <= 0 {
        return Ok(NOTHING_TO_DO);
    }
    let page = page(step, visit).await?;
    let page = within(&page, step.left);
    let Some(last) = page.last() else { return Ok(NOTHING_TO_DO) };
    let work = async |write: &mut Write<'_>| shrink_page(write, workspace, page, bytes_max).await;
    let taken = transact(step.pool, &work).await?;
    visit.after = last.id;
    Ok(Pass::Paused { held: step.note(&taken) })
}

async fn shrink_page(
    write: &mut Write<'_>,
    workspace: WorkspaceId,
    page: &[Seen],
    bytes_max: u64,
) -> Result<Taken, Failure> {
    write.lock_moving_too(&[Locked::Workspace(workspace)]).await?;
    let mut excess = excess(write, workspace, bytes_max).await?;
    let events = load(write, page).await?;
    let (mut gone, mut held) = (Vec::new(), Vec::new());
    for (event, judged) in events.iter().zip(judge(write, &events).await?) {
        match judged {
            _ if excess <= 0 => break,
            Judged::Held => held.push(event.id),
            Judged::Ended(ended) => {
                excess = excess.saturating_sub(ended.bytes);
                gone.push((event, ended));
            }
        }
    }
    let taken = Taken { rows: 1 + held.len(), held, ..Taken::default() };
    remove::events(write, &gone).await.map(|removed| taken.and(removed))
}

/// What a workspace has above its bound; nothing when it is gone.
async fn excess(session: &Session, workspace: WorkspaceId, bytes_max: u64) -> Result<i64, Failure> {
    let bytes = usage::run(session, workspace).await?.map_or(0, |usage| usage.bytes);
    Ok(i64::try_from(bytes.saturating_sub(bytes_max)).unwrap_or(i64::MAX))
}

/// Looks at payloads that are held.
async fn again(step: &mut Step<'_>, visit: &mut Visit, places: &mut Places) -> Result<Pass, StoreError> {
    let (workspace, now) = (visit.workspace, step.now);
    let held = places.held(workspace, visit.after, PAGE_MAX);
    let Some(last) = held.last() else { return Ok(NOTHING_TO_DO) };
    let found =
        read(step.pool, async |session| session.all(SELECT_HELD, &[&workspace.raw(), &held], seen).await)
            .await?;
    let with_payload: Vec<Seen> = found.into_iter().filter(|event| !event.is_bare).collect();
    let (old, young): (Vec<Seen>, Vec<Seen>) =
        with_payload.into_iter().partition(|event| visit.is_old(event.accepted_at, now));
    let taken = take(step.pool, &old, Wanted::Payloads, now).await?;
    step.spend(held.len());
    for event in &held {
        if !taken.held.contains(event) && young.iter().all(|young| young.id != *event) {
            places.release(workspace, *event);
        }
    }
    visit.after = *last;
    Ok(Pass::Paused { held: step.note(&taken) })
}

/// Removes what is old up to the first event that is young.
async fn by_age(step: &mut Step<'_>, visit: &mut Visit, places: &mut Places) -> Result<Pass, StoreError> {
    let now = step.now;
    let first_at = visit.first.map(|first| Timestamp::from_ms(first.accepted_at));
    // One from the future says nothing of those behind it: the clock was set back.
    if first_at.is_none_or(|first_at| first_at <= now && !visit.is_old(first_at, now)) {
        return Ok(Pass::Ended { held: 0, young_at: first_at.map(Timestamp::as_ms) });
    }
    let left = if visit.goes_with_tables() { step.left_to_tables } else { LeftToTables::NONE };
    if visit.first.is_some_and(|first| left.has(first.id, Timestamp::from_ms(first.accepted_at))) {
        return Ok(NOTHING_TO_DO);
    }
    let wanted = if visit.phase == Phase::Events { Wanted::Events } else { Wanted::Payloads };
    if visit.phase == Phase::Payloads {
        visit.after = visit.after.max(places.bare_upto(visit.workspace));
    }
    let mut page = page(step, visit).await?;
    let found = page.len();
    page.retain(|event| !left.has(event.id, event.accepted_at));
    if page.is_empty() {
        return Ok(NOTHING_TO_DO);
    }
    let in_reach = within(&page, step.left);
    let is_young = |event: &Seen| event.accepted_at <= now && !visit.is_old(event.accepted_at, now);
    let young = in_reach.iter().position(is_young);
    let met = &in_reach[..young.unwrap_or(in_reach.len())];
    let goes = |event: &Seen| event.accepted_at <= now && !(visit.phase == Phase::Payloads && event.is_bare);
    let old: Vec<Seen> = met.iter().filter(|event| goes(event)).copied().collect();
    let taken = take(step.pool, &old, wanted, now).await?;
    step.spend(met.len());
    if visit.phase == Phase::Payloads {
        remember(visit, places, met, &taken, now);
    }
    visit.after = met.last().map_or(visit.after, |last| last.id);
    let held = step.note(&taken);
    Ok(match young {
        Some(young) => Pass::Ended { held, young_at: Some(in_reach[young].accepted_at.as_ms()) },
        None if met.len() == page.len() && (found < PAGE_MAX || page.len() < found) => {
            Pass::Ended { held, young_at: None }
        }
        None => Pass::Paused { held },
    })
}

/// Moves the place up to which payloads are dealt with, as far as nothing can come before it any more.
fn remember(visit: &Visit, places: &mut Places, met: &[Seen], taken: &Taken, now: Timestamp) {
    if places.bare_upto(visit.workspace) < visit.after {
        // Something before this page is not settled.
        return;
    }
    for event in met {
        let stays = event.accepted_at > now || taken.held.contains(&event.id);
        let is_settled = event.accepted_at > now || now.ms_since(event.accepted_at) >= SETTLED_MS;
        if !is_settled || (stays && !places.hold(visit.workspace, event.id)) {
            return;
        }
        places.set_bare_upto(visit.workspace, event.id);
    }
}

async fn page(step: &Step<'_>, visit: &Visit) -> Result<Vec<Seen>, StoreError> {
    let (workspace, after) = (visit.workspace.raw(), visit.after);
    let oldest = async |session: &Session| {
        session.all(SELECT_OLDEST, &[&workspace, &after, &limit(PAGE_MAX)], seen).await
    };
    read(step.pool, oldest).await
}

/// When the first event that a phase has found too young will be old enough for it, or one that comes now.
fn next_at(step: &Step<'_>, visit: &Visit, young_at: Option<i64>) -> Option<i64> {
    let age = match visit.phase {
        Phase::Bytes | Phase::HeldPayloads => None,
        Phase::Events => visit.rules.event_age_max,
        Phase::Payloads => visit.rules.payload_age_max,
    };
    let age_ms = i64::try_from(age?.as_millis()).unwrap_or(i64::MAX);
    Some(young_at.unwrap_or(step.now.as_ms()).saturating_add(age_ms)).filter(|at| *at > step.now.as_ms())
}
