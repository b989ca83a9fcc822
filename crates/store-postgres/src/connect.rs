//! Connecting: what the server must be, and how each connection is set up.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate's edge to the world: its own connections, on a runtime of its own"
)]

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::Config;
use tokio_postgres::{Client, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::failure::{Failure, describe};
use crate::open::OpenError;
use crate::session::{Params, Session};
use crate::tls::{TlsSettings, Wishes};

/// A server that does not answer within this time is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// What was sent and is not acknowledged by then was sent to nobody: the network is cut.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(15);
/// A connection on which nothing comes for so long is asked whether anybody is there, three times.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(3);
const KEEPALIVE_RETRIES: u32 = 3;

/// `synchronous_commit` is never less than a synced disk, whatever the server or the user is set to. Plans go through
/// indexes whatever a table's statistics say: `due` is empty when it is analysed and holds a million rows an hour later.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
    ("client_min_messages", "warning"),
    ("statement_timeout", "60s"),
    ("idle_in_transaction_session_timeout", "60s"),
    ("lock_timeout", "30s"),
];

/// Makes connections.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    /// Where connections may be encrypted.
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    /// `schema` is what our tables lie in.
    pub(crate) fn new(url: &str, schema: &str, settings: &TlsSettings<'_>) -> Result<Self, OpenError> {
        let wishes = Wishes::of(url);
        let mut config: Config = wishes.url.parse().map_err(|error| OpenError::Url(describe(&error)))?;
        let tls = wishes.apply(&mut config, settings)?;
        let mut options = config.get_options().map(|options| format!("{options} ")).unwrap_or_default();
        options.push_str(&format!("-c search_path={schema} -c synchronous_commit=on"));
        for (name, value) in SETTINGS {
            options.push_str(&format!(" -c {name}={value}"));
        }
        config.options(&options);
        if config.get_application_name().is_none() {
            config.application_name("signalpost");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED_TIMEOUT);
        }
        config.keepalives_idle(KEEPALIVE_IDLE);
        config.keepalives_interval(KEEPALIVE_INTERVAL).keepalives_retries(KEEPALIVE_RETRIES);
        Ok(Self { config, tls })
    }

    /// A new connection, which lives until its session is dropped. Must be called on the store's thread.
    pub(crate) async fn connect(&self) -> Result<Session, Failure> {
        let client = match &self.tls {
            None => driven(self.config.connect(NoTls).await),
            Some(tls) => driven(self.config.connect(tls.clone()).await),
        };
        client.map(Session::new).map_err(|error| Failure::Away(describe_absence(&error)))
    }
}

/// Keeps a connection going for as long as its client is there.
fn driven<S, T>(
    connected: Result<(Client, Connection<S, T>), tokio_postgres::Error>,
) -> Result<Client, tokio_postgres::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (client, connection) = connected?;
    tokio::task::spawn_local(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = describe(&error), "a connection to PostgreSQL has ended");
        }
    });
    Ok(client)
}

/// Why there is no connection. What the driver says of that is less than what lies below it.
fn describe_absence(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) if error.as_db_error().is_none() => format!("PostgreSQL cannot be reached: {source}"),
        _ => describe(error),
    }
}

/// Refuses a server that would forget what it has confirmed.
pub(crate) async fn check_server(session: &Session) -> Result<(), OpenError> {
    let setting = async |sql: &'static str| -> Result<String, Failure> {
        let none: Params<'_> = &[];
        let text = session.one(sql, none, |row| {
            let mut fields = signalpost_store::row::Fields::new(row, "settings", 0);
            fields.text("value").map(str::to_owned)
        });
        Ok(text.await?.unwrap_or_default())
    };
    for (name, sql, wanted) in [
        ("fsync", "SELECT current_setting('fsync')", "on"),
        ("full_page_writes", "SELECT current_setting('full_page_writes')", "on"),
        ("synchronous_commit", "SELECT current_setting('synchronous_commit')", "on"),
    ] {
        let found = setting(sql).await?;
        if found != wanted {
            return Err(OpenError::Setting { name, wanted, found });
        }
    }
    Ok(())
}
