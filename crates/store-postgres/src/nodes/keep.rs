//! Renewing the lease, and taking and giving groups until all living nodes have as many.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate's edge to the world: a timer of a runtime of its own"
)]

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::pin_mut;
use signalpost_core::lane_group::LaneGroup;
use signalpost_core::lane_share::{NodeNumber, Share, View, share};
use signalpost_core::limits::LANE_GROUPS;
use signalpost_core::time::Monotonic;
use signalpost_store::Ownership;

use super::read::{Group, Living};
use super::{
    Duty, GIVE_EVERY, Giving, HAND_OVER_MAX, LEASE, LEASE_MS, MARGIN, Node, RENEW_EVERY, end_sessions,
    hand_over, join, read, renew,
};
use crate::bells;
use crate::changes::follow;
use crate::failure::Failure;
use crate::mark::{self, Mark};
use crate::open::{OpenError, ServerTime};
use crate::pool::Pool;
use crate::session::Session;
use crate::shell;

/// How long a store that is being closed tries to say so.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// For ever: also while a store that is being closed still writes outcomes.
pub(crate) async fn keep(pool: &Pool, node: &mut Node) {
    let shared = &pool.shared;
    let (mut told, mut renewed_at) = (false, shared.clock.monotonic());
    loop {
        let (rung, over) = (shared.board.groups_moved.notified(), tokio::time::sleep(node.pause()));
        pin_mut!(rung, over);
        let is_rung = matches!(select(rung, over).await, Either::Left(_));
        let now = shared.clock.monotonic();
        let done = if is_rung || now >= after(renewed_at, RENEW_EVERY) {
            renewed_at = now;
            tick(pool, node).await
        } else {
            give(pool, node).await.map_err(OpenError::from)
        };
        match done {
            Ok(()) => told = false,
            Err(error) if !std::mem::replace(&mut told, true) => {
                tracing::warn!(%error, "this node's lease could not be renewed, trying again");
            }
            Err(_) => {}
        }
    }
}

/// Renews the lease, looks at who has what, and takes or gives what falls to it. The first time it takes what is free.
pub(crate) async fn tick(pool: &Pool, node: &mut Node) -> Result<(), OpenError> {
    let shared = &pool.shared;
    let ownership = &shared.board.ownership;
    let began = shared.clock.monotonic();
    let was_trusted = ownership.is_trusted(began);
    let session = pool.take().await?;
    let duty = if ownership.retires() { Duty::Serves } else { shared.duty };
    let asked = shared.clock.monotonic();
    let renewed_at = renew::renew(&session, node, duty, shared.seen.get()).await?;
    drop(session);
    let Some(said) = renewed_at else { return rejoin(pool, node).await };
    (node.on_server_time)(ServerTime { asked, said, answered: shared.clock.monotonic() });
    if std::mem::replace(&mut node.told, duty) != duty {
        // It falls to the others to give and to take anew.
        shared.bells.note_given();
    }
    if !was_trusted {
        // Others have not waited for us since.
        follow::catch_up(pool).await?;
    }
    ownership.counts().renewals.add(1);
    // Our row stands for a lease from after this moment on, and nobody takes anything from us while it does.
    ownership.trust_until(after(began, LEASE - MARGIN));
    let session = pool.take().await?;
    let living = look_for_the_dead(pool, &session, node).await?;
    shared.living.set(u32::try_from(living.len()).unwrap_or(u32::MAX));
    let groups = read::groups(&session).await?;
    let mut changed = !was_trusted | lose_what_is_anothers(ownership, node, &groups);
    changed |= adopt_what_is_ours(ownership, node, &groups);
    let decided = decide(ownership, node, &living, &groups);
    changed |= plan_gifts(ownership, node, &decided, began);
    if !decided.take.is_empty() {
        for (group, epoch) in hand_over::take(pool, &session, &decided.take, node.token).await? {
            ownership.take(group, epoch);
            ownership.counts().groups_taken.add(1);
            changed = true;
        }
    }
    if changed {
        ownership.tell();
    }
    Ok(())
}

/// Gives away what is to go and of which nothing is under way any more.
async fn give(pool: &Pool, node: &mut Node) -> Result<(), Failure> {
    let shared = &pool.shared;
    let ripe = ripe_gifts(&shared.board.ownership, node, shared.clock.monotonic());
    if !ripe.is_empty() {
        hand_over::give(&*pool.take().await?, &ripe, node.token).await?;
        node.giving.retain(|group, _| !ripe.contains(group));
        shared.board.ownership.counts().groups_given.add(ripe.len());
        shared.bells.note_given();
    }
    Ok(())
}

/// Others have what we had, or will have it. What was begun under our former token is refused from now on, or will be.
async fn rejoin(pool: &Pool, node: &mut Node) -> Result<(), OpenError> {
    tracing::warn!(number = node.number, "this node's lease had run out; it begins anew");
    let ownership = &pool.shared.board.ownership;
    ownership.counts().losses.add(1);
    // Since our row is gone nobody waits until we have taken up what is changed.
    ownership.trust_until(Monotonic::from_us(0));
    LaneGroup::all().for_each(|group| ownership.lose(group));
    ownership.tell();
    *node = join(pool, Arc::clone(&node.on_server_time)).await?;
    pool.shared.board.groups_moved.notify_one();
    Ok(())
}

