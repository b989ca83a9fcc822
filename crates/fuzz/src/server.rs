//! A server without sockets over the memory model, with one workspace of a dialect and something in it.
//!
//! What is done to set it up, how callers prove who they are and what refusals look like are a dialect's own, and stand
//! as data in `setup/`.

mod world;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use signalpost_api::{Beside, Dialect, OperatorAccess, built_in_dialects, operator_router, public_router};
use signalpost_core::caller_address::CallerAddress;
use signalpost_core::credential::CredentialHash;
use signalpost_core::ports::Spawn;
use signalpost_core::retention::RetentionRules;
use signalpost_core::seal::Keyring;
use signalpost_engine::{Engine, EngineOptions};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::in_place::InPlace;
use signalpost_store::testing::memory::MemoryStore;
use signalpost_store::testing::snapshot::Snapshot;
use tower_service::Service;

use crate::feed::parts;
use crate::http_text::{Values, fill, request};
use world::{Counting, StandingClock, Tasks};

const OPERATOR_KEY: &str = "operator-key-of-the-fuzzer";
/// Requests that set a dialect up, at most.
const SETUP_PARTS: usize = 16;
/// Calls of one address have time between them, so that no bound on their rate is all that is met.
const BETWEEN_INPUTS_MS: i64 = 60_000;

/// Inputs that one server gets, so that no session has ended by the time that lies between them.
const INPUTS_MAX: u32 = 200;

/// Which of the two addresses a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Public,
    Operator,
}

/// What is known of a dialect, read from its file in `setup/`.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    dialect: String,
    pub(crate) side: Side,
    /// Header lines that requests get that do not have the header themselves.
    credentials: Vec<String>,
    /// Pointers into every refusal.
    pub(crate) refusal: Vec<String>,
    /// Paths of lists, each up to its cursor.
    pub(crate) lists: Vec<String>,
    /// Inputs that may change a server before another is set up. One, but where setting up takes the work of hashing a
    /// password: there a finding may need what came before it.
    pub(crate) changes: u32,
    /// Requests, the first on top.
    steps: Vec<Vec<u8>>,
}

impl Setup {
    /// # Panics
    /// When the file is not there or says something unknown.
    pub(crate) fn read(dialect: &Dialect) -> Self {
        let path = crate::folder("setup").join(format!("{}.txt", dialect.name));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let all: [&[u8]; SETUP_PARTS] = parts(&bytes);
        let side = if dialect.base_paths.is_empty() { Side::Operator } else { Side::Public };
        let mut setup = Self {
            dialect: dialect.name.clone(),
            side,
            credentials: Vec::new(),
            refusal: Vec::new(),
            lists: Vec::new(),
            changes: 1,
            steps: all[1..]
                .iter()
                .filter(|step| !step.is_empty())
                .map(|step| step.trim_ascii_end().to_vec())
                .collect(),
        };
        for line in String::from_utf8_lossy(all[0]).lines() {
            let (key, value) = line.split_once(": ").unwrap_or_else(|| panic!("{}: {line}", path.display()));
            match key {
                "credentials" => setup.credentials.push(value.to_owned()),
                "refusal" => setup.refusal = value.split(' ').map(str::to_owned).collect(),
                "list" => setup.lists.push(value.to_owned()),
                "changes" => setup.changes = value.parse().expect("a number of changes"),
                _ => panic!("{}: unknown key {key}", path.display()),
            }
        }
        setup
    }
}

/// Whether an input has changed what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    Yes,
    No,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        format!("{} {:?} {}", self.status, self.headers, String::from_utf8_lossy(&self.body))
    }

    /// The body, when it says that it is JSON. Null when it is and holds a number beyond what a computer counts in, as a
    /// producer may well have written it.
    ///
    /// # Panics
    /// When it is not.
    pub(crate) fn json(&self) -> Option<Value> {
        let kind = self.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
        let is_json = kind.split(';').next().is_some_and(|kind| kind.ends_with("json"));
        is_json.then(|| {
            let valid = serde_json::from_slice::<IgnoredAny>(&self.body);
            valid.unwrap_or_else(|error| panic!("{error}: {}", self.text()));
            serde_json::from_slice(&self.body).unwrap_or_default()
        })
    }
}

pub(crate) struct Server {
    /// Inputs that it had, and those of them that have changed it.
    tried: Cell<u32>,
    changed: Cell<u32>,
    setup: Setup,
    store: MemoryStore,
    clock: Arc<StandingClock>,
    tasks: Arc<Tasks>,
    public: Router,
    operator: Router,
    /// What the names in requests stand for.
    pub(crate) values: Values,
}

