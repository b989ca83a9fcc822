//! Committing what is published: the calls of many in one transaction, each decided by itself.
//!
//! All that they need to know is read in one round trip behind the locks, and what is stored goes out in a second one
//! together with the commit. When the connection is lost before the commit was confirmed, the server is asked what became of
//! it: no caller is refused whose events are stored.

use std::collections::HashSet;

use futures_channel::oneshot;
use futures_util::future::{try_join_all, try_join3};
use signalpost_core::id::{EventId, WorkspaceId};
use signalpost_store::ledger::{AcceptEvent, Accepted, Repeated};
use signalpost_store::{Done, Once, StoreError};

use super::accept::{Identified, Incoming, Known, check_version, identified, recognise, store};
use super::owed::Owed;
use super::{accept_once, rows};
use crate::failure::Failure;
use crate::locks::Locked;
use crate::pool::Pool;
use crate::queue::Queues;
use crate::shell;
use crate::write::{News, Write};

pub(crate) const EVENT_EXISTS: &str = "SELECT 1 FROM message WHERE id = $1";

/// Rough size of a row beside its payload, in bytes.
const ROW_BYTES: usize = 256;
/// How often a commit is tried that others are in the way of.
const TRIES_MAX: usize = 5;
/// For which share of the time for an answer the server is asked for the outcome of a commit whose connection was lost: ten
/// seconds, in which a crashed server is back. Whoever publishes may have waited for the answer that did not come before.
const RESOLVE_SHARE: u32 = 3;

type Answered = Result<Done<Vec<Accepted>, Vec<Accepted>>, StoreError>;

/// A caller's events, and the caller.
pub(crate) struct AcceptCall {
    incoming: Vec<Incoming>,
    once: Option<Once>,
    reply: oneshot::Sender<Answered>,
}

impl AcceptCall {
    pub(super) fn new(events: Vec<AcceptEvent>, once: Option<Once>) -> (Self, oneshot::Receiver<Answered>) {
        let (reply, answer) = oneshot::channel();
        (Self { incoming: events.into_iter().map(Incoming::new).collect(), once, reply }, answer)
    }

    /// In bytes, about.
    pub(crate) fn weight(&self) -> usize {
        let of = |one: &Incoming| ROW_BYTES + one.event.content.data.len() + 40 * one.event.targets.len();
        self.incoming.iter().map(of).sum()
    }

    fn locked(&self) -> impl Iterator<Item = Locked> + '_ {
        let once = self.once.map(|once| once.workspace.map_or(Locked::OnceOutside, Locked::Workspace));
        once.into_iter().chain(self.incoming.iter().flat_map(Incoming::locked))
    }
}

/// Commits calls and answers them, with what else has come by the time when they have their locks. Those that meet another by
/// a name that counts once go in a later commit.
pub(crate) async fn commit(pool: &Pool, queues: &Queues, mut calls: Vec<AcceptCall>) {
    while !calls.is_empty() {
        let mut names = Names::default();
        let (together, later) = calls.into_iter().partition(|call| names.admit(call));
        commit_together(pool, together, Joiners::Waiting { queues, names }).await;
        calls = later;
    }
}

/// Who goes along with the calls of a commit once these have their locks. While others have had the locks more has come, and
/// whoever has waited for them takes along what needs no further ones: so several nodes that publish into one workspace make
/// fewer commits as they wait longer for each other.
enum Joiners<'q> {
    Nobody,
    Waiting { queues: &'q Queues, names: Names },
}

impl Joiners<'_> {
    fn join(&mut self, calls: &mut Vec<AcceptCall>, locked: &HashSet<Locked>) {
        if let Self::Waiting { queues, names } = self {
            let has_locks = |call: &AcceptCall| call.locked().all(|one| locked.contains(&one));
            queues.top_up_accepts(calls, |call| has_locks(call) && names.admit(call));
        }
    }
}

/// Names that count once among the calls of a commit.
#[derive(Default)]
struct Names(HashSet<(Option<WorkspaceId>, Vec<u8>)>);

impl Names {
    /// Whether a call has no name in common with those before it; its own are noted then.
    fn admit(&mut self, call: &AcceptCall) -> bool {
        let identities = call.incoming.iter().filter_map(Incoming::identity);
        let own: HashSet<(Option<WorkspaceId>, Vec<u8>)> = identities
            .map(|(workspace, id)| (Some(workspace), id.as_bytes().to_vec()))
            .chain(call.once.map(|once| (once.workspace, once.call.name.to_vec())))
            .collect();
        let is_alone = own.is_disjoint(&self.0);
        if is_alone {
            self.0.extend(own);
        }
        is_alone
    }
}

async fn commit_together(pool: &Pool, mut calls: Vec<AcceptCall>, mut joiners: Joiners<'_>) {
    let mut tries = 1;
    loop {
        match Box::pin(try_commit(pool, &mut calls, &mut joiners)).await {
            Ok((answers, news)) => {
                pool.shared.tell(news);
                calls.into_iter().zip(answers).for_each(|(call, answer)| call.answer(answer));
                return;
            }
            Err(failure) if failure.is_conflict() && tries < TRIES_MAX => tries += 1,
            Err(failure) if failure.is_of_the_server() => {
                let problem = failure.describe();
                tracing::error!(problem, calls = calls.len(), "a commit of events failed");
                calls.into_iter().for_each(|call| call.answer(Err(refusal(&failure))));
                return shell::pause().await;
            }
            Err(failure) if calls.len() > 1 => {
                tracing::warn!(
                    problem = failure.describe(),
                    calls = calls.len(),
                    "a commit was spoilt by one call; each is tried by itself"
                );
                for call in calls {
                    Box::pin(commit_together(pool, vec![call], Joiners::Nobody)).await;
                }
                return;
            }
            Err(failure) => return calls.into_iter().for_each(|call| call.answer(Err(refusal(&failure)))),
        }
    }
}

