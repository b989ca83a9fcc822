//! `finish`: attempts that have ended, and what follows from each.
//!
//! A commit takes the outcomes of many calls. They go in waves, each with no delivery twice: what one attempt leaves owed,
//! the next of the same delivery takes away.

use std::collections::{HashMap, HashSet};

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::{Due, Place, RoundStanding, Step, place_of};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_store::StoreError;
use signalpost_store::ledger::{Backlog, Finished, HealthChange};
use signalpost_store::row::{DueAt, Fields};

use super::finish_call::FinishCall;
use super::order;
use super::owed::DueRows;
use super::record::{self, Fate, Rows};
use super::{health, history};
use crate::catalog::close_workspace;
use crate::failure::Failure;
use crate::locks::Locked;
use crate::nodes::fence::{self, Begun, Fence};
use crate::pool::Pool;
use crate::script::{Answers, Asked, Scripted};
use crate::session::Session;
use crate::shell;
use crate::write::{News, Opening, Write};

/// No row when there is no such webhook, not even a tombstone.
pub(crate) const SELECT_CUTS_UPTO: &str =
    "SELECT h.id, (SELECT max(c.upto) FROM cut c WHERE c.webhook = h.id)
    FROM webhook h WHERE h.id = ANY($1::bigint[])";
pub(crate) const SELECT_DUE_BORN: &str =
    "SELECT born FROM due WHERE webhook = $1 AND due_at = $2 AND event = $3";
pub(crate) const SELECT_LEAVING: &str =
    "SELECT webhook, workspace FROM leaving WHERE webhook = ANY($1::bigint[])";
pub(crate) const UPDATE_CONCURRENCY: &str = "UPDATE webhook SET concurrency = $3
    WHERE id = $1 AND workspace = $2 AND deleted_at IS NULL";
/// How often a commit is tried that others are in the way of.
const TRIES_MAX: usize = 5;

/// What is found out about outcomes only behind the locks that they are written under: then they are written anew.
#[derive(Default)]
struct Known {
    /// Workspaces that wait for their last deliveries: they are locked with the others.
    closing: HashSet<WorkspaceId>,
    /// What somebody else has had since. Outcomes of it are left out.
    stale: Begun,
    /// Those that are being copied to another cell, which sends these deliveries again. Left out as well.
    copied: HashSet<WorkspaceId>,
}

impl Known {
    fn leaves_out(&self, one: &Finished) -> bool {
        self.stale.contains(&fence::begun(one)) || self.copied.contains(&one.workspace)
    }

    /// Says how many of these were refused.
    fn tell_left_out<'f>(&self, pool: &Pool, said: impl Iterator<Item = &'f Finished>) {
        let (late, fenced): (Vec<&Finished>, Vec<&Finished>) =
            said.filter(|one| self.leaves_out(one)).partition(|one| self.copied.contains(&one.workspace));
        pool.shared.board.note_fenced(fenced.len());
        if !late.is_empty() {
            tracing::warn!(
                outcomes = late.len(),
                "outcomes came too late: their workspace is being moved to another cell"
            );
        }
    }
}

/// Commits outcomes and answers for them.
pub(crate) async fn commit(pool: &Pool, calls: Vec<FinishCall>) {
    let mut tries = 1;
    loop {
        match Box::pin(try_commit(pool, &calls, Known::default())).await {
            Ok(news) => {
                pool.shared.tell(news);
                return calls.into_iter().for_each(|call| call.answer(Ok(())));
            }
            Err(failure) if failure.is_conflict() && tries < TRIES_MAX => tries += 1,
            Err(failure) if calls.len() > 1 && !failure.is_of_the_server() => {
                tracing::warn!(
                    problem = failure.describe(),
                    calls = calls.len(),
                    "a commit of outcomes was spoilt by one call; each is tried by itself"
                );
                for call in calls {
                    Box::pin(commit(pool, vec![call])).await;
                }
                return;
            }
            Err(failure) => {
                let problem = failure.describe();
                tracing::error!(problem, calls = calls.len(), "a commit of outcomes failed");
                let refusal = || {
                    if failure.is_full() {
                        StoreError::Full
                    } else {
                        StoreError::Unavailable(problem.clone())
                    }
                };
                calls.into_iter().for_each(|call| call.answer(Err(refusal())));
                return shell::pause().await;
            }
        }
    }
}

