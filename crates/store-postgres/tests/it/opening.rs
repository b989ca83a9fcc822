//! Who may open the store, and what is refused.

use signalpost_store_postgres::OpenError;
use signalpost_testkit::Postgres;

use crate::support::{Fresh, SystemThreads, open_at, say};

#[test]
fn a_server_that_forgets_what_it_confirmed_is_refused() {
    for setting in ["fsync", "full_page_writes"] {
        let server = Postgres::start(&[&format!("{setting}=off")]).expect("a server");
        let threads = SystemThreads::default();
        match open_at(&server.url(), "s", &threads) {
            Err(OpenError::Setting { name, .. }) => assert_eq!(name, setting),
            other => panic!("{:?}", other.map(drop)),
        }
        threads.join();
    }
}

#[test]
fn a_commit_is_synced_whatever_the_server_is_set_to() {
    let server = Postgres::start(&["synchronous_commit=off"]).expect("a server");
    let threads = SystemThreads::default();
    drop(open_at(&server.url(), "s", &threads).expect("its own connections say otherwise"));
    threads.join();
}

#[test]
fn nonsense_is_refused_before_anybody_is_asked() {
    let threads = SystemThreads::default();
    let open = |url: &str, schema: &str| open_at(url, schema, &threads).map(drop).expect_err("refused");
    assert!(matches!(open("postgres://host:port/x", "s"), OpenError::Url(_)));
    assert!(matches!(open("postgres://127.0.0.1:1/x", "drop table"), OpenError::Schema(_)));
    let away = open("postgres://127.0.0.1:1/x", "s").to_string();
    assert!(away.contains("PostgreSQL cannot be reached"), "{away}");
    threads.join();
}

#[test]
fn the_history_of_a_schema_must_be_ours() {
    for (change, expected) in [
        ("INSERT INTO schema_migration VALUES (99, 'from the future', '')", "newer version"),
        ("UPDATE schema_migration SET sha256 = ''", "another text"),
    ] {
        let place = Fresh::new();
        drop(place.try_open().expect("it opens"));
        place.threads.join();
        say(&format!("SET search_path = {}; {change}", place.schema));
        let refused = place.try_open().map(drop).expect_err("refused").to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}
