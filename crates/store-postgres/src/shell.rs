//! The store's thread: an executor, and on it who commits what is published, who commits outcomes, and who does the rest.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate's edge to the world: tasks and timers of a runtime of its own"
)]

use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, join3, join4, select, try_join_all};
use futures_util::pin_mut;
use signalpost_core::cell::CellNumber;
use signalpost_core::limits::OUTCOMES_LINGER;
use signalpost_core::ports::Clock;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};

use crate::cell;
use crate::changes::follow;
use crate::connect::{Connector, check_server};
use crate::failure::Failure;
use crate::guard::Guard;
use crate::ledger::{finish, publish};
use crate::mark::Mark;
use crate::nodes::{self, Duty, Node, OnServerTime, Process};
use crate::open::OpenError;
use crate::pool::Pool;
use crate::queue::{Finishes, Outcomes, Patience, Queues};
use crate::shared::{Board, Shared};
use crate::{bells, move_in, schema, tidy};

/// Connections for what is neither published nor an outcome.
const SESSIONS_MAX: usize = 8;
/// Tasks that run at once; further ones wait. Above the connections, so that none of those is ever idle for want of a task.
const TASKS_MAX: usize = 64;
/// Connections for what nodes say to each other: one for renewals, one for bells, one for what was changed.
const KEEPING_SESSIONS_MAX: usize = 3;
/// After a commit that failed for the server's sake.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(50);

/// How the opening went, for whoever waits for it on another thread.
#[derive(Default)]
pub(crate) struct Opening {
    outcome: Mutex<Option<Result<(), OpenError>>>,
    told: Condvar,
}

impl Opening {
    pub(crate) fn wait(&self) -> Result<(), OpenError> {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match outcome.take() {
                Some(opened) => return opened,
                None => outcome = self.told.wait(outcome).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// The first to tell is believed.
    fn tell(&self, opened: Result<(), OpenError>) {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(opened);
        self.told.notify_all();
    }
}

/// Lets nobody wait for a thread that is gone, however it went.
struct EndGuard {
    queues: Arc<Queues>,
    opening: Arc<Opening>,
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.opening.tell(Err(OpenError::Ended));
        self.queues.end();
    }
}

/// What the store's thread works with from its first moment on.
pub(crate) struct Surroundings {
    pub(crate) connector: Connector,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) on_server_time: OnServerTime,
    pub(crate) process: Process,
    pub(crate) duty: Duty,
    pub(crate) cell: Option<CellNumber>,
    pub(crate) board: Arc<Board>,
    pub(crate) queues: Arc<Queues>,
}

/// Opens the store and works until it is closed and nothing waits.
pub(crate) fn run(surroundings: Surroundings, opening: Arc<Opening>) {
    let guard = EndGuard { queues: Arc::clone(&surroundings.queues), opening: Arc::clone(&opening) };
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return opening.tell(Err(OpenError::Runtime(error))),
    };
    LocalSet::new().block_on(&runtime, async {
        // On the heap, here and below: they are large, and each level would carry what is beneath it.
        match Box::pin(open(surroundings)).await {
            Ok(open) => {
                opening.tell(Ok(()));
                Box::pin(work(open)).await;
            }
            Err(error) => opening.tell(Err(error)),
        }
    });
    drop(guard);
}

/// A store that is open, and this node among those that share it.
struct Open {
    connector: Connector,
    queues: Arc<Queues>,
    shared: Rc<Shared>,
    guard: Guard,
    pools: Pools,
    node: Node,
}

/// Connections by what they are for: none of these waits for another.
struct Pools {
    accepting: Rc<Pool>,
    free: Rc<Pool>,
    locking: Rc<Pool>,
    others: Rc<Pool>,
    /// For what the node says of itself.
    keeping: Rc<Pool>,
}

impl Pools {
    fn new(connector: &Connector, shared: &Rc<Shared>) -> Self {
        let pool = |sessions| Rc::new(Pool::new(connector.clone(), Rc::clone(shared), sessions));
        let (accepting, free, locking) = (pool(1), pool(1), pool(1));
        Self { accepting, free, locking, others: pool(SESSIONS_MAX), keeping: pool(KEEPING_SESSIONS_MAX) }
    }

    fn all(&self) -> [&Pool; 5] {
        [&self.accepting, &self.free, &self.locking, &self.others, &self.keeping]
    }

    /// One connection of each. What a process delivers in its first moments is recorded as fast as ever after: a busy server takes a
    /// while to make a connection, and who is killed meanwhile is survived by nothing of it.
    async fn connect(&self) -> Result<(), Failure> {
        try_join_all(self.all().map(Pool::connect_one)).await?;
        Ok(())
    }
}