impl Server {
    /// # Panics
    /// When a step of the setup is refused.
    pub(crate) fn new(setup: &Setup) -> Self {
        let (store, clock) = (MemoryStore::new(), Arc::new(StandingClock::new()));
        // Alone: a path of another one would be refused in that one's form.
        let dialects: Vec<Dialect> =
            built_in_dialects().into_iter().filter(|dialect| dialect.name == setup.dialect).collect();
        let (engine, _cores) = Engine::new(EngineOptions {
            store: Arc::new(store.clone()),
            clock: Arc::clone(&clock) as _,
            random: Arc::new(Counting::new()),
            heavy_work: Arc::new(InPlace::default()),
            keyring: Arc::new(Keyring::parse(&"07".repeat(32)).expect("64 digits")),
            profiles: dialects.iter().map(|dialect| dialect.profile.clone()).collect(),
            cores: 1,
            retention: RetentionRules::default(),
        });
        let key_hash = CredentialHash::of(OPERATOR_KEY.as_bytes());
        let access = OperatorAccess { key_hash, draining: Arc::default() };
        let tasks = Arc::new(Tasks::default());
        let spawn: Arc<dyn Spawn> = Arc::clone(&tasks) as _;
        let public = public_router(Arc::clone(&engine), &spawn, &dialects, &[], Router::new());
        let operator = operator_router(engine, &spawn, &access, &dialects, Beside::default());
        let mut server = Self {
            tried: Cell::new(0),
            changed: Cell::new(0),
            setup: setup.clone(),
            store,
            clock,
            tasks,
            public,
            operator,
            values: BTreeMap::new(),
        };
        server.set_up();
        server
    }

    fn set_up(&mut self) {
        self.values.insert("operator_key".to_owned(), OPERATOR_KEY.to_owned());
        let new = json!({"dialect": self.setup.dialect, "name": "Acme"});
        let made =
            self.done(&format!("POST /v1/workspaces\n> operator\ncontent-type: application/json\n\n{new}"));
        self.values.insert("workspace".to_owned(), scalar(&made["id"]).expect("a workspace has an id"));
        if self.setup.side == Side::Public {
            self.make_credential();
        }
        for step in self.setup.steps.clone() {
            self.done(&String::from_utf8(step).expect("steps are text"));
        }
    }

    /// Each member of the answer is a value under its name.
    fn make_credential(&mut self) {
        let credential = self.done(
            "POST /v1/workspaces/{workspace}/credentials\n> operator\ncontent-type: application/json\n\n{\"name\":\"a\"}",
        );
        for (name, value) in credential.as_object().into_iter().flatten() {
            let name = if name == "id" { "credential" } else { name };
            self.values.extend(scalar(value).map(|value| (name.to_owned(), value)));
        }
    }

    /// Makes a call that must succeed, and keeps what its directives name: `> name /pointer/into/the/answer`.
    fn done(&mut self, step: &str) -> Value {
        let (mut side, mut captures) = (self.setup.side, Vec::new());
        let mut directive = |said: &str| match said.split_once(' ') {
            Some((name, pointer)) => captures.push((name.to_owned(), pointer.to_owned())),
            None if said == "operator" => side = Side::Operator,
            None => panic!("unknown directive {said}"),
        };
        let request = request(step.as_bytes(), &self.values, &mut directive).expect("steps are requests");
        let answer = self.call(side, request);
        assert!(answer.status.is_success(), "{step}\n{}", answer.text());
        let body = answer.json().unwrap_or_default();
        for (name, pointer) in captures {
            let value = body.pointer(&pointer).and_then(scalar);
            self.values.insert(name, value.unwrap_or_else(|| panic!("{pointer}: {}", answer.text())));
        }
        body
    }

    /// The answer to a request with the credentials of the side that it goes to.
    pub(crate) fn call(&self, side: Side, mut request: Request<Body>) -> Answer {
        let operator = ["authorization: Bearer {operator_key}".to_owned()];
        let lines = if side == Side::Operator { &operator[..] } else { &self.setup.credentials };
        for line in lines {
            let (name, value) = line.split_once(": ").expect("a header line");
            let value = fill(value.as_bytes(), &self.values);
            let name: HeaderName = name.parse().expect("a header's name");
            if !request.headers().contains_key(&name) {
                request
                    .headers_mut()
                    .insert(name, HeaderValue::from_bytes(&value).expect("a header's value"));
            }
        }
        request.extensions_mut().insert(CallerAddress("198.51.100.7".parse().expect("an address")));
        let router = if side == Side::Operator { &self.operator } else { &self.public };
        self.drive(router.clone(), request)
    }

    /// What a text asks of the dialect's own side; `None` when it is no request.
    pub(crate) fn ask(&self, text: &[u8]) -> Option<(Method, Answer)> {
        let request = request(text, &self.values, &mut |_| ())?;
        let method = request.method().clone();
        Some((method, self.call(self.setup.side, request)))
    }

    fn drive(&self, mut router: Router, request: Request<Body>) -> Answer {
        let mut answer = pin!(async move {
            let Ok(response) = router.call(request).await;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.expect("bodies of answers are in memory").to_bytes();
            Answer { status: parts.status, headers: parts.headers, body }
        });
        block_on(poll_fn(|cx| match answer.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(answer),
            Poll::Pending => {
                self.tasks.poll(cx);
                answer.as_mut().poll(cx)
            }
        }))
    }

    /// Whether the server serves another input. Lets time pass before it.
    pub(crate) fn goes_on(&self, changed: Changed) -> bool {
        self.clock.advance_ms(BETWEEN_INPUTS_MS);
        self.tried.set(self.tried.get() + 1);
        self.changed.set(self.changed.get() + u32::from(changed == Changed::Yes));
        self.changed.get() < self.setup.changes && self.tried.get() < INPUTS_MAX
    }

    /// Everything that is stored.
    pub(crate) fn snapshot(&self) -> Snapshot {
        block_on(Snapshot::of(&self.store)).expect("the memory model does not fail").without_record()
    }
}

/// A text or a number as it stands in a path.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
