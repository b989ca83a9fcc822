//! Processes on one database, publishers on all that take events, and a receiver that counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use signalpost_testkit::{
    Answer, HttpClient, Operator, Postgres, Receiver, Request, Server, ServerOptions, wait_for,
};

use crate::{PATIENCE, options};

/// Longer than a lease, and the pause of a delivery whose receiver has given up.
pub(super) const LONG: Duration = Duration::from_secs(60);
pub(super) const NODES: usize = 3;
pub(super) const LANE_GROUPS: usize = 64;
pub(super) const WEBHOOKS: usize = 24;
pub(super) const KEY: &str = "one-key-for-all-nodes-of-the-test";
/// An attempt that nobody answers is given up after this.
const TIMEOUT_MS: u64 = 20_000;

/// How often each event came to each webhook, by its number and path.
type Taken = Arc<Mutex<BTreeMap<(u64, String), usize>>>;

pub(super) struct Cluster {
    pub(super) nodes: Vec<Server>,
    pub(super) workspace: String,
    /// Their ids.
    pub(super) webhooks: Vec<String>,
    pub(super) taken: Taken,
    /// Answers wait while this is so.
    pub(super) holds: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<Vec<u64>>>,
    next: Arc<AtomicUsize>,
    receiver: Receiver,
    database: Postgres,
}

impl Cluster {
    /// Three of the same kind.
    pub(super) fn start() -> Self {
        let cluster = Self::of((0..NODES).map(|_| options(&[])));
        cluster.wait_for_balance();
        cluster
    }

    /// These, in this order, each when the one before is ready. The first one takes calls.
    pub(super) fn of(nodes: impl IntoIterator<Item = ServerOptions>) -> Self {
        let database = Postgres::start(&[]).unwrap();
        let nodes = nodes.into_iter().map(|options| node(&database, options)).collect();
        Self::on(database, nodes)
    }

    /// With one that takes calls, and is not waited for until it is ready.
    pub(super) fn of_unready(options: ServerOptions) -> Self {
        let database = Postgres::start(&[]).unwrap();
        let mut node = Server::new(with_environment(&database, options)).unwrap();
        node.launch().unwrap();
        let answers =
            || HttpClient::new(node.operator_address(), LONG).send(&Request::new("GET", "/livez")).is_ok();
        wait_for("it to take calls", LONG, answers).unwrap();
        Self::on(database, vec![node])
    }

    fn on(database: Postgres, nodes: Vec<Server>) -> Self {
        let (taken, holds) = (Taken::default(), Arc::new(AtomicBool::new(false)));
        let receiver = receiver(&taken, &holds);
        let mut operator = Operator::new(nodes[0].operator_address(), KEY);
        let policy = json!({"timeout_ms": TIMEOUT_MS, "retry_schedule_s": [1, 1, 1]});
        let workspace = json!({"dialect": "native", "name": "a", "policy": policy});
        let workspace = operator.create_workspace(&workspace).unwrap();
        let mut webhooks = Vec::new();
        for number in 0..WEBHOOKS {
            let url = receiver.url(&format!("/{number}"));
            let webhook = json!({"url": url, "events": [format!("for.{number}")]});
            webhooks.push(operator.create_webhook(&workspace, &webhook).unwrap().0);
        }
        let (acknowledged, next) = (Arc::default(), Arc::default());
        Self { nodes, workspace, webhooks, taken, holds, acknowledged, next, receiver, database }
    }

    /// One more.
    pub(super) fn join(&mut self, options: ServerOptions) {
        self.nodes.push(node(&self.database, options));
    }

    /// Until each node has its part of the work.
    pub(super) fn wait_for_balance(&self) {
        let count = self.nodes.len();
        let have_theirs = || (0..count).all(|node| self.groups_of(node) >= LANE_GROUPS / count);
        wait_for("groups to be divided", LONG, have_theirs).unwrap();
    }

    /// Publishes through all nodes for as long as something is done: whoever is away is asked again.
    pub(super) fn publish_while(&mut self, act: impl FnOnce(&mut Self)) {
        let stops = Arc::new(AtomicBool::new(false));
        let publishers: Vec<JoinHandle<()>> = self
            .nodes
            .iter()
            .map(|node| {
                let (address, stops, workspace) =
                    (node.operator_address(), Arc::clone(&stops), self.workspace.clone());
                let (acknowledged, next) = (Arc::clone(&self.acknowledged), Arc::clone(&self.next));
                std::thread::spawn(move || {
                    while !stops.load(Ordering::SeqCst) {
                        let mut operator = Operator::new(address, KEY);
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        let of = number % WEBHOOKS;
                        let event = json!({"type": format!("for.{of}"), "data": {"number": number}});
                        if operator.publish(&workspace, &event).is_ok() {
                            acknowledged.lock().unwrap().push(u64::try_from(number).unwrap());
                        } else {
                            std::thread::sleep(Duration::from_millis(20));
                        }
                    }
                })
            })
            .collect();
        self.wait_for_more(200);
        act(self);
        stops.store(true, Ordering::SeqCst);
        for publisher in publishers {
            publisher.join().unwrap();
        }
    }

