//! A program of the version before beside this one, on one database: `cargo xtask test` builds it from the commit before.
//! Without it, as in a plain `cargo test`, this program stands for it.

use std::path::PathBuf;

use serde_json::json;
use signalpost_testkit::{ServerOptions, wait_for};

use super::IN_FLIGHT_MAX;
use super::cluster::{Cluster, LANE_GROUPS, LONG};
use crate::{PATIENCE, options};

/// Names the program of the version before.
const PREVIOUS: &str = "PREVIOUS_SIGNALPOST";
const OLD: usize = 0;
const NEW: usize = 1;

/// No flag or setting that came with this version.
fn previous() -> ServerOptions {
    let named = std::env::var_os(PREVIOUS).map(PathBuf::from);
    ServerOptions::new(named.unwrap_or_else(|| options(&[]).binary))
}

/// An old one that works, and a new one that has come to it while events were published.
fn upgrading() -> Cluster {
    let mut cluster = Cluster::of([previous()]);
    cluster.publish_while(|cluster| {
        cluster.join(options(&[]));
        cluster.wait_for_balance();
    });
    cluster
}

#[test]
fn a_rolling_upgrade_loses_nothing_and_sends_nothing_twice() {
    let mut cluster = upgrading();
    cluster.publish_while(|cluster| {
        cluster.wait_for_more(300);
        assert!(cluster.nodes[OLD].stop(PATIENCE).unwrap().success());
        cluster.wait_for_more(200);
    });
    assert_eq!(cluster.wait_for_all(), 0);
    assert_eq!(cluster.groups_of(NEW), LANE_GROUPS);
}

#[test]
fn what_one_version_makes_the_other_uses() {
    let cluster = upgrading();
    for (number, (maker, user)) in [(OLD, NEW), (NEW, OLD)].into_iter().enumerate() {
        let path = format!("/made/{number}");
        let webhook = json!({"url": cluster.url(&path), "events": [format!("made.{number}")]});
        let (id, _) = cluster.operator(maker).create_webhook(&cluster.workspace, &webhook).unwrap();
        let event = json!({"type": format!("made.{number}"), "data": {"number": 1_000_000}});
        // What a change does reaches other nodes in a moment; a delete is answered when it has.
        let arrives = || {
            cluster.operator(user).publish(&cluster.workspace, &event).unwrap();
            cluster.requests_to(&path) > 0
        };
        wait_for("what was made to be used", LONG, arrives).unwrap();
        let webhook = format!("/v1/workspaces/{}/webhooks/{id}", cluster.workspace);
        assert_eq!(cluster.ask(user, signalpost_testkit::Request::new("DELETE", &webhook)), 204);
        let published = cluster.operator(maker).publish(&cluster.workspace, &event).unwrap();
        assert_eq!(published["deliveries"], 0, "the other one knows that it is gone");
    }
    cluster.wait_for_all();
}

/// It is started again by whoever looks after it, and the way back is open.
#[test]
fn an_old_one_starts_beside_the_schema_of_the_new_one_and_takes_over_from_it() {
    let mut cluster = upgrading();
    cluster.publish_while(|cluster| {
        cluster.nodes[OLD].kill().unwrap();
        cluster.wait_for_more(200);
        cluster.nodes[OLD].launch().unwrap();
        cluster.nodes[OLD].wait_ready(PATIENCE).unwrap();
        cluster.wait_for_balance();
        cluster.wait_for_more(200);
        assert!(cluster.nodes[NEW].stop(PATIENCE).unwrap().success());
        cluster.wait_for_more(200);
    });
    let twice = cluster.wait_for_all();
    assert!(twice <= IN_FLIGHT_MAX, "{twice} came more than once");
    assert_eq!(cluster.groups_of(OLD), LANE_GROUPS);
}
