//! Callers who take their time: they are cut off, and nobody else waits for them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signalpost_testkit::{HttpClient, Request, Server, wait_for};

use crate::raw::Raw;
use crate::{PATIENCE, start};

const QUICK: [&str; 6] =
    ["--head-timeout", "400ms", "--stall-timeout", "400ms", "--log", "signalpost::listen=debug,info"];

fn assert_alive(address: SocketAddr) {
    let mut client = HttpClient::new(address, Duration::from_secs(5));
    assert_eq!(client.send(&Request::new("GET", "/livez")).unwrap().status, 200);
}

#[test]
fn a_head_that_does_not_come_ends_the_connection() {
    let server = start(&QUICK);
    for address in [server.public(), server.operator_address()] {
        let began = Instant::now();
        let mut silent = Raw::connect(address);
        let mut dripping = Raw::connect(address);
        dripping.send("GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ");
        dripping.listen_until("the end of a slow head", b"a", |raw| raw.closed);
        silent.listen_until("the end of silence", b"", |raw| raw.closed);
        assert!(began.elapsed() >= Duration::from_millis(400), "not before its time");
        assert_eq!((silent.text(), dripping.text()), (String::new(), String::new()));
    }
    assert_alive(server.operator_address());
}

#[test]
fn a_connection_that_was_heard_may_rest_longer_than_its_first_head() {
    let server = start(&QUICK);
    let mut raw = Raw::connect(server.operator_address());
    let get = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    raw.send(get);
    let began = Instant::now();
    raw.listen_until("patience to pass", b"", |_| began.elapsed() > Duration::from_millis(900));
    assert!(!raw.closed);
    raw.send(get);
    raw.listen_until("the second answer", b"", |raw| raw.text().matches("HTTP/1.1 200").count() == 2);
}

/// The answer to a body of which this much is sent, and then a byte now and then.
fn answer_to_slow_body(address: SocketAddr, path: &str, header: &str, drip: &[u8]) -> (String, Value) {
    let mut raw = Raw::connect(address);
    raw.send(format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\n{header}\r\ncontent-type: application/json\r\n\
         content-length: 10000\r\n\r\n{{\"name\":"
    ));
    raw.listen_until("an answer and the end", drip, |raw| raw.closed);
    let text = raw.text();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    (head.to_ascii_lowercase(), serde_json::from_str(body).unwrap())
}

/// What both surfaces answer to a body of which only `drip` comes after its beginning. It takes at least this long.
fn check_slow_body(limits: [&str; 4], drip: &[u8], at_least: Duration) {
    let server = start(&limits);
    let mut operator = server.operator();
    let workspace = operator.create_workspace(&json!({"dialect": "sigmamind", "name": "a"})).unwrap();
    let key = format!("x-api-key: {}", operator.create_credential(&workspace).unwrap());
    let bearer = format!("authorization: Bearer {}", server.operator_key());
    let began = Instant::now();
    let (head, problem) = answer_to_slow_body(server.operator_address(), "/v1/workspaces", &bearer, drip);
    assert!(began.elapsed() >= at_least, "not before its time");
    assert!(head.starts_with("http/1.1 408 ") && head.contains("connection: close"), "{head}");
    assert_eq!((&problem["code"], &problem["status"]), (&json!("request_timeout"), &json!(408)));
    let (head, envelope) = answer_to_slow_body(server.public(), "/v1/webhooks", &key, drip);
    assert!(head.starts_with("http/1.1 408 ") && head.contains("connection: close"), "{head}");
    assert_eq!((&envelope["status"], &envelope["path"]), (&json!(408), &json!("/v1/webhooks")));
    operator.create_workspace(&json!({"dialect": "native", "name": "others are served"})).unwrap();
}

#[test]
fn a_body_that_stops_is_answered_408_in_the_words_of_its_surface() {
    let limits = ["--body-silence", "400ms", "--body-timeout", "600s"];
    check_slow_body(limits, b"", Duration::from_millis(400));
}

#[test]
fn a_body_that_drips_is_answered_408_in_the_words_of_its_surface() {
    let limits = ["--body-silence", "600s", "--body-timeout", "900ms"];
    check_slow_body(limits, b" ", Duration::from_millis(900));
}

/// Answers of some 8 MiB, more than the system keeps for a caller.
fn fill(server: &Server) -> String {
    let mut operator = server.operator();
    let workspace = operator.create_workspace(&json!({"dialect": "native", "name": "a"})).unwrap();
    for _ in 0..8 {
        operator.publish(&workspace, &json!({"type": "a.b", "data": "x".repeat(1_000_000)})).unwrap();
    }
    format!("/v1/workspaces/{workspace}/events")
}

#[test]
fn a_caller_that_does_not_read_is_cut_off() {
    let server = start(&QUICK);
    let path = fill(&server);
    let mut raw = Raw::connect(server.operator_address());
    let get =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", server.operator_key());
    raw.send(get.repeat(8));
    let told = || server.log_tail().contains("the caller does not take its answer");
    wait_for("the server to give the caller up", PATIENCE, told).unwrap();
    raw.listen_until("the end", b"", |raw| raw.closed);
    assert!(raw.heard.len() < 60_000_000, "cut off in the middle: {}", raw.heard.len());
    assert_alive(server.operator_address());
}

#[test]
fn a_caller_that_reads_gets_all_of_a_large_answer() {
    let server = start(&QUICK);
    let path = fill(&server);
    let answer = server.operator().get(&path).unwrap();
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(8));
}

