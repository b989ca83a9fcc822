//! Two databases on two servers, processes that serve both, and a worker that has one of them alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::json;
use signalpost_testkit::{Answer, HttpClient, Postgres, Receiver, Request, Response, Server, wait_for};

use super::cluster::{KEY, LONG};
use crate::dash::browser::{Browser, form_of};
use crate::{PATIENCE, options};

/// How often each number has come.
type Taken = Arc<Mutex<BTreeMap<u64, usize>>>;

struct Cells {
    databases: Vec<Postgres>,
    /// Two that take calls, and workers.
    nodes: Vec<Server>,
    /// One in each cell.
    workspaces: Vec<String>,
    taken: Taken,
    _receiver: Receiver,
}

impl Cells {
    /// The processes that serve deliver nothing; each cell has a worker.
    fn start() -> Self {
        let databases: Vec<Postgres> = (0..2).map(|_| Postgres::start(&[]).unwrap()).collect();
        let given = |cells: &[usize]| {
            let each = cells.iter().map(|cell| format!("{cell}={}", databases[*cell].url()));
            each.collect::<Vec<_>>().join("\n")
        };
        let node = |role: &str, cells: &[usize]| {
            let mut options = options(&["--role", role]);
            options.environment = vec![
                ("SIGNALPOST_DATABASE_URL".to_owned(), given(cells)),
                ("SIGNALPOST_MASTER_KEY".to_owned(), "ab".repeat(32)),
                ("SIGNALPOST_OPERATOR_KEY".to_owned(), KEY.to_owned()),
            ];
            Server::start(options, PATIENCE).unwrap()
        };
        let workers = [node("worker", &[0]), node("worker", &[1])];
        let mut nodes = vec![node("api", &[0, 1]), node("api", &[0, 1])];
        nodes.extend(workers);
        let taken = Taken::default();
        let counted = Arc::clone(&taken);
        let receiver = Receiver::start(Arc::new(move |request| {
            let number = request.json()["data"]["number"].as_u64().unwrap();
            *counted.lock().unwrap().entry(number).or_default() += 1;
            Answer::status(200)
        }));
        let receiver = receiver.unwrap();
        let mut cells = Self { databases, nodes, workspaces: Vec::new(), taken, _receiver: receiver };
        for cell in 0..2 {
            let policy = json!({"retry_schedule_s": [1, 1, 1, 1, 1]});
            let body = json!({"dialect": "native", "name": "a", "policy": policy});
            let create = Request::new("POST", "/v1/workspaces").json(&body);
            let made = cells.ask(0, create.header("signalpost-cell", &cell.to_string()));
            assert_eq!((made.status, &made.json()["cell"]), (201, &json!(cell)));
            let workspace = made.json()["id"].as_str().unwrap().to_owned();
            let webhook = json!({"url": cells._receiver.url("/")});
            let create = Request::new("POST", &format!("/v1/workspaces/{workspace}/webhooks")).json(&webhook);
            assert_eq!(cells.ask(1, create).status, 201, "whichever node is asked");
            cells.workspaces.push(workspace);
        }
        cells
    }

    fn ask(&self, node: usize, request: Request) -> Response {
        let request = request.header("authorization", &format!("Bearer {KEY}"));
        HttpClient::new(self.nodes[node].operator_address(), LONG).send(&request).unwrap()
    }

    /// The status of the answer.
    fn publish(&self, node: usize, cell: usize, number: u64) -> u16 {
        let event = json!({"type": "a", "data": {"number": number}});
        let path = format!("/v1/workspaces/{}/events", self.workspaces[cell]);
        self.ask(node, Request::new("POST", &path).json(&event)).status
    }

    fn wait_for(&self, numbers: impl IntoIterator<Item = u64> + Clone) {
        let have_come = || {
            let taken = self.taken.lock().unwrap();
            numbers.clone().into_iter().all(|number| taken.contains_key(&number))
        };
        wait_for("events to arrive", LONG, have_come).unwrap();
    }
}

