//! Connections for whoever needs one for a moment, made as they are needed and kept.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::try_join;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::connect::Connector;
use crate::failure::Failure;
use crate::script;
use crate::session::Session;
use crate::shared::Shared;
use crate::shell;
use crate::write::BEFORE_COMMIT;

pub(crate) struct Pool {
    connector: Connector,
    pub(crate) shared: Rc<Shared>,
    idle: RefCell<Vec<Session>>,
    permits: Semaphore,
    /// How often connecting has failed.
    failed: Cell<u64>,
}

/// A connection while it is somebody's.
pub(crate) struct Lease<'p> {
    session: Option<Session>,
    pool: &'p Pool,
    _permit: SemaphorePermit<'p>,
}

impl Pool {
    pub(crate) fn new(connector: Connector, shared: Rc<Shared>, sessions_max: usize) -> Self {
        Self {
            connector,
            shared,
            idle: RefCell::default(),
            permits: Semaphore::new(sessions_max),
            failed: Cell::new(0),
        }
    }

    /// A connection, when one is free. Who waits for one does not try a server that somebody else has tried in vain meanwhile:
    /// of many who wait, each would take its time.
    pub(crate) async fn take(&self) -> Result<Lease<'_>, Failure> {
        let failed_before = self.failed.get();
        let waited = shell::within(self.answer_timeout(), self.permits.acquire()).await;
        let permit = waited.ok_or_else(|| Failure::Away("no connection was free in time".to_owned()))?;
        let permit = permit.map_err(|_closed| Failure::Away("the store is closed".to_owned()))?;
        let kept = loop {
            match self.idle.borrow_mut().pop() {
                Some(session) if !session.is_fit() => {}
                kept => break kept,
            }
        };
        let session = match kept {
            Some(session) => session,
            None if self.failed.get() != failed_before => {
                return Err(Failure::Away("the database could not be reached a moment ago".to_owned()));
            }
            None => {
                // On the heap: it is large, and every piece of work would carry it.
                let connected = Box::pin(self.connect()).await;
                connected.inspect_err(|_failure| self.failed.set(self.failed.get() + 1))?
            }
        };
        Ok(Lease { session: Some(session), pool: self, _permit: permit })
    }

    /// Makes a connection that is kept for whoever takes one first.
    pub(crate) async fn connect_one(&self) -> Result<(), Failure> {
        self.take().await.map(drop)
    }

    pub(crate) fn answer_timeout(&self) -> Duration {
        self.connector.answer_timeout()
    }

    async fn connect(&self) -> Result<Session, Failure> {
        let session = self.connector.connect().await?;
        let scripts = script::preparation();
        try_join(session.batch(&scripts), session.prepare_all(BEFORE_COMMIT)).await?;
        Ok(session)
    }

    /// Closes what nobody uses.
    pub(crate) fn close(&self) {
        self.permits.close();
        self.idle.borrow_mut().clear();
    }
}

impl Deref for Lease<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session.as_ref().expect("it is there until the lease is dropped")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take().filter(Session::is_fit) {
            self.pool.idle.borrow_mut().push(session);
        }
    }
}