    /// Until so many more events are acknowledged.
    pub(super) fn wait_for_more(&self, events: usize) {
        let enough = self.acknowledged.lock().unwrap().len() + events;
        let is_enough = || self.acknowledged.lock().unwrap().len() >= enough;
        wait_for("events to be acknowledged", LONG, is_enough).unwrap();
    }

    /// Until everything that was acknowledged has come. How many of them came more than once.
    pub(super) fn wait_for_all(&self) -> usize {
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        let key = |number: u64| (number, format!("/{}", usize::try_from(number).unwrap() % WEBHOOKS));
        let missing = || {
            let taken = self.taken.lock().unwrap();
            acknowledged.iter().filter(|number| !taken.contains_key(&key(**number))).count()
        };
        let waited = wait_for("all that was acknowledged", LONG, || missing() == 0);
        waited.unwrap_or_else(|error| panic!("{error}: {} of {} are missing", missing(), acknowledged.len()));
        wait_for("nothing to be pending", LONG, || self.listed("pending").is_empty()).unwrap();
        self.taken.lock().unwrap().values().filter(|count| **count > 1).count()
    }

    /// A page of deliveries with this status, as the first node that runs tells it.
    pub(super) fn listed(&self, status: &str) -> Vec<Value> {
        let path = format!("/v1/workspaces/{}/deliveries?limit=100&status={status}", self.workspace);
        let living = self.nodes.iter().position(|node| node.pid().is_some()).unwrap();
        self.operator(living).get(&path).unwrap()["data"].as_array().unwrap().clone()
    }

    /// Lane groups that a node delivers for, as it says itself.
    pub(super) fn groups_of(&self, node: usize) -> usize {
        let metrics = Request::new("GET", "/metrics").header("authorization", &format!("Bearer {KEY}"));
        let answer =
            HttpClient::new(self.nodes[node].operator_address(), LONG).send(&metrics).unwrap().text();
        let owned = answer.lines().find_map(|line| line.strip_prefix("signalpost_lane_groups_owned "));
        owned.unwrap().parse().unwrap()
    }

    /// Of the receiver.
    pub(super) fn url(&self, path: &str) -> String {
        self.receiver.url(path)
    }

    pub(super) fn operator(&self, node: usize) -> Operator {
        Operator::new(self.nodes[node].operator_address(), KEY)
    }

    /// Whether a node's log has these words.
    pub(super) fn has_said(&self, node: usize, words: &str) -> bool {
        std::fs::read_to_string(self.nodes[node].log_path()).unwrap().contains(words)
    }

    /// The status with which a node answers.
    pub(super) fn ask(&self, node: usize, request: Request) -> u16 {
        let request = request.header("authorization", &format!("Bearer {KEY}"));
        HttpClient::new(self.nodes[node].operator_address(), LONG).send(&request).unwrap().status
    }

    /// Of a node.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        environment(&self.database)
    }

    pub(super) fn requests_to(&self, path: &str) -> usize {
        self.taken.lock().unwrap().iter().filter(|((_, to), _)| to == path).map(|(_, count)| count).sum()
    }
}

fn node(database: &Postgres, options: ServerOptions) -> Server {
    Server::start(with_environment(database, options), PATIENCE).unwrap()
}

fn with_environment(database: &Postgres, options: ServerOptions) -> ServerOptions {
    ServerOptions { environment: environment(database), ..options }
}

fn environment(database: &Postgres) -> Vec<(String, String)> {
    vec![
        ("SIGNALPOST_DATABASE_URL".to_owned(), database.url()),
        ("SIGNALPOST_MASTER_KEY".to_owned(), "ab".repeat(32)),
        ("SIGNALPOST_OPERATOR_KEY".to_owned(), KEY.to_owned()),
    ]
}

fn receiver(taken: &Taken, holds: &Arc<AtomicBool>) -> Receiver {
    let (taken, holds) = (Arc::clone(taken), Arc::clone(holds));
    let receiver = Receiver::start(Arc::new(move |request| {
        let number = request.json()["data"]["number"].as_u64().unwrap();
        *taken.lock().unwrap().entry((number, request.path.clone())).or_default() += 1;
        // Nobody waits for longer than an attempt may take.
        drop(wait_for("the test", LONG, || !holds.load(Ordering::SeqCst)));
        Answer::status(200)
    }));
    receiver.unwrap()
}
