//! What becomes of the database sessions of a node that is gone.

use std::time::Duration;

use signalpost_core::limits::LANE_GROUPS;
use signalpost_store::Ledger;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;
use signalpost_store_postgres::{OpenOptions, PostgresStore};
use signalpost_testkit::wait_for;

use super::{PATIENCE, Stage};
use crate::faults::proxy::{Line, Proxy};
use crate::support::{ask, options, server_port, server_url};

/// After so long the server would end by itself what stands still in a transaction.
const FAR_LATER: Duration = Duration::from_secs(600);

/// As of one that is frozen in the midst of a transaction: nothing is heard of it any more, and its sessions stand.
#[test]
fn the_locks_of_whoever_is_gone_are_free() {
    let mut stage = Stage::new(1);
    let proxy = Proxy::before(server_port());
    let url = server_url().replace(&server_port().to_string(), &proxy.port().to_string());
    let far = OpenOptions {
        answer_timeout: FAR_LATER,
        ..options(&format!("{url}?application_name=far"), &stage.place.schema, &stage.place.threads)
    };
    stage.nodes.push(PostgresStore::open(far).expect("it opens"));
    stage.wait_for_balance();
    let webhook = stage.webhooks[0];
    // On the connection of what is published.
    stage.publish(1, 1_000, webhook);
    let names = format!(
        "SELECT 'signalpost ' || split_part(process, ' ', 1) || ' far' FROM {}.node WHERE number = 1",
        stage.place.schema
    );
    let name = ask(&names).pop().expect("it is there");
    let sessions = |state: &str| {
        ask(&format!("SELECT pid::text FROM pg_stat_activity WHERE application_name = '{name}' {state}"))
            .len()
    };
    assert!(sessions("") > 3, "all that it has are called so");
    proxy.set(Line::Deaf);
    let event = sample::event(stage.workspace, 1_001, stage.version(), &[webhook]);
    let accepting = stage.nodes[1].accept(vec![event]);
    let holds = || sessions("AND state = 'idle in transaction'") == 1;
    wait_for("it to hold the workspace's lock", PATIENCE, holds).expect("it does");
    let has_all = || stage.owned(0).len() == LANE_GROUPS;
    wait_for("the other to take all", PATIENCE, has_all).expect("it does");
    stage.publish(0, 1_002, webhook);
    assert_eq!(sessions(""), 0);

    proxy.set(Line::Whole);
    stage.wait_for_balance();
    // Its caller is told, one way or the other.
    drop(block_on(accepting));
    stage.publish(1, 1_003, webhook);
}
