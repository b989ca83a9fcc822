//! Nodes work on a schema beside each other, and a move into it works alone: a lock of the server that goes with a connection.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate's edge to the world: a timer of a runtime of its own"
)]

use std::time::Duration;

use crate::connect::Connector;
use crate::locks::{self, Locked};
use crate::open::OpenError;
use crate::queue::Queues;
use crate::schema;
use crate::session::Session;

/// How often the connection is used, and another is tried when it is gone. One that only looks open holds no lock any more.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const RETRY_EVERY: Duration = Duration::from_millis(100);
/// How long a start waits for a process that has just ended, of which the server may not know yet.
const PATIENCE: Duration = Duration::from_secs(10);

/// The lock while it is held.
pub(crate) struct Guard(Session);

impl Guard {
    /// Beside other nodes; `BeingMoved` when a move has it and keeps it, `NewerSchema` when newer nodes have shut this one out.
    pub(crate) async fn take(connector: &Connector, schema_key: i64) -> Result<Self, OpenError> {
        soon(async || Self::try_take(connector, schema_key).await).await
    }

    /// Alone, with the connection that holds it: without it there is no lock either. `InUse` when anybody else has it.
    pub(crate) async fn take_alone(connector: &Connector, schema_key: i64) -> Result<Session, OpenError> {
        soon(async || {
            let session = connector.connect().await?;
            if !locks::try_hold(&session, schema_key, Locked::Process).await? {
                return Err(OpenError::InUse);
            }
            schema::stay(&session, schema_key).await?;
            Ok(session)
        })
        .await
    }

    async fn try_take(connector: &Connector, schema_key: i64) -> Result<Self, OpenError> {
        let session = connector.connect().await?;
        if !locks::try_hold_shared(&session, schema_key, Locked::Process).await? {
            return Err(OpenError::BeingMoved);
        }
        schema::stay(&session, schema_key).await?;
        Ok(Self(session))
    }

    /// Takes the lock again when its connection is lost, for as long as the store is open. When a move was faster the store
    /// closes: what it would write was left out. So it does when a schema has come meanwhile that does not bear this program.
    pub(crate) async fn keep(mut self, connector: &Connector, schema_key: i64, queues: &Queues) {
        let mut told = false;
        while !queues.is_closed() {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.0.is_fit() && self.0.answers().await {
                continue;
            }
            match Self::try_take(connector, schema_key).await {
                Ok(again) => {
                    self = again;
                    told = false;
                    tracing::info!("the database is back");
                }
                Err(OpenError::BeingMoved) => {
                    tracing::error!(
                        "another store is being moved into this database; this process stops working on it"
                    );
                    queues.close();
                }
                Err(error @ OpenError::NewerSchema { .. }) => {
                    tracing::error!(%error, "this process stops working on the database");
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

/// Until it is not in use, for a while.
async fn soon<T>(take: impl AsyncFn() -> Result<T, OpenError>) -> Result<T, OpenError> {
    let mut waited = Duration::ZERO;
    loop {
        match take().await {
            Err(OpenError::InUse | OpenError::BeingMoved | OpenError::Migrating) if waited < PATIENCE => {
                tokio::time::sleep(RETRY_EVERY).await;
                waited += RETRY_EVERY;
            }
            taken => return taken,
        }
    }
}
