//! Against a server: numbers without a gap, and nothing that a reader could miss unknowingly.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{try_join, try_join_all};
use signalpost_core::health::ReleaseOrder;
use signalpost_core::id::{UserId, WebhookId, WorkspaceId};
use signalpost_core::ports::{BoxFuture, Clock};
use signalpost_core::time::{Monotonic, Timestamp};
use signalpost_store::change::Change;
use signalpost_testkit::Postgres;

use super::note::Changed;
use super::prune;
use super::read::{Page, newest, read_since};
use crate::connect::Connector;
use crate::failure::Failure;
use crate::nodes::{Duty, Process};
use crate::open::ANSWER_TIMEOUT;
use crate::schema;
use crate::session::Session;
use crate::shared::{Board, Shared};
use crate::write::{BEFORE_COMMIT, Write};

const MUCH: usize = 1_000;

/// A server with the schema, and two who change things.
struct Stage {
    connector: Connector,
    one: Shared,
    other: Shared,
    _server: Postgres,
}

impl Stage {
    async fn new() -> Self {
        let server = Postgres::start(&[]).expect("a server");
        let refused = |_: Option<&std::path::Path>| Err("nobody asked for it".to_owned());
        let connector = Connector::new(&server.url(), "s", ANSWER_TIMEOUT, &refused).expect("a good URL");
        let session = connector.connect().await.expect("it answers");
        schema::migrate(&session).await.expect("it migrates");
        let (one, other) = (shared(&session).await, shared(&session).await);
        assert_ne!(one.origin, other.origin);
        Self { connector, one, other, _server: server }
    }

    async fn session(&self) -> Session {
        let session = self.connector.connect().await.expect("it answers");
        session.prepare_all(BEFORE_COMMIT).await.expect("they are prepared");
        session
    }
}

/// Nobody asks for the time here.
struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(0)
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_us(0)
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        unreachable!("nobody sleeps here")
    }

    fn give_way(&self) -> BoxFuture<'static, ()> {
        unreachable!("nobody does here")
    }
}

async fn shared(session: &Session) -> Shared {
    let process = Process { name: String::new(), is_gone: |_| false };
    let shared =
        Shared::read(session, Arc::new(Board::new()), Arc::new(NoClock), process, (Duty::Serves, None));
    shared.await.expect("it reads")
}

async fn commit(session: &Session, shared: &Shared, changes: &[Change]) -> Result<Option<Changed>, Failure> {
    let mut write = Write::begin(session, shared).await?;
    changes.iter().for_each(|change| write.note_change(*change));
    Ok(write.commit().await?.changed)
}

async fn read(session: &Session, after: i64, shared: &Shared, rows: usize) -> Page {
    read_since(session, after, shared.origin, rows).await.expect("it reads")
}

fn run(test: impl AsyncFnOnce(Stage)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async { test(Stage::new().await).await });
}

fn user(id: i64) -> Change {
    Change::User(UserId::from_raw(id))
}

#[test]
fn others_read_what_was_changed_and_nobody_their_own() {
    run(async |stage| {
        let session = stage.session().await;
        let (workspace, webhook) = (WorkspaceId::from_raw(1), WebhookId::from_raw(2));
        let release = Some(ReleaseOrder::Skip);
        let changes = [
            Change::FanOut(workspace),
            Change::Resumed { workspace, webhook, release },
            Change::FanOut(workspace),
        ];
        assert_eq!(commit(&session, &stage.one, &[]).await.expect("committed"), None);
        let changed = commit(&session, &stage.one, &changes).await.expect("committed");
        assert_eq!(changed, Some(Changed { upto: 2, revokes: false }), "once is enough");
        let changed = commit(&session, &stage.other, &[Change::Granted(UserId::from_raw(3)), user(3)]).await;
        assert_eq!(changed.expect("committed"), Some(Changed { upto: 4, revokes: true }));
        assert_eq!(newest(&session).await.expect("it reads"), 4);

        let of_one = vec![(1, changes[0]), (2, changes[1])];
        let page = Page { upto: 4, changes: of_one, is_full: false };
        assert_eq!(read(&session, 0, &stage.other, MUCH).await, page);
        let page = Page { upto: 1, changes: Vec::new(), is_full: true };
        assert_eq!(read(&session, 0, &stage.one, 1).await, Page { upto: 1, ..page.clone() });
        let page = Page { upto: 4, changes: vec![(4, user(3))], is_full: false };
        assert_eq!(read(&session, 3, &stage.one, MUCH).await, page);
        assert_eq!(read(&session, 4, &stage.one, MUCH).await, Page { changes: Vec::new(), ..page });
    });
}

