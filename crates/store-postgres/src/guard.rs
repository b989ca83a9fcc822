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

/// How often the connection is looked at, and another is tried when it is gone.
const LOOK_EVERY: Duration = Duration::from_secs(1);

const RETRY_EVERY: Duration = Duration::from_millis(100);
/// How long a start waits for a process that has just ended, of which the server may not know yet.
const PATIENCE: Duration = Duration::from_secs(10);

/// The lock while it is held.
pub(crate) struct Guard {
    session: Session,
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
            true => Ok(Self { session }),
            false => Err(OpenError::InUse),
        }
    }

    /// The connection that holds the lock, for whoever does all of its work on it: without it there is no lock either.
    pub(crate) fn into_session(self) -> Session {
        self.session
    }

    /// Takes the lock again when its connection is lost, for as long as the store is open. When somebody else was faster the
    /// store closes: two processes would deliver everything twice.
    pub(crate) async fn keep(mut self, connector: &Connector, schema_key: i64, queues: &Queues) {
        let mut told = false;
        while !queues.is_closed() {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.session.is_fit() {
                continue;
            }
            match Self::take(connector, schema_key).await {
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
