//! A second server takes over: what was acknowledged is there, for it was confirmed by both.

use signalpost_store_postgres::ANSWER_TIMEOUT;
use signalpost_testkit::Postgres;

use super::stage::Stage;
use crate::support::{SystemThreads, open_at};

#[test]
fn a_replica_that_takes_over_has_every_acknowledged_event() {
    let server = Postgres::start(&[]).expect("a server");
    let replica = server.replicate().expect("a replica");
    let url = server.url_with(&replica);
    let mut stage = Stage::reached_by(server, url, ANSWER_TIMEOUT);
    let told = stage.publish_while(|server, _| {
        server.crash().expect("it ends");
        replica.promote().expect("it takes over");
    });
    assert!(!stage.server.answers(), "the first server stays away");
    stage.check(&told);
}

/// Also when it is named first, and nobody has said that writes are wanted.
#[test]
fn a_server_that_takes_no_writes_is_not_used() {
    let server = Postgres::start(&[]).expect("a server");
    let replica = server.replicate().expect("a replica");
    let threads = SystemThreads::default();
    let open = |url: String| open_at(&url, "s", &threads);
    let refused = open(replica.url()).map(drop).expect_err("nothing can be written there").to_string();
    assert!(refused.contains("does not allow writes"), "{refused}");
    let both = replica.url_with(&server);
    for url in [both.replace("read-write", "any"), both.split('?').next().expect("it is there").to_owned()] {
        drop(open(url).expect("the second server takes writes"));
        threads.join();
    }
}
