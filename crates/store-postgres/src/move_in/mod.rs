//! Everything into an empty database, for a move out of another store.
//!
//! Nobody else works on the schema meanwhile: the connection that writes holds the lock by which a process owns it. What is
//! copied, and how far it is, are committed together.

mod begin;
pub(crate) mod copy_in;
mod read_back;
pub(crate) mod stand;

use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

use signalpost_core::secret::SealedSecret;
use signalpost_store::transfer::{Checksum, Identity, Page, Stand, Table, Target, TransferError};

use crate::connect::{Connector, check_server};
use crate::failure::Failure;
use crate::guard::Guard;
use crate::locks::schema_key;
use crate::open::{ANSWER_TIMEOUT, OpenError, check_schema};
use crate::session::Session;
use crate::tls::TlsSettings;
use crate::vault::key_check;
use crate::{meta, schema};

pub(crate) use self::stand::is_unfinished;

/// Here whole tables are read, and nobody waits for a lock.
const SETTINGS: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
    SET enable_seqscan = on; SET enable_hashjoin = on";

/// What a target holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing but what belongs to the database itself, and perhaps a key check.
    Empty,
    /// Part of what comes from this very source.
    Begun,
    /// All of it; it may have been served from since.
    Done,
}

/// A database that is ours for as long as this is open.
pub struct MoveIn {
    session: Session,
    tasks: LocalSet,
    runtime: Runtime,
}

impl MoveIn {
    /// Connects, brings the schema to the newest version and takes it for itself. See [`crate::OpenOptions`].
    pub fn open(url: &str, schema: &str, tls: &TlsSettings<'_>) -> Result<Self, OpenError> {
        check_schema(schema)?;
        let connector = Connector::new(url, schema, ANSWER_TIMEOUT, tls)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(OpenError::Runtime)?;
        let tasks = LocalSet::new();
        let session = tasks.block_on(&runtime, connect(&connector))?;
        Ok(Self { session, tasks, runtime })
    }

    /// What is here, if a move from this source may begin, go on or was made.
    pub fn standing(&self, identity: &Identity) -> Result<Standing, TransferError> {
        self.run(begin::standing(&self.session, identity))
    }

    /// The value by which the right master key is recognised. Before a move has begun it is the target's own.
    pub fn key_check(&self) -> Result<Option<SealedSecret>, TransferError> {
        self.run(async { Ok(key_check::read(&self.session).await?) })
    }

    /// Makes an empty target one that holds a move, which nobody serves from.
    pub fn begin(&self, identity: &Identity) -> Result<(), TransferError> {
        self.run(begin::begin(&self.session, identity))
    }

    /// From here on the target is a store like any other.
    pub fn finish(&self) -> Result<(), TransferError> {
        self.run(begin::finish(&self.session))
    }

    fn run<T>(&self, work: impl Future<Output = Result<T, Problem>>) -> Result<T, TransferError> {
        self.tasks.block_on(&self.runtime, work).map_err(Problem::into_transfer_error)
    }
}

async fn connect(connector: &Connector) -> Result<Session, OpenError> {
    let first = connector.connect().await?;
    check_server(&first).await?;
    schema::migrate(&first).await?;
    let schema_key = schema_key(&first).await?;
    let session = Guard::take_alone(connector, schema_key).await?;
    session.batch(SETTINGS).await?;
    session.wait_for_ever();
    Ok(session)
}

impl Target for MoveIn {
    fn stand(&mut self, table: &'static Table) -> Result<Stand, TransferError> {
        self.run(stand::read(&self.session, table))
    }

    fn put(&mut self, table: &'static Table, page: &Page) -> Result<(), TransferError> {
        self.run(copy_in::put(&self.session, table, page))
    }

    fn highest_id(&mut self) -> Result<i64, TransferError> {
        self.run(async { Ok(meta::highest_id(&self.session).await?) })
    }

    fn checksum(&mut self, table: &'static Table) -> Result<Checksum, TransferError> {
        self.run(read_back::checksum(&self.session, table))
    }
}

/// Why a step of a move did not succeed.
enum Problem {
    Database(Failure),
    Transfer(TransferError),
}

impl Problem {
    fn into_transfer_error(self) -> TransferError {
        match self {
            Self::Database(failure) => TransferError::Target(failure.describe()),
            Self::Transfer(error) => error,
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Database(failure)
    }
}

impl From<tokio_postgres::Error> for Problem {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<TransferError> for Problem {
    fn from(error: TransferError) -> Self {
        Self::Transfer(error)
    }
}

/// Several statements that are committed together or not at all.
async fn together<T>(
    session: &Session,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    session.batch("BEGIN").await?;
    let done = work.await;
    // A connection that is gone has rolled back.
    let ended = session.batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
    let value = done?;
    ended?;
    Ok(value)
}