#[test]
fn whoever_is_asked_finds_the_cell_and_its_worker_delivers() {
    let cells = Cells::start();
    for number in 0..100 {
        let (node, cell) = (usize::from(number % 2 == 0), usize::from(number % 3 == 0));
        assert_eq!(cells.publish(node, cell, number), 202);
    }
    cells.wait_for(0..100);
    assert!(cells.taken.lock().unwrap().values().all(|count| *count == 1));
    let listed = cells.ask(0, Request::new("GET", "/v1/workspaces")).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    for (cell, groups) in [("0", 64), ("1", 64)] {
        let cluster = Request::new("GET", "/v1/cluster").header("signalpost-cell", cell);
        let nodes = cells.ask(0, cluster).json()["nodes"].as_array().unwrap().len();
        assert_eq!(nodes, 3, "two that serve, and one that delivers {groups} groups");
    }
    let mut browser = Browser::new(cells.nodes[0].operator_address());
    browser.sign_in(KEY);
    let mut successes = || {
        let page = browser.page("/dash");
        assert_eq!(page.matches("<figure").count(), 3, "charts of both together: {page}");
        let facts = page.split("<dt>Success</dt><dd>").skip(1);
        facts.map(|rest| rest.split('<').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let expected = ["100", "66", "34"].map(|of| format!("100.0 % of {of} attempts"));
    wait_for("the figures of both cells", LONG, || successes() == expected).unwrap();
}

/// Its session lies beside it, in the cell of its workspace; every node finds it.
#[test]
fn a_key_of_one_workspace_signs_in_whichever_cell_that_has() {
    let cells = Cells::start();
    for (own, other) in [(0, 1), (1, 0)] {
        let body = json!({"name": "k", "scopes": ["read"], "workspace": cells.workspaces[own]});
        let made = cells.ask(0, Request::new("POST", "/v1/keys").json(&body)).json();
        let secret = made["secret"].as_str().unwrap();
        let visit = |node: usize, request: &Request| {
            HttpClient::new(cells.nodes[node].operator_address(), LONG).send(request).unwrap()
        };
        let opened = visit(0, &form_of("/dash/sign-in", &format!("key={secret}")));
        assert_eq!(opened.status, 303, "{}", opened.text());
        let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let page = |of: usize| {
            Request::new("GET", &format!("/dash/workspaces/{}", cells.workspaces[of]))
                .header("cookie", &cookie)
        };
        assert_eq!([visit(1, &page(own)).status, visit(1, &page(other)).status], [200, 404]);
        let text = visit(1, &page(own)).text();
        let proof = text.split_once("name=\"proof\" value=\"").unwrap().1.split('"').next().unwrap();
        let out = form_of("/dash/sign-out", &format!("proof={proof}")).header("cookie", &cookie);
        assert_eq!(visit(1, &out).status, 303);
        assert_eq!([visit(0, &page(own)).status, visit(1, &page(own)).status], [303, 303], "it has ended");
    }
}

/// A link is made at one node and followed at another; what ends the sessions is asked of the first, and holds at both.
#[test]
fn a_customer_finds_the_portal_whichever_cell_has_the_workspace() {
    let cells = Cells::start();
    for (own, other) in [(0, 1), (1, 0)] {
        let made = format!("/v1/workspaces/{}/portal-links", cells.workspaces[own]);
        let made = cells.ask(0, Request::new("POST", &made).json(&json!({}))).json();
        let way = format!("/portal/open?link={}", made["token"].as_str().unwrap());
        let visit = |node: usize, request: &Request| {
            HttpClient::new(cells.nodes[node].public(), LONG).send(request).unwrap()
        };
        let opened = visit(1, &Request::new("GET", &way));
        assert_eq!(opened.status, 303, "{}", opened.text());
        let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let page = |of: usize| {
            Request::new("GET", &format!("/portal/workspaces/{}", cells.workspaces[of]))
                .header("cookie", &cookie)
        };
        for node in [0, 1] {
            assert_eq!([visit(node, &page(own)).status, visit(node, &page(other)).status], [200, 404]);
        }
        let end = format!("/v1/workspaces/{}/portal-sessions", cells.workspaces[own]);
        assert_eq!(cells.ask(0, Request::new("DELETE", &end)).status, 204);
        assert_eq!([0, 1].map(|node| visit(node, &page(own)).status), [401, 401], "it has ended");
        assert_eq!([0, 1].map(|node| visit(node, &Request::new("GET", &way)).status), [401, 401]);
    }
}

#[test]
fn a_database_that_is_away_takes_nothing_from_the_other_cell() {
    let mut cells = Cells::start();
    cells.databases[1].crash().unwrap();
    for number in 0..20 {
        assert_eq!(cells.publish(0, 0, number), 202);
    }
    cells.wait_for(0..20);
    assert_eq!(cells.publish(0, 1, 1_000), 503);
    let unknown = cells.ask(0, Request::new("GET", "/v1/workspaces/ws_0aB3dE6gH9jK2mN5"));
    assert_eq!(unknown.status, 503, "it may be in the cell that is away");
    assert_eq!(cells.ask(1, Request::new("GET", "/readyz")).status, 200);
    cells.databases[1].launch().unwrap();
    let mut number = 2_000;
    let comes_back = || {
        number += 1;
        cells.publish(1, 1, number) == 202
    };
    wait_for("the cell to be back", LONG, comes_back).unwrap();
    cells.wait_for([number]);
}

/// A cell says itself which it is.
#[test]
fn a_database_is_not_taken_for_another_cell() {
    let cells = Cells::start();
    let (url, other) = (cells.databases[1].url(), cells.databases[0].url());
    for (given, sentence) in [
        (format!("0={url}"), "this database is cell 1 of an installation, and was given as cell 0"),
        (url.clone(), "this database is cell 1 of an installation, and was given as the only one"),
        (format!("1={url} 2={other}"), "cell 2: this database is cell 0 of an installation"),
    ] {
        let mut options = options(&[]);
        options.environment = vec![
            ("SIGNALPOST_DATABASE_URL".to_owned(), given),
            ("SIGNALPOST_MASTER_KEY".to_owned(), "ab".repeat(32)),
            ("SIGNALPOST_OPERATOR_KEY".to_owned(), KEY.to_owned()),
        ];
        let mut server = Server::new(options).unwrap();
        server.launch().unwrap();
        assert!(!server.wait_end(PATIENCE).unwrap().success());
        assert!(server.log_tail().contains(sentence), "{}", server.log_tail());
    }
}