/// The same refusal for each of many callers.
fn refusal(failure: &Failure) -> StoreError {
    if failure.is_full() { StoreError::Full } else { StoreError::Unavailable(failure.describe()) }
}

impl AcceptCall {
    fn answer(self, answer: Answered) {
        // Whoever has gone is not told.
        let _ = self.reply.send(answer);
    }
}

async fn try_commit(
    pool: &Pool,
    calls: &mut Vec<AcceptCall>,
    joiners: &mut Joiners<'_>,
) -> Result<(Vec<Answered>, News), Failure> {
    let session = pool.take().await?;
    let locked: HashSet<Locked> = calls.iter().flat_map(AcceptCall::locked).collect();
    let taken: Vec<Locked> = locked.iter().copied().collect();
    let mut write = Write::begin_locked(&session, &pool.shared, &taken).await?;
    joiners.join(calls, &locked);
    let decided = match decide(&mut write, calls).await {
        Ok(decided) => decided,
        Err(failure) => {
            write.roll_back().await;
            return Err(failure);
        }
    };
    let stored: Vec<&Incoming> =
        decided.stored.iter().map(|(call, event)| &calls[*call].incoming[*event]).collect();
    let first = stored.first().map(|one| one.event.id);
    let news = std::mem::take(&mut write.news);
    let committed = write.commit_after(rows::append(&session, &stored, &decided.owed)).await;
    drop(session);
    match (committed, first) {
        (Ok(_), _) => Ok((decided.answers, news)),
        // The commit may have come through although nobody could say so.
        (Err(failure), Some(event)) if failure.is_lost() => {
            match Box::pin(was_stored(pool, &taken, event)).await {
                Some(true) => Ok((decided.answers, news)),
                Some(false) | None => Err(failure),
            }
        }
        (Err(failure), _) => Err(failure),
    }
}

/// Whether a commit whose connection was lost has stored this event; `None` when the server does not come back in time. Its
/// locks are waited for: until they are free the lost transaction may still be under way.
async fn was_stored(pool: &Pool, locked: &[Locked], event: EventId) -> Option<bool> {
    let asking = async {
        loop {
            match look_for(pool, locked, event).await {
                Ok(found) => return found,
                Err(failure) => {
                    tracing::debug!(problem = failure.describe(), "a commit's outcome is not known yet")
                }
            }
            shell::pause().await;
        }
    };
    shell::within(pool.answer_timeout() / RESOLVE_SHARE, asking).await
}

async fn look_for(pool: &Pool, locked: &[Locked], event: EventId) -> Result<bool, Failure> {
    let session = pool.take().await?;
    let write = Write::begin_locked(&session, &pool.shared, locked).await?;
    let found = write.exists(EVENT_EXISTS, &[&event.raw()]).await;
    if !matches!(found, Ok(true)) {
        write.roll_back().await;
        return found;
    }
    // It is there, and perhaps on this server alone: one that crashed while it waited for a standby shows it after its start.
    write.commit_marked().await?;
    Ok(true)
}

/// What becomes of the calls of a commit.
struct Decided {
    answers: Vec<Answered>,
    /// By the place of the call and the place in it.
    stored: Vec<(usize, usize)>,
    owed: Owed,
}

async fn decide(write: &mut Write<'_>, calls: &mut [AcceptCall]) -> Result<Decided, Failure> {
    let all = || calls.iter().flat_map(|call| &call.incoming);
    let before = try_join_all(calls.iter().map(|call| accept_once::before(write, call.once)));
    let (before, identified, owed) =
        try_join3(before, identified(write, all()), Owed::look(write, all())).await?;
    let mut decided = Decided { answers: Vec::with_capacity(calls.len()), stored: Vec::new(), owed };
    for (place, (call, before)) in calls.iter_mut().zip(before).enumerate() {
        let answer = match before {
            Ok(Some(before)) => Ok(Done::Before(before)),
            Ok(None) => store_call(write, place, call, &identified, &mut decided).map(Done::Now),
            Err(refusal) => Err(refusal),
        };
        if let (Ok(Done::Now(accepted)), Some(once)) = (&answer, call.once) {
            accept_once::remember(write, once, accepted).await?;
        }
        decided.answers.push(answer);
    }
    Ok(decided)
}

/// Every refusal is decided before anything is stored: first the versions of all events, then their ids.
fn store_call(
    write: &mut Write<'_>,
    place: usize,
    call: &mut AcceptCall,
    identified: &Identified,
    decided: &mut Decided,
) -> Result<Vec<Accepted>, StoreError> {
    for one in &call.incoming {
        check_version(write, one)?;
    }
    let known = recognise(&call.incoming, identified)?;
    let mut answers: Vec<Accepted> = Vec::with_capacity(call.incoming.len());
    for (number, (one, known)) in call.incoming.iter_mut().zip(known).enumerate() {
        let answer = match known {
            Known::New => {
                decided.stored.push((place, number));
                store(write, one, &mut decided.owed)?
            }
            Known::Stored(first) => first,
            Known::Above(place) => Accepted { repeated: Repeated::Yes, ..answers[place].clone() },
        };
        answers.push(answer);
    }
    Ok(answers)
}
