//! The ages of events whose workspace has no rules of its own, in order of their ids: they lie together by age,
//! whoever's they are.
//!
//! A frontier is remembered: up to it every such event is gone, or among a bounded number that are held because
//! something of them is pending.

use std::collections::{BTreeMap, BTreeSet};

use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::{DIRECTORY_WORKSPACES_MAX, RETENTION_HELD_MAX};
use signalpost_core::retention::{Fate, RetentionDefault, RetentionOverrides, WorkspaceRetention};
use signalpost_core::time::Timestamp;

use super::candidate::{Candidate, Judged, Payload, candidate, candidate_columns, judge};
use super::remove::{Listing, Remover};
use super::{Progress, Step};
use crate::failure::Failure;
use crate::fetch::{exists, fetch_all, fetch_one};
use crate::write::Write;

pub(crate) const SELECT_OLDEST: &str =
    concat!("SELECT ", candidate_columns!(), " FROM message m WHERE m.id > ?1 ORDER BY m.id LIMIT 64");
pub(crate) const SELECT_ONE: &str =
    concat!("SELECT ", candidate_columns!(), " FROM message m WHERE m.id = ?1");
pub(crate) const FOLLOWS_THE_SERVER: &str = "SELECT 1 FROM workspace WHERE id = ?1 AND erased_at IS NULL
    AND event_age_s IS NULL AND payload_age_s IS NULL AND bytes_max IS NULL AND for_ever = 0";

/// Young events that a walk looks past: ids may be out of order by as many as were minted at one time.
const YOUNG_MAX: usize = 64;

/// How far the events under the server's rules are dealt with, for one kind of removal.
pub(super) struct Frontier {
    /// Every event up to this id is gone, held, or none of ours.
    upto: i64,
    /// Events up to there that could not go yet.
    held: BTreeSet<i64>,
    /// Nothing behind it was accepted before.
    oldest_at: i64,
    /// The lowest event that came below what was looked at, since the last walk.
    fallen: Option<i64>,
    /// Events up to this id were looked at.
    reached: i64,
}

impl Default for Frontier {
    fn default() -> Self {
        let (upto, oldest_at, reached) = (i64::MIN, i64::MIN, i64::MIN);
        Self { upto, held: BTreeSet::new(), oldest_at, fallen: None, reached }
    }
}

impl Frontier {
    /// An event has come; does something only when it is below what was looked at.
    pub(super) fn note_event(&mut self, event: i64) {
        if event <= self.reached {
            self.fallen = Some(self.fallen.map_or(event, |fallen| fallen.min(event)));
            self.fall_back();
        }
    }

    fn fall_back(&mut self) {
        if let Some(fallen) = self.fallen {
            (self.upto, self.oldest_at) = (self.upto.min(fallen - 1), i64::MIN);
        }
    }
}

/// What goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Events,
    Payloads,
}

/// One kind's part of a walk.
#[derive(PartialEq, Eq)]
pub(super) struct March {
    kind: Kind,
    /// Held events up to this id were looked at again.
    held_after: i64,
    /// Events up to this id were looked at.
    after: Option<i64>,
    /// Where the frontier ends up, and the time of the event that stays there.
    stays: Option<(i64, i64)>,
    /// Events met behind the first young one.
    behind_young: Option<usize>,
    /// Workspaces whose first young event was met.
    ended: BTreeSet<WorkspaceId>,
    /// Whether a workspace follows the server's rules, for those met.
    followers: BTreeMap<WorkspaceId, Follows>,
    pub(super) next_at: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    Server,
    ItsOwn,
}

