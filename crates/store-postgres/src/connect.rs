//! Connecting: what the server must be, and how each connection is set up.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate's edge to the world: its own connections, on a runtime of its own"
)]

use std::future::poll_fn;
use std::time::Duration;

use futures_channel::mpsc::{self, UnboundedReceiver};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_postgres::config::Config;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::failure::{Failure, describe};
use crate::hosts;
use crate::mark::{self, Mark};
use crate::open::OpenError;
use crate::session::{Params, Session};
use crate::tls::{TlsSettings, Wishes};

/// A server with which no session is agreed on within this time is away, and the next one of the URL is tried. A server under
/// full load takes a second; whoever publishes waits for it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// What was sent and is not acknowledged by then was sent to nobody: the network is cut.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(15);
/// A connection on which nothing comes for so long is asked whether anybody is there, three times.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(3);
const KEEPALIVE_RETRIES: u32 = 3;
/// Of the time to connect, what one address may take to take a call: a name may have two, and the first be gone.
const ADDRESSES_EXPECTED: u32 = 2;

/// `synchronous_commit` is never less than a synced disk, whatever the server or the user is set to. Plans go through
/// indexes whatever a table's statistics say: `due` is empty when it is analysed and holds a million rows an hour later.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
    ("client_min_messages", "warning"),
    // A connection that is kept for later has done nothing wrong.
    ("idle_session_timeout", "0"),
    // A server whose client has vanished without a word lets go of its locks as soon as we would notice the reverse.
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "3"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "15s"),
];
/// What a server of version 17 or newer has besides: a bound on a whole transaction, which is ours to choose as well.
const UNBOUND_TRANSACTIONS: &str =
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout'";

/// Makes connections.
#[derive(Clone)]
pub(crate) struct Connector {
    /// For each server of the URL.
    configs: Vec<Config>,
    connect_timeout: Duration,
    answer_timeout: Duration,
    /// Where connections may be encrypted.
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    /// `schema` is what our tables lie in; `answer_timeout` is as [`crate::OpenOptions`] has it.
    pub(crate) fn new(
        url: &str,
        schema: &str,
        answer_timeout: Duration,
        settings: &TlsSettings<'_>,
    ) -> Result<Self, OpenError> {
        let wishes = Wishes::of(url);
        let mut config: Config = wishes.url.parse().map_err(|error| OpenError::Url(describe(&error)))?;
        let tls = wishes.apply(&mut config, settings)?;
        let mut options = config.get_options().map(|options| format!("{options} ")).unwrap_or_default();
        options.push_str(&format!("-c search_path={schema} -c synchronous_commit=on"));
        for (name, value) in SETTINGS {
            options.push_str(&format!(" -c {name}={value}"));
        }
        for (name, bound) in bounds(answer_timeout) {
            options.push_str(&format!(" -c {name}={}", bound.as_millis()));
        }
        config.options(&options);
        config.application_name(mark::unmarked(config.get_application_name()));
        let connect_timeout = config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
        config.connect_timeout(connect_timeout / ADDRESSES_EXPECTED);
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNACKNOWLEDGED_TIMEOUT);
        }
        config.keepalives_idle(KEEPALIVE_IDLE);
        config.keepalives_interval(KEEPALIVE_INTERVAL).keepalives_retries(KEEPALIVE_RETRIES);
        let configs = hosts::each(&config)?;
        Ok(Self { configs, connect_timeout, answer_timeout, tls })
    }

    /// The same for connections of a process that others know.
    pub(crate) fn marked(mut self, mark: &Mark) -> Self {
        for config in &mut self.configs {
            config.application_name(mark.application_name(config.get_application_name()));
        }
        self
    }

    /// A new connection to the first server that takes writes, which lives until its session is dropped. Must be called on the
    /// store's thread.
    pub(crate) async fn connect(&self) -> Result<Session, Failure> {
        self.connect_for(&|_told| {}).await
    }

    /// The same with a way on which what it is notified of comes, until the connection is lost.
    pub(crate) async fn connect_to_hear(&self) -> Result<(Session, UnboundedReceiver<String>), Failure> {
        let (sender, told) = mpsc::unbounded();
        // Fails when nobody hears any more, who then has no use for it.
        let tell = move |text: &str| drop(sender.unbounded_send(text.to_owned()));
        Ok((self.connect_for(&tell).await?, told))
    }

    async fn connect_for(&self, tell: &(impl Fn(&str) + Clone + 'static)) -> Result<Session, Failure> {
        let mut problems = Vec::new();
        for config in &self.configs {
            // On the heap: it is large, and every wait for a connection would carry it.
            let connecting = Box::pin(self.connect_to(config, tell));
            let problem = match timeout(self.connect_timeout, connecting).await {
                Ok(Ok(session)) => return Ok(session),
                Ok(Err(problem)) => problem,
                Err(_elapsed) => {
                    format!("PostgreSQL cannot be reached: no answer within {:?}", self.connect_timeout)
                }
            };
            problems.push(match self.configs.len() {
                1 => problem,
                _ => format!("{}: {problem}", hosts::name(config)),
            });
        }
        Err(Failure::Away(problems.join("; ")))
    }

    pub(crate) fn answer_timeout(&self) -> Duration {
        self.answer_timeout
    }

    async fn connect_to(
        &self,
        config: &Config,
        tell: &(impl Fn(&str) + Clone + 'static),
    ) -> Result<Session, String> {
        let client = match &self.tls {
            None => driven(config.connect(NoTls).await, tell.clone()),
            Some(tls) => driven(config.connect(tls.clone()).await, tell.clone()),
        };
        let session = Session::new(client.map_err(|error| describe_absence(&error))?, self.answer_timeout);
        session.batch(UNBOUND_TRANSACTIONS).await.map_err(|failure| failure.describe())?;
        Ok(session)
    }
}

/// The server's own bounds, shorter than our patience, so that it says itself what took too long, and the connection stays.
fn bounds(answer_timeout: Duration) -> [(&'static str, Duration); 3] {
    [
        ("statement_timeout", answer_timeout * 2 / 3),
        ("lock_timeout", answer_timeout / 2),
        // We never think between two statements: who is silent for so long has gone.
        ("idle_in_transaction_session_timeout", answer_timeout),
    ]
}

/// Keeps a connection going for as long as its client is there, and tells of what it is notified of.
fn driven<S, T>(
    connected: Result<(Client, Connection<S, T>), tokio_postgres::Error>,
    tell: impl Fn(&str) + 'static,
) -> Result<Client, tokio_postgres::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (client, mut connection) = connected?;
    tokio::task::spawn_local(async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            match message {
                Ok(AsyncMessage::Notification(notification)) => tell(notification.payload()),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(error = describe(&error), "a connection to PostgreSQL has ended");
                    return;
                }
            }
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
