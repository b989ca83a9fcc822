//! Several processes on one PostgreSQL database: each may be killed, frozen or stopped, and callers may come to any of them.

mod cells;
mod cluster;
mod roles;
mod upgrade;

use std::sync::atomic::Ordering;

use serde_json::json;
use signalpost_testkit::{HttpClient, Request, wait_for};

use self::cluster::{Cluster, LANE_GROUPS, NODES, WEBHOOKS};
use crate::PATIENCE;

/// Requests of one node that may be on their way at once in these tests: each publisher waits for its answer, but the receiver
/// answers later than that.
pub(super) const IN_FLIGHT_MAX: usize = 64;

#[test]
fn every_event_comes_once_whoever_accepts_it() {
    let mut cluster = Cluster::start();
    cluster.publish_while(|cluster| cluster.wait_for_more(500));
    assert_eq!(cluster.wait_for_all(), 0);
}

#[test]
fn whoever_is_killed_is_replaced_and_comes_back() {
    let mut cluster = Cluster::start();
    cluster.publish_while(|cluster| {
        cluster.nodes[1].kill().unwrap();
        cluster.wait_for_more(300);
        cluster.nodes[1].launch().unwrap();
        cluster.nodes[1].wait_ready(PATIENCE).unwrap();
        cluster.wait_for_balance();
        cluster.wait_for_more(300);
    });
    let twice = cluster.wait_for_all();
    assert!(twice <= IN_FLIGHT_MAX, "{twice} came more than once");
}

#[test]
fn one_that_is_left_does_the_work_of_all() {
    let mut cluster = Cluster::start();
    cluster.publish_while(|cluster| {
        for node in 0..NODES - 1 {
            cluster.nodes[node].kill().unwrap();
        }
        cluster.wait_for_more(200);
    });
    let twice = cluster.wait_for_all();
    assert!(twice <= 2 * IN_FLIGHT_MAX, "{twice} came more than once");
}

/// Whoever is stopped in order gives up what it has at once, and what it has begun it ends.
#[test]
fn whoever_is_stopped_in_order_sends_nothing_twice() {
    let mut cluster = Cluster::start();
    cluster.publish_while(|cluster| {
        for node in 0..NODES {
            assert!(cluster.nodes[node].stop(PATIENCE).unwrap().success());
            cluster.wait_for_more(100);
            cluster.nodes[node].launch().unwrap();
            cluster.nodes[node].wait_ready(PATIENCE).unwrap();
            cluster.wait_for_balance();
        }
    });
    assert_eq!(cluster.wait_for_all(), 0);
}

/// Its lease runs out meanwhile, and others do its work. What it hears afterwards comes too late to be recorded.
#[test]
fn whoever_is_frozen_past_its_lease_writes_nothing_afterwards() {
    let mut cluster = Cluster::start();
    cluster.publish_while(|cluster| {
        cluster.holds.store(true, Ordering::SeqCst);
        cluster.wait_for_more(100);
        cluster.nodes[1].signal("STOP").unwrap();
        cluster.holds.store(false, Ordering::SeqCst);
        let have_all = || cluster.groups_of(0) + cluster.groups_of(2) == LANE_GROUPS;
        wait_for("the others to have everything", 3 * PATIENCE, have_all).unwrap();
        cluster.nodes[1].signal("CONT").unwrap();
        let late = || cluster.has_said(1, "outcomes came too late");
        wait_for("what it had begun to be refused", PATIENCE, late)
            .unwrap_or_else(|error| panic!("{error}: {}", cluster.nodes[1].log_tail()));
        cluster.wait_for_more(200);
    });
    cluster.wait_for_all();
    assert!(cluster.has_said(1, "begins anew"));
}

#[test]
fn nothing_is_sent_to_a_webhook_after_any_node_has_answered_its_delete() {
    let mut cluster = Cluster::start();
    let mut counts = Vec::new();
    cluster.publish_while(|cluster| {
        for number in 0..WEBHOOKS / 2 {
            let path = format!("/v1/workspaces/{}/webhooks/{}", cluster.workspace, cluster.webhooks[number]);
            assert_eq!(cluster.ask(number % NODES, Request::new("DELETE", &path)), 204);
        }
        // What was on its way arrives meanwhile.
        cluster.wait_for_more(100);
        let to = (0..WEBHOOKS / 2).map(|number| format!("/{number}"));
        counts.extend(to.map(|to| (cluster.requests_to(&to), to)));
        cluster.wait_for_more(300);
    });
    for (count, to) in counts {
        assert_eq!(cluster.requests_to(&to), count, "{to}");
    }
}

#[test]
fn a_key_that_one_node_has_revoked_opens_none() {
    let cluster = Cluster::start();
    let mut operator = cluster.operator(0);
    for _ in 0..5 {
        let key = operator.post("/v1/keys", &json!({"name": "k", "scopes": ["read"]})).unwrap();
        let (id, secret) = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());
        let opens = |node: usize| {
            let list =
                Request::new("GET", "/v1/workspaces").header("authorization", &format!("Bearer {secret}"));
            HttpClient::new(cluster.nodes[node].operator_address(), PATIENCE).send(&list).unwrap().status
        };
        assert!((0..NODES).all(|node| opens(node) == 200));
        let revoke = Request::new("DELETE", &format!("/v1/keys/{id}"));
        assert_eq!(cluster.ask(1, revoke), 204);
        assert_eq!((0..NODES).map(opens).collect::<Vec<_>>(), [401; NODES]);
    }
}

/// What it accepts is due when it came, and not an hour later.
#[test]
fn a_clock_that_is_an_hour_off_delays_nothing() {
    let mut cluster = Cluster::start();
    for (node, off) in [(0, "+3600"), (1, "-3600")] {
        assert!(cluster.nodes[node].stop(PATIENCE).unwrap().success());
        let mut environment = cluster.environment();
        environment.extend(strange_clock(off));
        cluster.nodes[node].set_environment(environment);
        cluster.nodes[node].launch().unwrap();
        cluster.nodes[node].wait_ready(PATIENCE).unwrap();
        assert!(cluster.has_said(node, "this machine's clock is not the database's"));
    }
    cluster.wait_for_balance();
    cluster.publish_while(|cluster| cluster.wait_for_more(500));
    assert_eq!(cluster.wait_for_all(), 0);
}

/// What lies to a process about the wall clock (libfaketime), and not about how time passes.
fn strange_clock(off: &str) -> [(String, String); 3] {
    let below =
        |place: &str| std::fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut libraries = below("/usr/lib").map(|path| path.join("faketime/libfaketime.so.1"));
    let library = libraries.find(|path| path.is_file()).expect("libfaketime is installed");
    [
        ("LD_PRELOAD".to_owned(), library.display().to_string()),
        ("FAKETIME".to_owned(), off.to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC".to_owned(), "1".to_owned()),
    ]
}