impl March {
    pub(super) const fn of(kind: Kind) -> Self {
        Self {
            kind,
            held_after: i64::MIN,
            after: None,
            stays: None,
            behind_young: None,
            ended: BTreeSet::new(),
            followers: BTreeMap::new(),
            next_at: None,
        }
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// The workspace's rules have changed.
    pub(super) fn forget(&mut self, workspace: WorkspaceId) {
        self.followers.remove(&workspace);
        self.ended.remove(&workspace);
    }
}

pub(super) fn step(
    write: &mut Write<'_>,
    step: &mut Step<'_>,
    march: &mut March,
    looked: &mut u64,
) -> Result<Progress, Failure> {
    let rules = step.params.rules.with(RetentionDefault::Server, &RetentionOverrides::default());
    let age = match march.kind {
        Kind::Events => rules.event_age_max,
        Kind::Payloads => rules.payload_age_max,
    };
    let Some(age) = age else { return Ok(Progress::Ended) };
    let frontier = &mut frontiers(write, march.kind);
    if frontier.oldest_at > step.params.now.as_ms() {
        // The clock was set back since: what was young then says nothing now.
        frontier.oldest_at = i64::MIN;
    }
    if again(write, step, march, rules, looked)? == Progress::Paused {
        return Ok(Progress::Paused);
    }
    let oldest_at = Timestamp::from_ms(frontiers(write, march.kind).oldest_at);
    let goes = goes(march.kind, rules.fate(oldest_at, step.params.now));
    if goes && advance(write, step, march, rules, looked)? == Progress::Paused {
        return Ok(Progress::Paused);
    }
    let age_ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let next_at = frontiers(write, march.kind).oldest_at.saturating_add(age_ms);
    march.next_at = Some(next_at).filter(|at| *at > step.params.now.as_ms());
    Ok(Progress::Ended)
}

fn frontiers<'w>(write: &'w mut Write<'_>, kind: Kind) -> &'w mut Frontier {
    match kind {
        Kind::Events => &mut write.caches.frontiers.events,
        Kind::Payloads => &mut write.caches.frontiers.payloads,
    }
}

const fn goes(kind: Kind, fate: Fate) -> bool {
    match kind {
        Kind::Events => matches!(fate, Fate::Removed),
        Kind::Payloads => matches!(fate, Fate::Removed | Fate::LosesPayload),
    }
}

/// Looks at what is held.
fn again(
    write: &mut Write<'_>,
    step: &mut Step<'_>,
    march: &mut March,
    rules: WorkspaceRetention,
    looked: &mut u64,
) -> Result<Progress, Failure> {
    loop {
        let behind = (std::ops::Bound::Excluded(march.held_after), std::ops::Bound::Unbounded);
        let next = frontiers(write, march.kind).held.range(behind).next().copied();
        let Some(id) = next else { return Ok(Progress::Ended) };
        if step.budget.is_spent() {
            return Ok(Progress::Paused);
        }
        step.budget.spend(1);
        march.held_after = id;
        let event = fetch_one(write.connection, SELECT_ONE, [id], candidate)?;
        let stays = match event {
            Some(event) if follows(write, march, event.workspace)? == Follows::Server => {
                let old =
                    goes(march.kind, rules.fate(Timestamp::from_ms(event.accepted_at), step.params.now));
                !old || take(write, step, march.kind, &event)? == Taken::Held
            }
            Some(_) | None => false,
        };
        if stays {
            *looked += 1;
        } else {
            frontiers(write, march.kind).held.remove(&id);
        }
    }
}

/// Moves the frontier up to the first event that is young.
fn advance(
    write: &mut Write<'_>,
    step: &mut Step<'_>,
    march: &mut March,
    rules: WorkspaceRetention,
    looked: &mut u64,
) -> Result<Progress, Failure> {
    loop {
        let after = match march.after {
            Some(after) => after,
            None => frontiers(write, march.kind).upto,
        };
        let page = fetch_all(write.connection, SELECT_OLDEST, [after], candidate)?;
        if page.is_empty() {
            return Ok(settle(write, step, march, after));
        }
        for event in page {
            if march.behind_young.is_some_and(|met| met >= YOUNG_MAX) {
                return Ok(settle(write, step, march, after));
            }
            if step.budget.is_spent() {
                return Ok(Progress::Paused);
            }
            step.budget.spend(1);
            meet(write, step, march, rules, &event, looked)?;
            march.after = Some(event.id);
            let frontier = frontiers(write, march.kind);
            frontier.reached = frontier.reached.max(event.id);
        }
    }
}

fn meet(
    write: &mut Write<'_>,
    step: &mut Step<'_>,
    march: &mut March,
    rules: WorkspaceRetention,
    event: &Candidate,
    looked: &mut u64,
) -> Result<(), Failure> {
    if let Some(met) = &mut march.behind_young {
        *met += 1;
    }
    let bare = march.kind == Kind::Payloads && event.payload == Payload::Removed;
    if bare || march.ended.contains(&event.workspace) {
        return Ok(());
    }
    if follows(write, march, event.workspace)? == Follows::ItsOwn {
        return Ok(());
    }
    let (accepted_at, now) = (Timestamp::from_ms(event.accepted_at), step.params.now);
    if accepted_at > now {
        // The clock was set back: it says nothing of those behind it.
        hold(write, march, event);
        return Ok(());
    }
    if !goes(march.kind, rules.fate(accepted_at, now)) {
        march.behind_young.get_or_insert(0);
        march.ended.insert(event.workspace);
        stay(write, march, event);
        return Ok(());
    }
    if take(write, step, march.kind, event)? == Taken::Held {
        *looked += 1;
        hold(write, march, event);
    }
    Ok(())
}

/// Remembers an event that could not go; when there are too many the frontier stops before it.
fn hold(write: &mut Write<'_>, march: &mut March, event: &Candidate) {
    let held = &mut frontiers(write, march.kind).held;
    if held.len() < RETENTION_HELD_MAX {
        held.insert(event.id);
        // Looked at just now.
        march.held_after = march.held_after.max(event.id);
    } else {
        stay(write, march, event);
    }
}

fn stay(write: &mut Write<'_>, march: &mut March, event: &Candidate) {
    let before = march.after.unwrap_or_else(|| frontiers(write, march.kind).upto);
    let (_, oldest_at) = march.stays.get_or_insert((before, event.accepted_at));
    *oldest_at = event.accepted_at.min(*oldest_at);
}

fn settle(write: &mut Write<'_>, step: &Step<'_>, march: &March, last: i64) -> Progress {
    let (upto, oldest_at) = march.stays.unwrap_or((last, step.params.now.as_ms()));
    let frontier = frontiers(write, march.kind);
    (frontier.upto, frontier.oldest_at) = (upto, oldest_at);
    frontier.fall_back();
    frontier.fallen = None;
    Progress::Ended
}

#[derive(PartialEq, Eq)]
enum Taken {
    Gone,
    Held,
}

fn take(write: &mut Write<'_>, step: &mut Step<'_>, kind: Kind, event: &Candidate) -> Result<Taken, Failure> {
    let ended = match judge(write, event)? {
        Judged::Ended(ended) => ended,
        Judged::Held { rows } => {
            step.budget.spend(rows);
            return Ok(Taken::Held);
        }
    };
    match kind {
        Kind::Payloads => {
            Remover::payload(write, event, step.params.now)?;
            step.budget.spend(1);
            step.done.payloads += 1;
        }
        Kind::Events => {
            let rows = step.remover.event(write, event, &ended, Listing::Later)?;
            step.budget.spend(rows);
            step.done.events += 1;
        }
    }
    Ok(Taken::Gone)
}

fn follows(write: &Write<'_>, march: &mut March, workspace: WorkspaceId) -> Result<Follows, Failure> {
    if let Some(known) = march.followers.get(&workspace) {
        return Ok(*known);
    }
    let server = exists(write.connection, FOLLOWS_THE_SERVER, [workspace.raw()])?;
    let found = if server { Follows::Server } else { Follows::ItsOwn };
    if march.followers.len() >= DIRECTORY_WORKSPACES_MAX {
        march.followers.clear();
    }
    march.followers.insert(workspace, found);
    Ok(found)
}
