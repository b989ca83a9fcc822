//! Waiting until nodes have taken up what was changed. One asks for all who wait.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate's edge to the world: a timer of a runtime of its own"
)]

use std::cell::RefCell;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::select;
use futures_util::pin_mut;
use signalpost_store::row::{Fields, Row};
use signalpost_store::{Answer, StoreError};
use tokio::sync::Notify;

use crate::failure::Failure;
use crate::nodes::LEASE_MS;
use crate::pool::Pool;
use crate::shared::Shared;
use crate::store::{PostgresStore, settled};

/// The newest change, and up to which all others have come. Whoever has not renewed its lease in time relies on nothing that it
/// remembers, and takes up what it has missed before it does so again.
pub(crate) const SELECT_SEEN: &str =
    "SELECT newest.n, least(newest.n, (SELECT min(seen) FROM node WHERE token <> $1
        AND renewed_at > clock_timestamp() - $2::bigint * interval '1 millisecond'))
    FROM (SELECT coalesce((SELECT n FROM change ORDER BY n DESC LIMIT 1), 0) AS n) AS newest";
/// Between two looks whether others have taken something up, when nobody rings.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Those who wait.
#[derive(Default)]
pub(crate) struct Settling {
    waiting: RefCell<Vec<Waiting>>,
    /// Somebody has begun to wait, or this node has come further.
    news: Notify,
}

struct Waiting {
    /// The number of the change that they are to have seen.
    n: i64,
    by: By,
    tell: oneshot::Sender<Result<(), StoreError>>,
}

/// Who is to have seen a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// It is this node's own.
    Others,
    All,
}

#[derive(Clone, Copy)]
struct Seen {
    newest: i64,
    by_others: i64,
    here: i64,
}

impl Settling {
    /// Told when none of them acts on what was before a change.
    fn wait(&self, n: i64, by: By) -> oneshot::Receiver<Result<(), StoreError>> {
        let (tell, told) = oneshot::channel();
        self.waiting.borrow_mut().push(Waiting { n, by, tell });
        self.news.notify_one();
        told
    }

    /// Notes that this node has come further.
    pub(super) fn note_seen_here(&self) {
        self.news.notify_one();
    }
}

/// Told when no other node acts on what was before a change.
pub(crate) fn by_others(shared: &Shared, n: i64) -> oneshot::Receiver<Result<(), StoreError>> {
    shared.settling.wait(n, By::Others)
}

impl PostgresStore {
    /// The catalogue's verb. What waits is none of the tasks that run at once: others of these would wait with it.
    pub(crate) fn settle(&self) -> Answer<()> {
        let asked = self.run(async move |pool| ask(&pool).await.map_err(Failure::into_store_error));
        Box::pin(async move {
            match asked.await? {
                Some(told) => settled(told).await,
                None => Ok(()),
            }
        })
    }
}

/// How to hear that all have seen what is committed by now, where they have not.
async fn ask(pool: &Pool) -> Result<Option<oneshot::Receiver<Result<(), StoreError>>>, Failure> {
    let shared = &pool.shared;
    let seen @ Seen { newest, .. } = look(pool).await?;
    if seen.by(By::All) >= newest {
        return Ok(None);
    }
    // This node may be one that was not told yet.
    shared.bells.changed.notify_one();
    Ok(Some(shared.settling.wait(newest, By::All)))
}

/// Asks for all who wait. Never returns: those who wait while the store is being closed are told as well.
pub(super) async fn watch(pool: &Pool) {
    let Shared { settling, bells, .. } = &*pool.shared;
    loop {
        let (rung, news, over) =
            (bells.seen.notified(), settling.news.notified(), tokio::time::sleep(ASK_EVERY));
        pin_mut!(rung, news, over);
        // Before it is asked: whoever has seen it in between would ring in vain.
        rung.as_mut().enable();
        let waiting = settling.waiting.take();
        if waiting.is_empty() {
            news.await;
            continue;
        }
        let left = match look(pool).await {
            Ok(seen) => waiting.into_iter().filter_map(|one| one.told(seen)).collect(),
            Err(failure) => {
                let problem = failure.describe();
                waiting.into_iter().for_each(|one| one.tell(Err(StoreError::Unavailable(problem.clone()))));
                Vec::new()
            }
        };
        let is_over = left.is_empty();
        settling.waiting.borrow_mut().extend(left);
        if !is_over {
            select(select(rung, news), over).await;
        }
    }
}

async fn look(pool: &Pool) -> Result<Seen, Failure> {
    let shared = &pool.shared;
    let decode = |row: &Row<'_>| {
        let mut fields = Fields::new(row, "node", 0);
        let (newest, by_others) = (fields.integer("newest")?, fields.integer("seen")?);
        Ok(Seen { newest, by_others, here: shared.seen.get() })
    };
    let session = pool.take().await?;
    let seen = session.one(SELECT_SEEN, &[&shared.token.get(), &LEASE_MS], decode).await?;
    // The query has a row whatever is stored.
    seen.ok_or_else(|| Failure::Away("the database tells nothing of changes".to_owned()))
}

impl Seen {
    fn by(self, by: By) -> i64 {
        match by {
            By::Others => self.by_others,
            By::All => self.by_others.min(self.here),
        }
    }
}

impl Waiting {
    /// The same when it has to wait on.
    fn told(self, seen: Seen) -> Option<Self> {
        if seen.by(self.by) >= self.n {
            self.tell(Ok(()));
        } else if seen.newest < self.n {
            let problem = "the database has lost a change: it is an older one than before";
            self.tell(Err(StoreError::Unavailable(problem.to_owned())));
        } else {
            return Some(self);
        }
        None
    }

    fn tell(self, answer: Result<(), StoreError>) {
        // Nobody waits any more where it fails.
        drop(self.tell.send(answer));
    }
}
