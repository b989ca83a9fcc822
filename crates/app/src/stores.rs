//! Opening what the data lies in.

use std::path::Path;
use std::sync::Arc;

use signalpost_outbound::tls::client_config;
use signalpost_store::Store;
use signalpost_store_postgres::{Duty, PostgresStore};
use signalpost_store_sqlite::{OpenOptions, SqliteStore};

use crate::clock::SystemClock;
use crate::cmd::Failure;
use crate::ports::SystemThreads;
use crate::process;
use crate::settings::database::Database;

/// Threads that read the store: looking things up must not wait for one slow list.
const STORE_READERS: usize = 2;
/// Where our tables lie in a database that may hold others.
pub(crate) const POSTGRES_SCHEMA: &str = "signalpost";

/// The store in a data directory.
pub(crate) fn open_embedded(data: &Path) -> Result<Arc<dyn Store>, Failure> {
    let (directory, readers) = (data.to_path_buf(), STORE_READERS);
    let options = OpenOptions { directory, threads: &SystemThreads, readers };
    let store = SqliteStore::open(options).map_err(|error| Failure::new(error.to_string()))?;
    Ok(Arc::new(store))
}

/// The store in a database that a URL names.
pub(crate) fn open_database(
    database: &Database,
    clock: Arc<SystemClock>,
    duty: Duty,
) -> Result<Arc<dyn Store>, Failure> {
    Ok(Arc::new(open_postgres(database, clock, duty)?))
}

/// The same with what only it can do.
pub(crate) fn open_postgres(
    database: &Database,
    clock: Arc<SystemClock>,
    duty: Duty,
) -> Result<PostgresStore, Failure> {
    let (url, schema) = (database.url.expose_text().to_owned(), POSTGRES_SCHEMA.to_owned());
    let followed = Arc::clone(&clock);
    let options = signalpost_store_postgres::OpenOptions {
        url,
        schema,
        answer_timeout: signalpost_store_postgres::ANSWER_TIMEOUT,
        tls: &database_tls,
        threads: &SystemThreads,
        clock,
        on_server_time: Arc::new(move |heard| followed.hear(&heard)),
        process: process::this(),
        duty,
        cell: database.cell,
    };
    PostgresStore::open(options).map_err(|error| match database.cell {
        Some(cell) => Failure::new(format!("cell {cell}: {error}")),
        None => Failure::new(error.to_string()),
    })
}

/// As for receivers, with the authorities in a file trusted besides.
pub(crate) fn database_tls(authorities: Option<&Path>) -> Result<rustls::ClientConfig, String> {
    let read =
        |path: &Path| std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
    let pem = authorities.map(read).transpose()?;
    let config = client_config(pem.as_deref()).map_err(|error| error.to_string())?;
    Ok(Arc::unwrap_or_clone(config))
}