/// Removes the rows of nodes that have not renewed them in time, and of processes that are seen to have ended, and ends what they
/// have in the database. Gives the others.
async fn look_for_the_dead(pool: &Pool, session: &Session, node: &Node) -> Result<Vec<Living>, Failure> {
    let expired = renew::forget_expired(session, LEASE_MS).await?;
    let has_ended = pool.shared.process.is_gone;
    let is_gone = |one: &Living| one.token != node.token && has_ended(mark::parts(&one.process).1);
    let (gone, living): (Vec<Living>, Vec<Living>) =
        read::nodes(session).await?.into_iter().partition(is_gone);
    renew::forget(session, &gone.iter().map(|one| one.token).collect::<Vec<_>>()).await?;
    if !expired.is_empty() || !gone.is_empty() {
        tracing::warn!(
            expired = expired.len(),
            ended = gone.len(),
            "nodes are gone; what they delivered for is divided anew"
        );
        let processes = expired.iter().chain(gone.iter().map(|one| &one.process));
        let marks: Vec<Mark> = processes.filter_map(|process| mark::parts(process).0).collect();
        end_sessions::of(pool, session, &marks).await?;
    }
    Ok(living)
}

/// Gives everything up when the store is closed: others need not wait for the lease to run out.
pub(crate) async fn leave(pool: &Pool, node: &Node) {
    let left = shell::within(LEAVE_MAX, async {
        renew::forget(&*pool.take().await?, &[node.token]).await?;
        bells::tell_given(pool).await
    });
    match left.await {
        Some(Ok(())) => {}
        Some(Err(failure)) => {
            tracing::warn!(problem = failure.describe(), "this node's lease is left to run out");
        }
        None => tracing::warn!("the database does not answer; this node's lease is left to run out"),
    }
}

fn after(moment: Monotonic, time: Duration) -> Monotonic {
    Monotonic::from_us(moment.as_us().saturating_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)))
}

/// Whether there was any: another node has taken it while our lease had run out.
fn lose_what_is_anothers(ownership: &Ownership, node: &mut Node, groups: &[Group]) -> bool {
    let mut lost = false;
    for Group { group, epoch, owner } in groups {
        let is_ours = *owner == Some(node.token);
        if !is_ours {
            node.giving.remove(group);
        }
        if ownership.epoch_of(*group).is_some_and(|known| !is_ours || Some(known) != *epoch) {
            ownership.lose(*group);
            lost = true;
        }
    }
    lost
}

/// Whether there was any: it was taken by a commit of which nobody could say whether it came through.
fn adopt_what_is_ours(ownership: &Ownership, node: &Node, groups: &[Group]) -> bool {
    let mut adopted = false;
    for Group { group, epoch, owner } in groups {
        let is_known = ownership.epoch_of(*group).is_some() || node.giving.contains_key(group);
        if let (true, false, Some(epoch)) = (*owner == Some(node.token), is_known, *epoch) {
            ownership.take(*group, epoch);
            ownership.counts().groups_taken.add(1);
            adopted = true;
        }
    }
    adopted
}

fn decide(ownership: &Ownership, node: &Node, living: &[Living], groups: &[Group]) -> Share {
    if ownership.retires() {
        return Share { take: Vec::new(), give: LaneGroup::all().collect() };
    }
    let delivering = living.iter().filter(|one| one.duty == Duty::Delivers);
    let numbers: Vec<NodeNumber> = delivering.map(|one| one.number).collect();
    let mut owners: [Option<NodeNumber>; LANE_GROUPS] = [None; LANE_GROUPS];
    for Group { group, owner, .. } in groups {
        let owner = living.iter().find(|one| Some(one.token) == *owner);
        owners[group.number()] = owner.map(|one| one.number);
    }
    share(View { me: node.number, living: &numbers, owners: &owners })
}

/// Starts nothing more in groups that are to go, and goes on with those that may stay after all. Whether there is news.
fn plan_gifts(ownership: &Ownership, node: &mut Node, decided: &Share, now: Monotonic) -> bool {
    let mut changed = false;
    let stays: Vec<LaneGroup> =
        node.giving.keys().filter(|group| !decided.give.contains(group)).copied().collect();
    for group in stays {
        if let Some(Giving { epoch, .. }) = node.giving.remove(&group) {
            ownership.take(group, epoch);
            changed = true;
        }
    }
    for group in &decided.give {
        if let Some(epoch) = ownership.epoch_of(*group) {
            ownership.lose(*group);
            node.giving.insert(*group, Giving { epoch, since: now });
            changed = true;
        }
    }
    changed
}

/// Groups of which nothing is under way any more, or for too long.
fn ripe_gifts(ownership: &Ownership, node: &Node, now: Monotonic) -> Vec<LaneGroup> {
    let ripe = node.giving.iter().filter(|(group, giving)| {
        now >= after(giving.since, GIVE_EVERY)
            && (ownership.is_idle(**group) || now > after(giving.since, HAND_OVER_MAX))
    });
    ripe.map(|(group, _)| *group).collect()
}
