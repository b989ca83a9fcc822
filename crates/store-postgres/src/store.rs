//! The handle: how a verb reaches the store's thread, and how its answer comes back.

use std::rc::Rc;
use std::sync::Arc;

use futures_channel::oneshot;
use signalpost_core::delivery::Due;
use signalpost_store::{Answer, StoreError};

use crate::connect::Connector;
use crate::failure::Failure;
use crate::open::{OpenError, OpenOptions, check_schema};
use crate::pool::Pool;
use crate::queue::Queues;
use crate::session::Session;
use crate::shared::Board;
use crate::shell::{self, Opening};
use crate::work;
use crate::write::Write;

/// A store on a PostgreSQL server. Dropping it finishes what waits and closes it in the background; `close` waits.
pub struct PostgresStore {
    pub(crate) board: Arc<Board>,
    pub(crate) queues: Arc<Queues>,
}

impl PostgresStore {
    /// Opens the store with a thread of its own, and brings the schema to the newest version. Blocks until it is open.
    pub fn open(options: OpenOptions<'_>) -> Result<Self, OpenError> {
        check_schema(&options.schema)?;
        let connector = Connector::new(&options.url, &options.schema, options.answer_timeout, options.tls)?;
        let (board, queues) = (Arc::new(Board::new()), Arc::new(Queues::new()));
        let opening = Arc::new(Opening::default());
        let node = shell::Surroundings {
            connector,
            clock: options.clock,
            on_server_time: options.on_server_time,
            process: options.process,
            duty: options.duty,
            cell: options.cell,
            board: Arc::clone(&board),
            queues: Arc::clone(&queues),
        };
        let told = Arc::clone(&opening);
        let body = Box::new(move || shell::run(node, told));
        options.threads.spawn("store-postgres", body);
        opening.wait()?;
        Ok(Self { board, queues })
    }

    /// One transaction, tried again when another was in the way.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl AsyncFn(&mut Write<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<T> {
        let committed = self.run(async move |pool| work::commit(&pool, &work).await);
        // Waiting for other nodes is none of the tasks that run at once: what others want would wait with it.
        Box::pin(async move { committed.await?.everywhere().await })
    }

    /// A read of one statement, or of several between which others may write.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        work: impl AsyncFnOnce(&Session) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<T> {
        self.run(async move |pool| work::read(&pool, work).await)
    }

    /// A read of what is owed, by whoever delivers it then.
    pub(crate) fn read_shown<T: Send + 'static>(
        &self,
        work: impl AsyncFnOnce(&Session) -> Result<Vec<T>, Failure> + Send + 'static,
        due: impl Fn(&T) -> Due + Send + 'static,
    ) -> Answer<Vec<T>> {
        self.run(async move |pool| {
            let rows = work::read(&pool, work).await?;
            pool.shared.shown.note(rows.iter().map(due));
            Ok(rows)
        })
    }

    /// A read that sees everything as it is at one moment.
    pub(crate) fn read_snapshot<T: Send + 'static>(
        &self,
        work: impl AsyncFnOnce(&Session) -> Result<T, Failure> + Send + 'static,
    ) -> Answer<T> {
        self.run(async move |pool| work::read_snapshot(&pool, work).await)
    }

    /// Any work with connections of the pool.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl AsyncFnOnce(Rc<Pool>) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let (reply, answer) = oneshot::channel();
        let task = Box::new(move |pool: Rc<Pool>| -> futures_util::future::LocalBoxFuture<'static, ()> {
            Box::pin(async move {
                // Nobody waits for it any more: then it still happens, as if they had gone a moment later.
                let _ = reply.send(work(pool).await);
            })
        });
        match self.queues.push_task(task) {
            Ok(()) => Box::pin(settled(answer)),
            Err(refusal) => Box::pin(std::future::ready(Err(refusal))),
        }
    }

    pub(crate) fn close_and_wait(&self) -> Answer<()> {
        let ended = self.queues.ended();
        self.queues.close();
        Box::pin(async move {
            // The end is told by dropping the sender.
            let _: Result<(), oneshot::Canceled> = ended.await;
            Ok(())
        })
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.queues.close();
    }
}

/// An answer, or `Unavailable` when whoever was to give it has gone.
pub(crate) async fn settled<T>(reply: oneshot::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
    let lost = |_canceled| Err(StoreError::Unavailable("the operation was abandoned".to_owned()));
    reply.await.unwrap_or_else(lost)
}
