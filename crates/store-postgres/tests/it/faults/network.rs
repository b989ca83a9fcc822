//! The network between the store and the server loses everything, or only answers, and nobody is told. No verb waits for ever.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use signalpost_core::delivery::Due;
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::principal::Principal;
use signalpost_core::time::Timestamp;
use signalpost_store::catalog::{DeleteWebhook, ListWebhooks};
use signalpost_store::ledger::{CommitListener, DueOrder, DuePage, Stored};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, Ledger, StoreError};
use signalpost_testkit::{Postgres, wait_for};

use super::proxy::{Line, Proxy};
use super::stage::{PATIENCE, Stage};

const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The wait for an answer, then for a connection to ask again, and what a busy machine takes beside.
const VERB_MAX: Duration = Duration::from_secs(2 * 2 + 1 + 3);

fn behind_a_proxy() -> (Stage, Proxy) {
    let server = Postgres::start(&[]).expect("a server");
    let proxy = Proxy::before(server.port());
    let url = server.url().replace(&server.port().to_string(), &proxy.port().to_string());
    let url = format!("{url}?connect_timeout={}", CONNECT_TIMEOUT.as_secs());
    (Stage::reached_by(server, url, ANSWER_TIMEOUT), proxy)
}

/// Everybody is refused in time while the line is like this, and the store goes on when it is whole again.
fn go_through(line: Line) {
    let (mut stage, proxy) = behind_a_proxy();
    let store = stage.store.clone();
    let workspace = stage.workspace;
    let told = stage.publish_while(|_, progress| {
        proxy.set(line);
        // Twice: those under way, and those that find no connection.
        for _ in 0..2 {
            let started = Instant::now();
            progress.all_refused();
            assert!(started.elapsed() < VERB_MAX, "{:?}", started.elapsed());
        }
        let started = Instant::now();
        let read = block_on(store.fan_out(workspace));
        assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
        assert!(started.elapsed() < VERB_MAX, "{:?}", started.elapsed());
        proxy.set(Line::Whole);
    });
    drop(store);
    stage.check(&told);
}

#[test]
fn a_line_that_is_cut_and_mended_loses_nothing() {
    go_through(Line::Cut);
}

#[test]
fn answers_that_do_not_arrive_lose_nothing() {
    go_through(Line::Deaf);
}

/// Events that somebody was told of, and of which webhooks not.
#[derive(Default)]
struct Heard(Mutex<Vec<(i64, Vec<WebhookId>)>>);

impl CommitListener for Heard {
    fn accepted(&self, events: Vec<Stored>) {
        let heard = events.into_iter().map(|stored| (stored.event.id.raw(), stored.told_apart));
        self.0.lock().expect("nobody panics here").extend(heard);
    }

    fn requeued(&self, _due: Vec<Due>, _workspace: WorkspaceId) {}

    fn released(&self, _due: Due) {}
}

/// The commit was seen before its answer came: what it owes may be delivered and forgotten by then.
#[test]
fn what_was_read_before_a_commit_was_answered_is_not_told_of() {
    let (stage, proxy) = behind_a_proxy();
    let heard = Arc::new(Heard::default());
    stage.store.listen(heard.clone());
    let (workspace, webhook, others) = (stage.workspace, stage.webhook, WebhookId::from_raw(12));
    block_on(stage.store.create_webhook(sample::webhook(workspace, 12).into())).expect("a webhook");
    let version = block_on(stage.store.fan_out(workspace)).expect("it reads").expect("it exists").version;
    let publish = |n| {
        let event = sample::event(workspace, n, version, &[webhook, others]);
        block_on(stage.store.accept(vec![event])).expect("it is accepted");
    };
    publish(1_000);
    let page = DuePage { webhook, limit: 9, order: DueOrder::OLDEST_FIRST };
    thread::scope(|scope| {
        proxy.set(Line::DeafToCommits);
        let publisher = scope.spawn(|| publish(1_001));
        wait_for("a commit", PATIENCE, || proxy.losses() > 0).expect("it is committed");
        let owed = block_on(stage.store.due_page(page)).expect("it reads");
        assert_eq!(owed.iter().map(|due| due.id.event.raw()).collect::<Vec<_>>(), [1_000, 1_001]);
        proxy.set(Line::Whole);
        publisher.join().expect("it is told what became of it");
    });
    publish(1_002);
    let told = heard.0.lock().expect("nobody panics here").clone();
    assert_eq!(told, [(1_000, vec![]), (1_001, vec![webhook]), (1_002, vec![])]);
}

/// The commit has come through, and only its answer is lost: the server is asked on another connection.
#[test]
fn whoever_got_no_answer_is_told_what_became_of_it() {
    let (mut stage, proxy) = behind_a_proxy();
    let told = stage.publish_while(|_, progress| {
        for _ in 0..3 {
            let losses = proxy.losses();
            proxy.set(Line::DeafToCommits);
            wait_for("a commit", PATIENCE, || proxy.losses() > losses).expect("somebody publishes");
            proxy.set(Line::Whole);
            progress.more_acknowledged(10);
        }
    });
    let stored = stage.stored();
    let kept: Vec<_> = told.unknown.intersection(&stored).collect();
    assert_eq!(kept, Vec::<&i64>::new(), "refused, and there all the same");
    stage.check(&told);
}

/// The same of a call that nobody can repeat without doing it twice.
#[test]
fn whoever_makes_something_is_told_so_though_the_answer_was_lost() {
    let (stage, proxy) = behind_a_proxy();
    for id in [21, 22, 23] {
        let losses = proxy.losses();
        proxy.set(Line::DeafToCommits);
        let (store, webhook) = (stage.store.clone(), sample::webhook(stage.workspace, id));
        let making = thread::spawn(move || block_on(store.create_webhook(webhook.into())));
        wait_for("a commit", PATIENCE, || proxy.losses() > losses).expect("it is made");
        proxy.set(Line::Whole);
        let made = making.join().expect("it does not panic");
        assert!(made.is_ok(), "{made:?}");
    }
    let page = ListWebhooks {
        workspace: stage.workspace,
        subject: None,
        active: None,
        before: None,
        offset: 0,
        limit: 10,
    };
    assert_eq!(block_on(stage.store.list_webhooks(page)).expect("it reads").rows.len(), 4);
}

/// What was taken away is not answered before everybody knows, also where nobody said whether it was.
#[test]
fn whoever_removes_something_is_told_so_though_the_answer_was_lost() {
    let (stage, proxy) = behind_a_proxy();
    let losses = proxy.losses();
    proxy.set(Line::DeafToCommits);
    let gone = DeleteWebhook {
        workspace: stage.workspace,
        webhook: stage.webhook,
        at: Timestamp::from_ms(5),
        by: Principal::Operator,
    };
    let store = stage.store.clone();
    let removing = thread::spawn(move || block_on(store.delete_webhook(gone)));
    wait_for("a commit", PATIENCE, || proxy.losses() > losses).expect("it is removed");
    proxy.set(Line::Whole);
    let removed = removing.join().expect("it does not panic");
    assert!(removed.is_ok(), "{removed:?}");
}
