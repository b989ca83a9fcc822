//! What the server's settings, or somebody else on it, take from the store: connections, and time.

use std::time::Duration;

use signalpost_core::principal::Principal;
use signalpost_store::catalog::DeleteWebhook;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store::{Catalog, StoreError};
use signalpost_testkit::Postgres;
use tokio_postgres::NoTls;

use super::stage::Stage;
use super::strangers::Stranger;
use crate::support::say_to;

/// One for what is published, two for outcomes, eight for everything else, and the one that holds the place.
const CONNECTIONS_MAX: usize = 16;
const OURS: &str = "starts_with(application_name, 'signalpost')";

#[test]
fn the_store_uses_few_connections_however_many_ask() {
    let mut stage = Stage::new();
    let store = stage.store.clone();
    let workspace = stage.workspace;
    let told = stage.publish_while(|server, _| {
        let reads: Vec<_> = (0..500).map(|_| store.fan_out(workspace)).collect();
        for read in reads {
            block_on(read).expect("it reads");
        }
        let used =
            server.say(&format!("SELECT count(*) FROM pg_stat_activity WHERE {OURS}")).expect("it answers");
        let used: usize = used.parse().expect("a number");
        assert!((3..=CONNECTIONS_MAX).contains(&used), "{used}");
    });
    drop(store);
    stage.check(&told);
}

/// A stranger takes every connection in the moment in which ours are cut.
#[test]
fn a_server_without_a_free_connection_is_waited_for() {
    let server =
        Postgres::start(&["max_connections=20", "superuser_reserved_connections=0"]).expect("a server");
    let mut stage = Stage::on(server);
    let told = stage.publish_while(|server, progress| {
        let url = server.url();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let taken = runtime.block_on(async {
            let mut taken = Vec::new();
            // Until no connection is left, although ours are cut again and again.
            while !progress.last_refusal().contains("(53300)") {
                match tokio_postgres::connect(&url, NoTls).await {
                    Ok((client, connection)) => {
                        drop(tokio::spawn(connection));
                        client
                            .batch_execute(&format!(
                                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS}"
                            ))
                            .await
                            .expect("it does what it is told");
                        taken.push(client);
                    }
                    Err(_) => tokio::task::yield_now().await,
                }
            }
            taken
        });
        progress.all_refused();
        let refusal = progress.last_refusal();
        assert!(refusal.contains("too many clients") || refusal.contains("a moment ago"), "{refusal}");
        drop((taken, runtime));
    });
    stage.check(&told);
}

/// The server's own settings are those of a platform that is stricter than any statement under a lock can be.
#[test]
fn bounds_in_time_that_others_have_set_are_not_ours() {
    let strict = [
        "statement_timeout=50ms",
        "lock_timeout=50ms",
        "idle_in_transaction_session_timeout=50ms",
        "idle_session_timeout=50ms",
    ];
    let mut stage = Stage::on(Postgres::start(&strict).expect("a server"));
    let told = stage.publish_while(|server, _| {
        say_to(
            &server.url(),
            "SET statement_timeout = 0; BEGIN; LOCK TABLE faults.message IN EXCLUSIVE MODE; SELECT pg_sleep(1); COMMIT",
        );
    });
    assert_eq!(told.unknown.len(), 0, "a second is nothing");
    stage.check(&told);
}

/// Statements give up when their time is over, in the midst of transactions; nothing half done is left.
#[test]
fn statements_that_time_out_leave_nothing_half_done() {
    let server = Postgres::start(&[]).expect("a server");
    let url = server.url();
    let mut stage = Stage::reached_by(server, url, Duration::from_millis(600));
    let (store, webhook, workspace) = (stage.store.clone(), stage.webhook, stage.workspace);
    let told = stage.publish_while(|server, progress| {
        for table in ["message", "due", "place", "tally"] {
            let stranger = Stranger::who_says(
                &server.url(),
                &format!("BEGIN; LOCK TABLE faults.{table} IN EXCLUSIVE MODE"),
            );
            progress.all_refused();
            let refusal = progress.last_refusal();
            assert!(refusal.contains("(55P03)") || refusal.contains("(57014)"), "{refusal}");
            drop(stranger);
            progress.more_acknowledged(10);
        }
        // What belongs to a deletion beside the row that is written last is undone with it.
        let stranger = Stranger::who_says(&server.url(), "BEGIN; LOCK TABLE faults.sweep IN EXCLUSIVE MODE");
        let delete = DeleteWebhook { workspace, webhook, at: sample::at(9), by: Principal::Operator };
        let refused = block_on(store.delete_webhook(delete)).map(drop);
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        drop(stranger);
        assert!(block_on(store.lane(webhook)).expect("it reads").is_some(), "it is all there");
    });
    drop(store);
    stage.check(&told);
}