async fn open(surroundings: Surroundings) -> Result<Open, OpenError> {
    let Surroundings { connector, clock, on_server_time, process, duty, cell: which, board, queues } =
        surroundings;
    let session = connector.connect().await?;
    check_server(&session).await?;
    schema::migrate(&session).await?;
    let shared = Rc::new(Shared::read(&session, board, clock, process, (duty, which)).await?);
    let connector = connector.marked(&Mark::of(shared.origin));
    let guard = Guard::take(&connector, shared.schema_key).await?;
    if move_in::is_unfinished(&session).await? {
        return Err(OpenError::Unfinished);
    }
    let pools = Pools::new(&connector, &shared);
    // Before groups are ours.
    pools.connect().await?;
    cell::settle(&pools.keeping).await?;
    let mut node = nodes::join(&pools.keeping, on_server_time).await?;
    nodes::tick(&pools.keeping, &mut node).await?;
    Ok(Open { connector, queues, shared, guard, pools, node })
}

async fn work(open: Open) {
    let Open { connector, queues, shared, guard, pools, mut node } = open;
    let queues = &queues;
    let Pools { accepting, free, locking, others, keeping } = &pools;
    {
        let working = join4(
            Box::pin(run_accepts(accepting, queues)),
            Box::pin(run_finishes(free, queues, Outcomes::Free)),
            Box::pin(run_finishes(locking, queues, Outcomes::InTurn)),
            Box::pin(run_tasks(others, queues)),
        );
        let meeting = join4(
            Box::pin(nodes::keep(keeping, &mut node)),
            Box::pin(follow::follow(keeping, queues)),
            Box::pin(bells::ring(keeping, queues)),
            Box::pin(bells::hear(&connector, &shared, queues)),
        );
        let keeping =
            join3(guard.keep(&connector, shared.schema_key, queues), tidy::keep(others, queues), meeting);
        pin_mut!(working, keeping);
        if let Either::Right((_closed, working)) = select(working, keeping).await {
            // The store is closed, and what waits is still done.
            working.await;
        }
    }
    nodes::leave(&pools.keeping, &node).await;
    pools.all().into_iter().for_each(Pool::close);
}

async fn run_accepts(pool: &Pool, queues: &Queues) {
    loop {
        let calls = queues.take_accepts();
        if !calls.is_empty() {
            publish::commit(pool, queues, calls).await;
        } else if queues.accepts_are_over() {
            return;
        } else {
            queues.accepts.notified().await;
        }
    }
}

async fn run_finishes(pool: &Pool, queues: &Queues, outcomes: Outcomes) {
    let mut patience = Patience::Left;
    loop {
        match queues.take_finishes(outcomes, patience) {
            Finishes::Now(calls) => {
                finish::commit(pool, calls).await;
                patience = Patience::Left;
            }
            Finishes::Later => patience = linger(pool, queues, outcomes).await,
            Finishes::None if queues.finishes_are_over(outcomes) => return,
            Finishes::None => queues.finish_arrives(outcomes).await,
        }
    }
}

/// Waits until somebody waits for what is there, or for as long as nobody does.
async fn linger(pool: &Pool, queues: &Queues, outcomes: Outcomes) -> Patience {
    let over = tokio::time::sleep(pool.shared.patience(OUTCOMES_LINGER));
    pin_mut!(over);
    loop {
        let arrival = queues.finish_arrives(outcomes);
        pin_mut!(arrival);
        match select(&mut over, arrival).await {
            Either::Left(_) => return Patience::Over,
            Either::Right(_) if queues.is_hurried(outcomes) => return Patience::Left,
            Either::Right(_) => {}
        }
    }
}

async fn run_tasks(pool: &Rc<Pool>, queues: &Queues) {
    let mut running = JoinSet::new();
    loop {
        while running.len() < TASKS_MAX
            && let Some(task) = queues.take_task()
        {
            running.spawn_local(task(Rc::clone(pool)));
        }
        if running.is_empty() {
            if queues.tasks_are_over() {
                return;
            }
            queues.tasks.notified().await;
            continue;
        }
        let (ended, arrival) = (running.join_next(), queues.tasks.notified());
        pin_mut!(ended, arrival);
        select(ended, arrival).await;
    }
}

/// What comes of it within a time, or nothing: it is dropped then.
pub(crate) async fn within<T>(time: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(time, work).await.ok()
}

/// Gives a server that fails some time.
pub(crate) async fn pause() {
    tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
}