async fn try_commit(pool: &Pool, calls: &[FinishCall], mut known: Known) -> Result<News, Failure> {
    let session = pool.take().await?;
    let said = || calls.iter().flat_map(|call| call.finished.iter());
    let all = || said().filter(|one| !known.leaves_out(one));
    let locked: Vec<Locked> = all()
        .flat_map(locks_of)
        .chain(known.closing.iter().map(|workspace| Locked::Workspace(*workspace)))
        .collect();
    let mut rest: Vec<&Finished> = all().collect();
    let wave = next_wave(&mut rest);
    let rows = Rows::of(&wave);
    let begun: Begun = all().map(fence::begun).collect();
    let workspaces = all().map(|one| one.workspace).collect();
    let mut opening = Opening::locked(&pool.shared, &locked);
    let fence = Fence::ask(&mut opening, pool.shared.schema_key, &begun, &workspaces);
    let asked = ask_leaving(&mut opening, all());
    let (mut write, answers, written) =
        Write::begin_with(&session, &pool.shared, opening, rows.insert(&session)).await?;
    let (stale, copied) = (fence.stale(&answers, &begun)?, fence.copied(&answers)?);
    let leaving = leaving(&answers, asked)?;
    let closes_more = leaving.values().any(|workspace| !known.closing.contains(workspace));
    if !stale.is_empty() || !copied.is_empty() || closes_more {
        write.roll_back().await;
        drop(session);
        known.closing.extend(leaving.into_values());
        known.stale.extend(stale);
        known.copied.extend(copied);
        return Box::pin(try_commit(pool, calls, known)).await;
    }
    match record_all(&mut write, Wave { wave, rows, written }, rest, &leaving).await {
        Ok(ended) => {
            let news = write.commit_after(record::delete_due(&session, ended)).await?;
            known.tell_left_out(pool, said());
            Ok(news)
        }
        Err(failure) => {
            write.roll_back().await;
            Err(failure)
        }
    }
}

/// Outcomes of which each delivery has one, and which of them were written.
struct Wave<'f> {
    wave: Vec<&'f Finished>,
    rows: Rows,
    written: HashSet<(i64, i64)>,
}

/// Does what follows from a wave that was written, and all of those behind it. Gives what is to be deleted with the commit.
async fn record_all(
    write: &mut Write<'_>,
    mut wave: Wave<'_>,
    mut rest: Vec<&Finished>,
    leaving: &HashMap<WebhookId, WorkspaceId>,
) -> Result<Vec<Due>, Failure> {
    loop {
        let is_last = rest.is_empty();
        let left =
            follow(write, &wave, leaving, if is_last { Deletes::MayWait } else { Deletes::AtOnce }).await?;
        if is_last {
            return Ok(left);
        }
        let next = next_wave(&mut rest);
        let rows = Rows::of(&next);
        let written = rows.insert(write).await?;
        wave = Wave { wave: next, rows, written };
    }
}

/// What an outcome may change that others read to decide.
fn locks_of(one: &Finished) -> impl Iterator<Item = Locked> {
    let changes = |health: HealthChange| health.disable.is_some() || health.backlog == Backlog::Skipped;
    let workspace = one.health.is_some_and(changes).then_some(Locked::Workspace(one.workspace));
    let order = one.due.order.is_some().then_some(Locked::Order(one.due.id.webhook));
    workspace.into_iter().chain(order)
}

fn ask_leaving<'f>(opening: &mut Opening, all: impl Iterator<Item = &'f Finished>) -> Asked {
    let webhooks: HashSet<i64> = all.map(|one| one.due.id.webhook.raw()).collect();
    opening.run(Scripted::SelectLeaving, &[&Vec::from_iter(webhooks)])
}

/// Webhooks among those asked for whose workspaces are closed, each with the workspace.
fn leaving(answers: &Answers, asked: Asked) -> Result<HashMap<WebhookId, WorkspaceId>, Failure> {
    let found = answers.all(asked, |row| {
        let mut fields = Fields::new(row, "leaving", 1);
        let webhook = WebhookId::from_raw(fields.id("webhook")?);
        Ok((webhook, WorkspaceId::from_raw(fields.id("workspace")?)))
    });
    Ok(found?.into_iter().collect())
}

