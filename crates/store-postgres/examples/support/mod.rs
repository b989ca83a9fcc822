//! A store on a server of the measurement's own, by the machine's clock.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use signalpost_core::ports::{BoxFuture, Clock, Threads};
use signalpost_core::time::{Monotonic, Timestamp};
use signalpost_store_postgres::{ANSWER_TIMEOUT, Duty, OpenOptions, PostgresStore, Process};
use signalpost_testkit::Postgres;

struct SystemThreads;

impl Threads for SystemThreads {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) {
        std::thread::Builder::new().name(name.to_owned()).spawn(body).expect("a thread");
    }
}

struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later");
        Timestamp::from_ms(i64::try_from(since.as_millis()).expect("this century"))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_us(u64::try_from(self.0.elapsed().as_micros()).expect("not so long"))
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        unreachable!("a store sleeps by timers of its own")
    }

    fn give_way(&self) -> BoxFuture<'static, ()> {
        unreachable!("nobody does here")
    }
}

pub(crate) fn open(server: &Postgres, schema: &str) -> PostgresStore {
    let opened = PostgresStore::open(OpenOptions {
        url: server.url(),
        schema: schema.to_owned(),
        answer_timeout: ANSWER_TIMEOUT,
        tls: &|_| Err("nobody asked for it".to_owned()),
        threads: &SystemThreads,
        clock: Arc::new(SystemClock(Instant::now())),
        on_server_time: Arc::new(|_| {}),
        process: Process { name: String::new(), is_gone: |_| false },
        duty: Duty::Delivers,
        cell: None,
    });
    opened.expect("it opens")
}
