//! Where the process dials for its customers' webhooks, and where it never does.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};
use signalpost_testkit::{Operator, ScriptedReceiver, Server, SsrfCase, SsrfVerdict, wait_for_some};

use crate::{PATIENCE, options};

/// A listener that nobody may come to.
struct Shunned(TcpListener);

impl Shunned {
    fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    fn assert_shunned(&self) {
        let came = self.0.accept().expect_err("nobody may come");
        assert_eq!(came.kind(), ErrorKind::WouldBlock);
    }
}

fn start(egress_allow: &str, environment: &[(&str, String)]) -> Server {
    let mut options = options(&[]);
    options.egress_allow = egress_allow.to_owned();
    options.environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Server::start(options, PATIENCE).unwrap()
}

/// A workspace whose deliveries are tried once.
fn workspace(operator: &mut Operator) -> String {
    let policy = json!({"retry_schedule_s": [], "timeout_ms": 5_000});
    operator.create_workspace(&json!({"dialect": "native", "name": "egress", "policy": policy})).unwrap()
}

/// Publishes one event to webhooks at these URLs, and gives what came of the only attempt of each, by its URL.
fn outcomes(server: &Server, urls: &[String]) -> BTreeMap<String, String> {
    let mut operator = server.operator();
    let workspace = workspace(&mut operator);
    let mut webhooks = BTreeMap::new();
    for url in urls {
        let (id, _) = operator.create_webhook(&workspace, &json!({"url": url})).unwrap();
        webhooks.insert(id, url.clone());
    }
    let published = operator.publish(&workspace, &json!({"type": "a.b", "data": 1})).unwrap();
    assert_eq!(published["deliveries"], urls.len());
    let ended = || {
        let page = |status: &str| format!("/v1/workspaces/{workspace}/deliveries?status={status}&limit=1");
        let pending = operator.get(&page("pending")).unwrap();
        pending["data"].as_array()?.is_empty().then_some(())
    };
    wait_for_some("all deliveries to end", PATIENCE, ended).unwrap();
    let rows = all(&mut operator, &format!("/v1/workspaces/{workspace}/deliveries?limit=250"));
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.iter().map(|row| (webhooks[&text(row, "webhook")].clone(), text(row, "last_outcome"))).collect()
}

fn all(operator: &mut Operator, path: &str) -> Vec<Value> {
    let (mut rows, mut next) = (Vec::new(), path.to_owned());
    loop {
        let page = operator.get(&next).unwrap();
        rows.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("{path}&cursor={cursor}"),
            None => return rows,
        }
    }
}

/// Those of the corpus for which no name server is needed: addresses in all spellings, and names of the inside.
#[test]
fn no_delivery_of_the_corpus_dials_the_inside() {
    let shunned = Shunned::at(([127, 0, 0, 1], 0).into());
    let server = start("", &[]);
    let closed = SsrfCase::all().into_iter().filter(|case| {
        case.verdict == SsrfVerdict::Blocked && case.opened.is_empty() && case.addresses.is_empty()
    });
    let mut urls: Vec<String> = closed.map(|case| case.url(shunned.address().port())).collect();
    urls.push(format!("http://{}/v1/workspaces", server.operator_address()));
    assert!(urls.len() >= 200, "{}", urls.len());
    let came = outcomes(&server, &urls);
    let other: Vec<_> = came.iter().filter(|(_, outcome)| *outcome != "blocked").collect();
    assert!(other.is_empty() && came.len() == urls.len(), "{other:?}");
    shunned.assert_shunned();
}

#[test]
fn what_is_opened_is_dialled_and_its_neighbours_are_not() {
    let server = start("127.0.0.1/32", &[]);
    let receiver = ScriptedReceiver::start().unwrap();
    let address: SocketAddr =
        receiver.url("/").trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let neighbour = Shunned::at(([127, 0, 0, 2], address.port()).into());
    let port = address.port();
    let expected = [
        ("127.0.0.1", "success"),
        ("2130706433", "success"),
        ("[::ffff:127.0.0.1]", "success"),
        ("localhost", "success"),
        ("127.0.0.2", "blocked"),
        ("127.0.0.0", "blocked"),
        ("0.0.0.0", "blocked"),
        ("[::1]", "blocked"),
        ("[::127.0.0.1]", "blocked"),
        ("[64:ff9b::127.0.0.1]", "blocked"),
        ("169.254.169.254", "blocked"),
    ];
    let urls = expected.map(|(host, _)| format!("http://{host}:{port}/hook"));
    let came = outcomes(&server, &urls);
    for ((host, outcome), url) in expected.iter().zip(&urls) {
        assert_eq!(came[url], *outcome, "{host}");
    }
    assert_eq!(receiver.requests("/hook").len(), 4);
    neighbour.assert_shunned();
}

/// Deliveries go by no proxy that the environment happens to name: what is judged is what is dialled.
#[test]
fn proxies_of_the_environment_are_not_asked() {
    let proxy = Shunned::at(([127, 0, 0, 1], 0).into());
    let url = format!("http://{}", proxy.address());
    let names =
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "SOCKS_PROXY"];
    let environment: Vec<(&str, String)> = names.iter().map(|name| (*name, url.clone())).collect();
    let server = start("127.0.0.1/32", &environment);
    let receiver = ScriptedReceiver::start().unwrap();
    let plain = receiver.url("/hook");
    let secure = plain.replacen("http:", "https:", 1);
    let closed = "http://10.255.255.1/".to_owned();
    let came = outcomes(&server, &[plain.clone(), secure.clone(), closed.clone()]);
    assert_eq!([&came[&plain], &came[&secure], &came[&closed]], ["success", "tls", "blocked"]);
    let request = &receiver.requests("/hook")[0];
    assert_eq!(request.header("proxy-connection"), None);
    proxy.assert_shunned();
}
