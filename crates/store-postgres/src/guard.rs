//! One process at a time works on a schema: a lock of the server that goes with a connection.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate's edge to the world: a timer of a runtime of its own"
)]

use std::time::Duration;

use crate::connect::Connector;
use crate::locks::{self, Locked};
use crate::open::OpenError;
use crate::queue::Queues;
use crate::session::Session;

/// How often the connection is used, and another is tried when it is gone. One that only looks open holds no lock any more.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const ASK: &str = "SELECT 1";
/// When a session began, in microseconds.
const IDENTITY: &str = "SELECT (extract(epoch FROM backend_start) * 1000000)::bigint
    FROM pg_stat_activity WHERE pid = pg_backend_pid()";
/// Ends the session that began then, if it holds the lock.
const END_HOLDER: &str = "SELECT 1 FROM (
        SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND (l.classid::bigint << 32 | l.objid::bigint) = $1
        AND (extract(epoch FROM a.backend_start) * 1000000)::bigint = $2) AS ended";

const RETRY_EVERY: Duration = Duration::from_millis(100);
/// How long a start waits for a process that has just ended, of which the server may not know yet.
const PATIENCE: Duration = Duration::from_secs(10);

/// The lock while it is held.
pub(crate) struct Guard {
    session: Session,
    /// Tells our session from every other one that ever held the lock.
    identity: i64,
}

impl Guard {
    /// `InUse` when another process has it and keeps it.
    pub(crate) async fn take_soon(connector: &Connector, schema_key: i64) -> Result<Self, OpenError> {
        let mut waited = Duration::ZERO;
        loop {
            match Self::take(connector, schema_key).await {
                Err(OpenError::InUse) if waited < PATIENCE => {
                    tokio::time::sleep(RETRY_EVERY).await;
                    waited += RETRY_EVERY;
                }
                taken => return taken,
            }
        }
    }

    async fn take(connector: &Connector, schema_key: i64) -> Result<Self, OpenError> {
        let session = connector.connect().await?;
        match locks::try_hold(&session, schema_key, Locked::Process).await? {
            true => {
                let identity = session.number(IDENTITY, &[]).await?;
                Ok(Self { session, identity })
            }
            false => Err(OpenError::InUse),
        }
    }

    /// The connection that holds the lock, for whoever does all of its work on it: without it there is no lock either.
    pub(crate) fn into_session(self) -> Session {
        self.session
    }

    /// Takes the lock again. A server that has not noticed yet that our connection is gone holds it for us still: it is told.
    async fn take_again(&self, connector: &Connector, schema_key: i64) -> Result<Self, OpenError> {
        match Self::take(connector, schema_key).await {
            Err(OpenError::InUse) => {
                let session = connector.connect().await?;
                let key = locks::process_key(schema_key);
                match session.exists(END_HOLDER, &[&key, &self.identity]).await? {
                    true => Err(OpenError::Database("our former connection is still being ended".to_owned())),
                    false => Self::take(connector, schema_key).await,
                }
            }
            taken => taken,
        }
    }

    /// Takes the lock again when its connection is lost, for as long as the store is open. When somebody else was faster the
    /// store closes: two processes would deliver everything twice.
    pub(crate) async fn keep(mut self, connector: &Connector, schema_key: i64, queues: &Queues) {
        let mut told = false;
        while !queues.is_closed() {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.session.is_fit() && self.session.batch(ASK).await.is_ok() {
                continue;
            }
            match self.take_again(connector, schema_key).await {
                Ok(again) => {
                    self = again;
                    told = false;
                    tracing::info!("the database is back");
                }
                Err(OpenError::InUse) => {
                    tracing::error!(
                        "another process has taken the database over; this one stops working on it"
                    );
                    queues.close();
                }
                Err(_) if told => {}
                Err(error) => {
                    told = true;
                    tracing::warn!(%error, "the database is away; looking for it every second");
                }
            }
        }
    }
}
