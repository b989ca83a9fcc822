//! Stores in schemas of their own on one server, and threads that can be waited for.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use signalpost_core::ports::{BoxFuture, Clock, Threads};
use signalpost_core::time::{Monotonic, Timestamp};
use signalpost_store::Store;
use signalpost_store::testing::conformance::Harness;
use signalpost_store_postgres::{ANSWER_TIMEOUT, Duty, OpenError, OpenOptions, PostgresStore, Process};
use signalpost_testkit::Postgres;

/// The server of all tests that leave it alone. It ends with the process.
static SERVER: LazyLock<Postgres> =
    LazyLock::new(|| Postgres::start(&["max_connections=400"]).expect("a PostgreSQL server"));

/// Threads of the system, remembered until they are joined.
#[derive(Default)]
pub(crate) struct SystemThreads(Mutex<Vec<JoinHandle<()>>>);

impl Threads for SystemThreads {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body).expect("a thread");
        self.0.lock().expect("no panic while locked").push(thread);
    }
}

impl SystemThreads {
    /// Waits for the end of all threads so far, and checks that none has panicked.
    pub(crate) fn join(&self) {
        let threads = std::mem::take(&mut *self.0.lock().expect("no panic while locked"));
        for thread in threads {
            thread.join().expect("no thread of the store panics");
        }
    }
}

/// A schema of its own, which goes with it.
pub(crate) struct Fresh {
    pub(crate) schema: String,
    pub(crate) threads: SystemThreads,
}

/// For servers on this machine.
pub(crate) fn no_tls(_authorities: Option<&Path>) -> Result<rustls::ClientConfig, String> {
    Err("nobody asked for it".to_owned())
}

/// A store in the clear, with the usual patience, of a process that ends with the threads.
pub(crate) fn options<'t>(url: &str, schema: &str, threads: &'t SystemThreads) -> OpenOptions<'t> {
    OpenOptions {
        url: url.to_owned(),
        schema: schema.to_owned(),
        answer_timeout: ANSWER_TIMEOUT,
        tls: &no_tls,
        threads,
        clock: Arc::new(RealClock),
        on_server_time: Arc::new(|_heard| {}),
        process: Process { name: String::new(), is_gone: |_| false },
        duty: Duty::Delivers,
        cell: None,
    }
}

pub(crate) fn open_at(url: &str, schema: &str, threads: &SystemThreads) -> Result<PostgresStore, OpenError> {
    PostgresStore::open(options(url, schema, threads))
}

/// The system's clock, by which nobody sleeps here.
pub(crate) struct RealClock;

static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later");
        Timestamp::from_ms(i64::try_from(since.as_millis()).expect("this century"))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_us(u64::try_from(STARTED.elapsed().as_micros()).expect("not so long"))
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        unreachable!("a store sleeps by timers of its own")
    }

    fn give_way(&self) -> BoxFuture<'static, ()> {
        unreachable!("nobody does here")
    }
}

impl Fresh {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self { schema: format!("t{}_{number}", std::process::id()), threads: SystemThreads::default() }
    }

    pub(crate) fn try_open(&self) -> Result<PostgresStore, OpenError> {
        open_at(&SERVER.url(), &self.schema, &self.threads)
    }
}

impl Harness for Fresh {
    fn open(&self) -> Arc<dyn Store> {
        // A store that was dropped without a close finishes in the background.
        self.threads.join();
        Arc::new(self.try_open().expect("the store opens"))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.threads.join();
        say(&format!("DROP SCHEMA IF EXISTS {} CASCADE", self.schema));
    }
}

/// On which it listens.
pub(crate) fn server_port() -> u16 {
    SERVER.port()
}

/// Where the server of all tests is.
pub(crate) fn server_url() -> String {
    SERVER.url()
}

/// Says something to the server of all tests.
pub(crate) fn say(sql: &str) {
    say_to(&SERVER.url(), sql);
}

/// The texts of a query's first column, as the server of all tests answers it.
pub(crate) fn ask(sql: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let connected = tokio_postgres::connect(&SERVER.url(), tokio_postgres::NoTls).await;
        let (client, connection) = connected.expect("the server is there");
        let asking = async move { client.query(sql, &[]).await.expect("it answers") };
        let (rows, ended) = futures_util::future::join(asking, connection).await;
        ended.expect("the connection ends well");
        rows.iter().map(|row| row.get(0)).collect()
    })
}

/// Says something to a server on a connection of its own.
pub(crate) fn say_to(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("the server is there");
        let saying = async move {
            let said = client.batch_execute(sql).await;
            drop(client);
            said
        };
        let (said, ended) = futures_util::future::join(saying, connection).await;
        said.expect("the server does what it is told");
        ended.expect("the connection ends well");
    });
}
