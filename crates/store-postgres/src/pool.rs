//! Connections for whoever needs one for a moment, made as they are needed and kept.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::connect::Connector;
use crate::failure::Failure;
use crate::session::Session;
use crate::shared::Shared;
use crate::write::BEFORE_COMMIT;

pub(crate) struct Pool {
    connector: Connector,
    pub(crate) shared: Rc<Shared>,
    idle: RefCell<Vec<Session>>,
    permits: Semaphore,
}

/// A connection while it is somebody's.
pub(crate) struct Lease<'p> {
    session: Option<Session>,
    pool: &'p Pool,
    _permit: SemaphorePermit<'p>,
}

impl Pool {
    pub(crate) fn new(connector: Connector, shared: Rc<Shared>, sessions_max: usize) -> Self {
        Self { connector, shared, idle: RefCell::default(), permits: Semaphore::new(sessions_max) }
    }

    /// A connection, when one is free.
    pub(crate) async fn take(&self) -> Result<Lease<'_>, Failure> {
        let permit = self.permits.acquire().await;
        let permit = permit.map_err(|_closed| Failure::Away("the store is closed".to_owned()))?;
        let kept = loop {
            match self.idle.borrow_mut().pop() {
                Some(session) if !session.is_fit() => {}
                kept => break kept,
            }
        };
        let session = match kept {
            Some(session) => session,
            None => {
                let session = self.connector.connect().await?;
                session.prepare_all(BEFORE_COMMIT).await?;
                session
            }
        };
        Ok(Lease { session: Some(session), pool: self, _permit: permit })
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