/// Takes out the first ones, up to a delivery that was among them before: what each means for its webhook counts in their
/// order, also where a delivery comes twice.
fn next_wave<'f>(rest: &mut Vec<&'f Finished>) -> Vec<&'f Finished> {
    let mut seen = HashSet::new();
    let first_again = rest.iter().position(|one| !seen.insert(one.due.id)).unwrap_or(rest.len());
    let left = rest.split_off(first_again);
    std::mem::replace(rest, left)
}

/// When rows go by which deliveries were owed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deletes {
    /// Others follow that may look at them.
    AtOnce,
    MayWait,
}

/// Does what follows from a wave. What its deliveries were owed by goes at once, or is left to the commit where nothing else
/// follows that would look at it.
async fn follow(
    write: &mut Write<'_>,
    Wave { wave, rows, written }: &Wave<'_>,
    leaving: &HashMap<WebhookId, WorkspaceId>,
    deletes: Deletes,
) -> Result<Vec<Due>, Failure> {
    let fates = rows.fates(write, written).await?;
    rows.count(write, wave, &fates);
    let recorded = wave.iter().zip(&fates).filter(|(_, fate)| **fate == Fate::Recorded);
    let followed: Vec<&Finished> = recorded.map(|(one, _)| *one).collect();
    let ended: Vec<Due> = followed.iter().map(|one| one.due).collect();
    if deletes == Deletes::MayWait
        && followed.len() == wave.len()
        && wave.iter().all(|one| is_plain(one, leaving))
    {
        return Ok(ended);
    }
    record::delete_due(write, ended).await?;
    let cuts = cuts_upto(write, &followed).await?;
    let mut again = DueRows::default();
    for one in &followed {
        note_retry(&mut again, one, one.attempt.number, &cuts);
    }
    again.insert(write).await?;
    for (one, fate) in wave.iter().zip(&fates) {
        match fate {
            Fate::Gone => continue,
            Fate::Recorded => follow_order(write, &one.due, one.attempt.verdict).await?,
            Fate::Taken if !record_elsewhere(write, one).await? => continue,
            Fate::Taken => {}
        }
        after_record(write, one, leaving).await?;
    }
    Ok(Vec::new())
}

/// Whether nothing follows but that the delivery is owed no more.
fn is_plain(one: &Finished, leaving: &HashMap<WebhookId, WorkspaceId>) -> bool {
    one.attempt.verdict.next_at().is_none()
        && one.due.order.is_none()
        && one.health.is_none()
        && one.concurrency.is_none()
        && !leaving.contains_key(&one.due.id.webhook)
}

/// What follows beside the delivery itself.
async fn after_record(
    write: &mut Write<'_>,
    one: &Finished,
    leaving: &HashMap<WebhookId, WorkspaceId>,
) -> Result<(), Failure> {
    if let Some(change) = one.health {
        health::change(write, one, change).await?;
    }
    let webhook = one.due.id.webhook;
    if let Some(concurrency) = one.concurrency {
        let values = (webhook.raw(), one.workspace.raw(), i64::from(concurrency));
        write.execute(UPDATE_CONCURRENCY, &[&values.0, &values.1, &values.2]).await?;
    }
    if leaving.contains_key(&webhook) {
        close_workspace::after_attempt(write, one).await?;
    }
    Ok(())
}

/// Up to where webhooks were cut that may owe a retry; nothing of one that does not exist.
async fn cuts_upto(
    session: &Session,
    followed: &[&Finished],
) -> Result<HashMap<WebhookId, Option<i64>>, Failure> {
    let retrying = followed.iter().filter(|one| one.attempt.verdict.next_at().is_some());
    let webhooks: HashSet<i64> = retrying.map(|one| one.due.id.webhook.raw()).collect();
    if webhooks.is_empty() {
        return Ok(HashMap::new());
    }
    let webhooks: Vec<i64> = webhooks.into_iter().collect();
    let found = session
        .all(SELECT_CUTS_UPTO, &[&webhooks], |row| {
            let mut fields = Fields::new(row, "webhook", 1);
            Ok((WebhookId::from_raw(fields.id("id")?), fields.optional_integer("upto")?))
        })
        .await?;
    Ok(found.into_iter().collect())
}