#[test]
fn connections_of_customers_do_not_use_up_those_of_the_operator() {
    let server = start(&["--public-connections", "2"]);
    let get = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut held: Vec<Raw> = (0..2).map(|_| Raw::connect(server.public())).collect();
    for raw in &mut held {
        raw.send(get);
        raw.listen_until("an answer", b"", |raw| !raw.heard.is_empty());
    }
    let mut third = Raw::connect(server.public());
    third.send(get);
    let began = Instant::now();
    third.listen_until("some time", b"", |_| began.elapsed() > Duration::from_millis(300));
    assert_eq!(third.text(), "", "the door is full");
    assert_alive(server.operator_address());
    held.pop();
    third.listen_until("its turn", b"", |raw| raw.text().starts_with("HTTP/1.1 404"));
}

#[test]
fn an_operator_who_finds_all_connections_taken_is_told_so() {
    let server = start(&["--operator-connections", "3"]);
    // The first is the test's own, by which the server was seen to be ready: it goes on with it or opens another.
    let mut held = Vec::new();
    wait_for("all connections to be taken", PATIENCE, || {
        let mut raw = Raw::connect(server.operator_address());
        raw.send("GET /v1/workspaces HTTP/1.1\r\nhost: x\r\n\r\n");
        raw.listen_until("an answer", b"", |raw| raw.text().ends_with('}'));
        let is_full = raw.text().starts_with("HTTP/1.1 503");
        held.push(raw);
        is_full
    })
    .unwrap();
    let turned_away = held.pop().unwrap();
    assert!(held.len() <= 3, "{} are served", held.len());
    let text = turned_away.text();
    for expected in [
        "content-type: application/problem+json",
        "retry-after: 1",
        "connection: close",
        "\"code\":\"unavailable\"",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    // A body that comes with the call does not destroy the answer.
    let post = "POST /v1/workspaces HTTP/1.1\r\nhost: x\r\ncontent-length: 300000\r\n\r\n";
    let refused = Raw::until_closed(server.operator_address(), format!("{post}{}", "x".repeat(300_000)));
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    for (path, status) in [("/livez", "200"), ("/readyz", "200"), ("/metrics", "200"), ("/docs", "503")] {
        let call = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        let answer = Raw::until_closed(server.operator_address(), call);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
        if path == "/metrics" {
            assert!(answer.contains("signalpost_callers_turned_away_total 2"), "{answer}");
        }
    }
    let told = server.log_tail().matches("callers are turned away").count();
    assert_eq!(told, 1, "once");
    held.pop();
    wait_for("a place that was given back", PATIENCE, || {
        let mut raw = Raw::connect(server.operator_address());
        raw.send("GET /v1/workspaces HTTP/1.1\r\nhost: x\r\n\r\n");
        raw.listen_until("an answer", b"", |raw| raw.text().ends_with('}'));
        raw.text().starts_with("HTTP/1.1 401")
    })
    .unwrap();
}

/// The smallest share of a door, and a door with twice as many connections.
const SHARE: usize = 64;
const CONNECTIONS: &str = "128";

/// So many callers from this machine, each answered once.
fn hold(address: SocketAddr, count: usize) -> Vec<Raw> {
    let mut held: Vec<Raw> = (0..count).map(|_| Raw::connect(address)).collect();
    for raw in &mut held {
        raw.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
        raw.listen_until("an answer", b"", |raw| !raw.heard.is_empty());
    }
    held
}

#[test]
fn one_address_has_a_share_of_the_public_connections() {
    let server = start(&["--public-connections", CONNECTIONS]);
    let mut held = hold(server.public(), SHARE);
    let mut one_more = Raw::connect(server.public());
    one_more.listen_until("the end of one more", b"", |raw| raw.closed);
    assert_eq!(one_more.text(), "");
    hold(server.operator_address(), SHARE + 1);
    held.pop();
    let answered = || {
        let mut raw = Raw::connect(server.public());
        raw.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
        raw.listen_until("an answer or the end", b"", |raw| raw.closed || !raw.heard.is_empty());
        raw.text().starts_with("HTTP/1.1 404")
    };
    wait_for("a place that was given back", PATIENCE, answered).unwrap();
    let told = server.log_tail().matches("has its share of connections").count();
    assert_eq!(told, 1, "once");
}

#[test]
fn a_trusted_proxy_is_no_single_caller() {
    let server = start(&["--public-connections", CONNECTIONS, "--trusted-proxies", "127.0.0.0/8"]);
    hold(server.public(), SHARE + 1);
}