#[test]
fn what_is_undone_has_changed_nothing() {
    run(async |stage| {
        let session = stage.session().await;
        let mut write = Write::begin(&session, &stage.one).await.expect("it begins");
        write.note_change(user(1));
        write.roll_back().await;
        assert_eq!(newest(&session).await.expect("it reads"), 0);
    });
}

/// A reader that goes on behind the highest number must never find a lower one later.
#[test]
fn numbers_grow_in_the_order_of_commits_and_have_no_gap() {
    const WRITERS: i64 = 4;
    const COMMITS: i64 = 50;
    run(async |stage| {
        let stage = &stage;
        let writing = (0..WRITERS).map(|writer| async move {
            let session = stage.session().await;
            for n in 0..COMMITS {
                commit(&session, &stage.one, &[user(writer * COMMITS + n), user(-1)]).await?;
            }
            Ok::<(), Failure>(())
        });
        let reading = async {
            let (session, mut seen) = (stage.session().await, Vec::new());
            while seen.len() < usize::try_from(WRITERS * COMMITS * 2).expect("few") {
                let after = seen.last().map_or(0, |(n, _)| *n);
                seen.extend(read(&session, after, &stage.other, 7).await.changes);
            }
            Ok(seen)
        };
        let done = try_join(try_join_all(writing), reading).await;
        let (_, seen) = done.expect("nobody is in another's way");
        assert!(seen.iter().all(|(_, change)| *change != Change::Any), "a gap was seen");
        assert!(seen.iter().zip(1..).all(|((n, _), expected)| *n == expected));
    });
}

#[test]
fn whoever_has_missed_what_is_gone_is_told_that_it_may_be_anything() {
    run(async |stage| {
        let session = stage.session().await;
        for id in 1..=3 {
            commit(&session, &stage.one, &[user(id)]).await.expect("committed");
        }
        assert!(!prune::step(&session).await.expect("it prunes"));
        let page = Page { upto: 3, changes: vec![(3, user(3))], is_full: false };
        assert_eq!(read(&session, 2, &stage.other, MUCH).await, page, "nothing is old yet");
        assert_eq!(read(&session, 0, &stage.other, MUCH).await.changes.len(), 3);
        session.batch("UPDATE change SET at = at - interval '2 hours'").await.expect("time passes");
        prune::step(&session).await.expect("it prunes");
        assert_eq!(read(&session, 2, &stage.other, MUCH).await, page, "the newest is never removed");
        let missed = Page { changes: vec![(2, Change::Any), (3, user(3))], ..page };
        assert_eq!(read(&session, 0, &stage.other, MUCH).await, missed);
        assert_eq!(read(&session, 0, &stage.one, MUCH).await.changes, [(2, Change::Any)]);
        let changed = commit(&session, &stage.one, &[user(4)]).await.expect("committed");
        assert_eq!(changed.map(|changed| changed.upto), Some(4), "and numbers go on");
    });
}

#[test]
fn numbers_that_come_again_may_be_anything() {
    run(async |stage| {
        let session = stage.session().await;
        commit(&session, &stage.one, &[user(1)]).await.expect("committed");
        let page = Page { upto: 1, changes: vec![(1, Change::Any)], is_full: false };
        assert_eq!(read(&session, 7, &stage.other, MUCH).await, page, "a copy of an hour ago");
    });
}