/// A retry is owed unless a cut has ended the round meanwhile.
fn note_retry(again: &mut DueRows, one: &Finished, number: u32, cuts: &HashMap<WebhookId, Option<i64>>) {
    let (due, verdict) = (one.due, one.attempt.verdict);
    let Some(due_at) = verdict.next_at() else { return };
    let Some(cut_upto) = cuts.get(&due.id.webhook) else { return };
    if cut_upto.is_none_or(|upto| upto < due.born.0) {
        let next = Due { due_at, steps: number, tries: due.tries_after(verdict), ..due };
        again.push(&next, DueAt::Then(due_at));
    }
}

/// What was held behind a delivery that has ended.
async fn follow_order(write: &mut Write<'_>, due: &Due, verdict: Verdict) -> Result<(), Failure> {
    match (verdict, due.order) {
        (Verdict::GiveUp, Some(place)) => order::give_up(write, due, place).await,
        (Verdict::Delivered, Some(place)) => order::release(write, due.id.webhook, place.key).await,
        _ => Ok(()),
    }
}

/// Records an attempt whose number is taken; `false` when it is recorded already. Off the hot path: the whole history is
/// read.
async fn record_elsewhere(write: &mut Write<'_>, one: &Finished) -> Result<bool, Failure> {
    // Whoever else takes the place that was free is in the history the next time, and that is bounded.
    loop {
        let steps = history::steps(write, one.due.id).await?;
        match taken(write, one, &steps).await? {
            Place::Recorded => return Ok(false),
            Place::Current { number } => {
                if record::insert_one(write, one, number, one.attempt.verdict).await? {
                    follow_elsewhere(write, one, number, &steps).await?;
                    return Ok(true);
                }
            }
            Place::Superseded { number } => {
                if record::insert_one(write, one, number, Verdict::Superseded).await? {
                    return Ok(true);
                }
            }
        }
    }
}

/// What follows for the delivery from an attempt that was recorded under another number than its own.
async fn follow_elsewhere(
    write: &mut Write<'_>,
    one: &Finished,
    number: u32,
    steps: &[Step],
) -> Result<(), Failure> {
    record::delete_due(write, left_retry(&one.due, steps).into_iter().chain([one.due])).await?;
    let mut again = DueRows::default();
    note_retry(&mut again, one, number, &cuts_upto(write, &[one]).await?);
    again.insert(write).await?;
    follow_order(write, &one.due, one.attempt.verdict).await
}

async fn taken(session: &Session, one: &Finished, steps: &[Step]) -> Result<Place, Failure> {
    let due = &one.due;
    let cuts = history::cuts(session, due.id.webhook).await?;
    let standing = if cuts.iter().any(|cut| cut.upto >= due.born) {
        RoundStanding::Cut
    } else if is_owed(session, due).await? {
        RoundStanding::Owed
    } else {
        RoundStanding::Gone
    };
    Ok(place_of(&one.attempt, due, standing, steps))
}

/// The retry that another attempt of the same round has left, and a cut has ended: when this attempt ends the delivery
/// nobody would look for that row any more but the sweep, and its event may go before.
fn left_retry(due: &Due, steps: &[Step]) -> Option<Due> {
    let retry_at = steps.iter().rev().find_map(|step| match step {
        Step::Attempted(attempt) => attempt.verdict.next_at(),
        Step::Requeued { .. } => None,
    });
    retry_at.map(|due_at| Due { due_at, ..*due })
}

async fn is_owed(session: &Session, due: &Due) -> Result<bool, Failure> {
    let key = (due.id.webhook.raw(), due.due_at.as_ms(), due.id.event.raw());
    let born = session
        .one(SELECT_DUE_BORN, &[&key.0, &key.1, &key.2], |row| Fields::new(row, "due", 0).integer("born"))
        .await?;
    Ok(born == Some(due.born.0))
}
