//! Processes that take a part of the work: some serve, others deliver.

use std::net::TcpStream;

use serde_json::{Value, json};
use signalpost_testkit::{HttpClient, Request, Response, Server, wait_for};

use super::cluster::{Cluster, KEY, LANE_GROUPS, LONG};
use crate::{PATIENCE, options};

const API: usize = 0;
const WORKER: usize = 1;

/// An API that waits for somebody to deliver.
fn alone() -> Cluster {
    let cluster = Cluster::of_unready(options(&["--role", "api"]));
    assert_eq!(get(&cluster.nodes[API], "/livez").status, 200);
    cluster
}

/// One that serves and one that delivers.
fn divided() -> Cluster {
    let mut cluster = alone();
    cluster.join(options(&["--role", "worker"]));
    cluster.nodes[API].wait_ready(PATIENCE).unwrap();
    cluster
}

/// Without a key.
fn get(node: &Server, path: &str) -> Response {
    HttpClient::new(node.operator_address(), LONG).send(&Request::new("GET", path)).unwrap()
}

fn with_key(node: &Server, request: Request) -> Response {
    let request = request.header("authorization", &format!("Bearer {KEY}"));
    HttpClient::new(node.operator_address(), LONG).send(&request).unwrap()
}

/// Until it is not ready, and says why in these words.
fn wait_until_unready(node: &Server, words: &str) {
    let says = || {
        let answer = get(node, "/readyz");
        answer.status == 503 && answer.json()["detail"].as_str().unwrap().contains(words)
    };
    wait_for("it to say why it is not ready", LONG, says).unwrap();
}

#[test]
fn what_one_accepts_the_other_delivers() {
    let mut cluster = divided();
    cluster.publish_while(|cluster| cluster.wait_for_more(300));
    assert_eq!(cluster.wait_for_all(), 0);
    assert_eq!((cluster.groups_of(API), cluster.groups_of(WORKER)), (0, LANE_GROUPS));
}

/// What is asked for where nothing is delivered is done by whoever delivers.
#[test]
fn tests_redeliveries_and_replays_reach_whoever_delivers() {
    let cluster = divided();
    let (mut operator, to) = (cluster.operator(API), "/0");
    let webhook = format!("/v1/workspaces/{}/webhooks/{}", cluster.workspace, cluster.webhooks[0]);
    let arrives = |count: usize| {
        wait_for("it to arrive", PATIENCE, || cluster.requests_to(to) == count).unwrap();
        wait_for("nothing to be pending", LONG, || cluster.listed("pending").is_empty()).unwrap();
    };
    let test = json!({"data": {"number": 1_000_000}});
    let sent = operator.post(&format!("{webhook}/test"), &test).unwrap();
    arrives(1);
    let delivery = sent["delivery"].as_str().unwrap();
    operator.post(&format!("/v1/deliveries/{delivery}/redeliver"), &json!({})).unwrap();
    arrives(2);
    let replay = json!({"which": "all", "since": "2026-01-01T00:00:00Z", "start": "when_planned"});
    operator.post(&format!("{webhook}/replays"), &replay).unwrap();
    arrives(3);
}

#[test]
fn whoever_only_delivers_is_reached_by_nobody_but_its_operator() {
    let cluster = divided();
    let worker = &cluster.nodes[WORKER];
    assert!(TcpStream::connect(worker.public()).is_err(), "there is no public address");
    assert!(TcpStream::connect(cluster.nodes[API].public()).is_ok());
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(get(worker, path).status, 200, "{path}");
    }
    assert_eq!(get(worker, "/v1/cluster").status, 401);
    let shown = with_key(worker, Request::new("GET", "/v1/cluster")).json();
    let mut nodes: Vec<(Value, Value)> = shown["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["is_this"].clone(), node["delivers"].clone()))
        .collect();
    nodes.sort_by_key(|(is_this, _)| is_this.as_bool());
    assert_eq!(nodes, [(json!(false), json!(false)), (json!(true), json!(true))]);
    let events = format!("/v1/workspaces/{}/events", cluster.workspace);
    for (method, path) in
        [("POST", events.as_str()), ("GET", "/v1/workspaces"), ("GET", "/docs"), ("GET", "/x")]
    {
        let refused = with_key(worker, Request::new(method, path));
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (421, &json!("misdirected")),
            "{method} {path}"
        );
    }
}

#[test]
fn whoever_serves_is_ready_while_somebody_delivers() {
    let mut cluster = alone();
    wait_until_unready(&cluster.nodes[API], "no node that delivers is there");
    cluster.publish_while(|cluster| cluster.wait_for_more(50));
    assert_eq!(cluster.listed("delivered"), [] as [Value; 0], "nobody delivers");
    cluster.join(options(&["--role", "worker"]));
    cluster.nodes[API].wait_ready(PATIENCE).unwrap();
    assert_eq!(cluster.wait_for_all(), 0, "what was accepted meanwhile");
    assert!(cluster.nodes[WORKER].stop(PATIENCE).unwrap().success());
    wait_until_unready(&cluster.nodes[API], "no node that delivers is there");
}

#[test]
fn the_embedded_store_has_one_process_for_everything() {
    for role in ["api", "worker"] {
        let mut server = Server::new(options(&["--role", role])).unwrap();
        server.launch().unwrap();
        assert_eq!(server.wait_end(PATIENCE).unwrap().code(), Some(1));
        let said = server.log_tail();
        assert!(said.contains(&format!("--role: `{role}` is one of several processes")), "{said}");
        assert!(!server.data().exists(), "nothing was made");
    }
}
