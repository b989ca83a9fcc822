//! A server without sockets, and what it answered.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use signalpost_api::{
    Beside, Dialect, OperatorAccess, built_in_dialects, operator_router, public_router, worker_router,
};
use signalpost_core::caller_address::CallerAddress;
use signalpost_core::cell::CellNumber;
use signalpost_core::cidr::Cidr;
use signalpost_core::credential::CredentialHash;
use signalpost_core::ports::{BoxFuture, Clock, Random, Spawn, requeue};
use signalpost_core::retention::RetentionRules;
use signalpost_core::seal::Keyring;
use signalpost_core::time::{Monotonic, Timestamp};
use signalpost_engine::cells::{Cell, Cells};
use signalpost_engine::{DeliveryCore, Engine, EngineOptions};
use signalpost_store::Store;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::in_place::InPlace;
use signalpost_store::testing::memory::MemoryStore;
use tower_service::Service;

pub(crate) const OPERATOR_KEY: &str = "operator-key-of-the-tests";
/// 2026-05-05T10:06:46.150Z
pub(crate) const NOW_MS: i64 = 1_777_975_606_150;

pub(crate) struct App {
    pub(crate) store: MemoryStore,
    pub(crate) clock: Arc<StandingClock>,
    /// Hashes of passwords.
    pub(crate) work: Arc<InPlace>,
    pub(crate) draining: Arc<AtomicBool>,
    pub(crate) engine: Arc<Engine>,
    /// Not running until a test runs it.
    pub(crate) core: Mutex<Option<DeliveryCore>>,
    pub(crate) tasks: Arc<Tasks>,
    public: Router,
    operator: Router,
    worker: Router,
}

impl App {
    pub(crate) fn new() -> Self {
        Self::with_dialects(built_in_dialects())
    }

    pub(crate) fn with_dialects(dialects: Vec<Dialect>) -> Self {
        let store = MemoryStore::new();
        Self::over(store.clone(), Arc::new(store), dialects)
    }

    /// An app whose operator has opened ranges for webhooks.
    pub(crate) fn with_opened(opened: &str) -> Self {
        let (store, opened) = (MemoryStore::new(), Cidr::parse_list(opened).unwrap());
        Self::assembled(store.clone(), vec![Arc::new(store)], built_in_dialects(), &opened)
    }

    /// An app over several stores, cells from 0 on, of which the last takes new workspaces.
    pub(crate) fn divided(stores: Vec<Arc<dyn Store>>) -> Self {
        Self::assembled(MemoryStore::new(), stores, built_in_dialects(), &[])
    }

    /// An app over a store of its own making; `model` is what the test looks into.
    pub(crate) fn over(model: MemoryStore, store: Arc<dyn Store>, dialects: Vec<Dialect>) -> Self {
        Self::assembled(model, vec![store], dialects, &[])
    }

    fn assembled(
        model: MemoryStore,
        stores: Vec<Arc<dyn Store>>,
        dialects: Vec<Dialect>,
        opened: &[Cidr],
    ) -> Self {
        let clock = Arc::new(StandingClock(Arc::new(AtomicI64::new(NOW_MS))));
        let work = Arc::new(InPlace::default());
        let random = Arc::new(Counting(AtomicU64::new(1)));
        let over = |store| {
            Engine::new(EngineOptions {
                store,
                clock: Arc::clone(&clock) as _,
                random: Arc::clone(&random) as _,
                heavy_work: Arc::clone(&work) as _,
                keyring: Arc::new(Keyring::parse(&"07".repeat(32)).unwrap()),
                profiles: dialects.iter().map(|dialect| dialect.profile.clone()).collect(),
                cores: 1,
                retention: RetentionRules::default(),
            })
        };
        let number = |place| CellNumber::new(place).filter(|_| stores.len() > 1);
        let last = number(stores.len() - 1);
        let each = stores.iter().enumerate().map(|(place, store)| (number(place), over(Arc::clone(store))));
        let (mut all, mut cores) = (Vec::new(), Vec::new());
        for (number, (engine, of_this)) in each {
            all.push(Cell { number, engine });
            cores.extend(of_this);
        }
        let engine = Arc::clone(&all[0].engine);
        let cells = Cells::new(all, last);
        let draining = Arc::new(AtomicBool::new(false));
        let access = OperatorAccess {
            key_hash: CredentialHash::of(OPERATOR_KEY.as_bytes()),
            draining: Arc::clone(&draining),
        };
        let tasks = Arc::new(Tasks::default());
        let spawn: Arc<dyn Spawn> = Arc::clone(&tasks) as _;
        let public = public_router(cells.clone(), &spawn, &dialects, opened, Router::new());
        let portal = Some(Arc::from("https://hooks.example.com/portal"));
        let beside = Beside { pages: Router::new(), portal };
        let operator = operator_router(cells.clone(), &spawn, &access, &dialects, beside);
        let worker = worker_router(cells, &spawn, &access);
        let core = Mutex::new(cores.pop());
        Self { store: model, clock, work, draining, engine, core, tasks, public, operator, worker }
    }

    /// The same process, had it nothing to do but to deliver.
    pub(crate) fn into_worker(self) -> Self {
        Self { operator: self.worker.clone(), ..self }
    }

    /// A call of the operator side with the operator's key.
    pub(crate) fn operator(&self, method: Method, path: &str) -> Call<'_> {
        self.operator_stranger(method, path).header("authorization", &format!("Bearer {OPERATOR_KEY}"))
    }

    /// A call of the operator side with another key.
    pub(crate) fn with_key(&self, key: &str, method: Method, path: &str) -> Call<'_> {
        self.operator_stranger(method, path).header("authorization", &format!("Bearer {key}"))
    }

    /// A new key of the operator side: its id and its secret.
    pub(crate) fn minted(&self, new: &Value) -> (String, String) {
        let answer = self.operator(Method::POST, "/v1/keys").json(new).send();
        answer.expect(201);
        (answer.text_at("/id"), answer.text_at("/secret"))
    }

    /// A call of the operator side without a key.
    pub(crate) fn operator_stranger(&self, method: Method, path: &str) -> Call<'_> {
        Call::new(&self.operator, &self.tasks, method, path)
    }

    /// A call of the public side without a key.
    pub(crate) fn public(&self, method: Method, path: &str) -> Call<'_> {
        Call::new(&self.public, &self.tasks, method, path)
    }

    /// A new workspace of a dialect: its public id.
    pub(crate) fn workspace(&self, dialect: &str) -> String {
        let body = json!({"dialect": dialect, "name": "Acme"});
        let answer = self.operator(Method::POST, "/v1/workspaces").json(&body).send();
        answer.expect(201);
        answer.text_at("/id")
    }

    /// A new API key of a workspace.
    pub(crate) fn key(&self, workspace: &str) -> String {
        let path = format!("/v1/workspaces/{workspace}/credentials");
        let answer = self.operator(Method::POST, &path).json(&json!({})).send();
        answer.expect(201);
        answer.text_at("/secret")
    }

    /// Publishes an event and gives the answer.
    pub(crate) fn publish(&self, workspace: &str, event: &Value) -> Answer {
        let answer =
            self.operator(Method::POST, &format!("/v1/workspaces/{workspace}/events")).json(event).send();
        answer.expect(202);
        answer
    }
}

/// A request being put together.
pub(crate) struct Call<'a> {
    router: &'a Router,
    tasks: &'a Tasks,
    request: http::request::Builder,
    body: Body,
}

impl<'a> Call<'a> {
    fn new(router: &'a Router, tasks: &'a Tasks, method: Method, path: &str) -> Self {
        Self { router, tasks, request: Request::builder().method(method).uri(path), body: Body::empty() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// A header that may be no text.
    pub(crate) fn bytes_header(mut self, name: &str, value: &[u8]) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Where the call comes from, as whoever accepts connections says it.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.request = self.request.extension(CallerAddress(address.parse().unwrap()));
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    pub(crate) fn raw(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.header("content-type", content_type).body(body)
    }

    /// A body that does not say what it is.
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Body::from(body.into());
        self
    }

    /// A JSON body; `meanwhile` happens after the head was judged and before the body is there.
    pub(crate) fn json_after(mut self, body: &Value, meanwhile: impl FnOnce() + Send + 'static) -> Self {
        self = self.header("content-type", "application/json");
        let bytes = body.to_string();
        self.body = Body::from_stream(futures_util::stream::once(async move {
            meanwhile();
            Ok::<_, std::convert::Infallible>(bytes)
        }));
        self
    }

    /// The call with a body of its own pace, for whoever polls it.
    pub(crate) fn begin(self, body: Body) -> BoxFuture<'static, http::Response<Body>> {
        let request = self.request.body(body).unwrap();
        let mut router = self.router.clone();
        Box::pin(async move { router.call(request).await.unwrap() })
    }

    pub(crate) fn send(self) -> Answer {
        let tasks = self.tasks;
        let mut answer = pin!(self.answer());
        block_on(poll_fn(|cx| match answer.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(answer),
            Poll::Pending => {
                tasks.poll(cx);
                answer.as_mut().poll(cx)
            }
        }))
    }

    /// Goes away at the first moment at which there is no answer yet. Tasks are left to whoever drives them next.
    #[track_caller]
    pub(crate) fn abandon(self) {
        let mut answer = pin!(self.answer());
        let early = answer.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop()));
        assert!(early.is_pending(), "it was answered at once: {early:?}");
    }

    async fn answer(self) -> Answer {
        let request = self.request.body(self.body).unwrap();
        let response = self.router.clone().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// Tasks that bring calls to their end. Whoever sends a call drives them.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<Vec<BoxFuture<'static, ()>>>);

impl Tasks {
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Drops them wherever they stand.
    pub(crate) fn drop_all(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Polls each once.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) {
        // Not under the lock: a task may come to make another.
        let mut polled = std::mem::take(&mut *self.0.lock().unwrap());
        polled.retain_mut(|task| task.as_mut().poll(cx).is_pending());
        self.0.lock().unwrap().extend(polled);
    }
}

impl Spawn for Tasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.lock().unwrap().push(task);
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert!(self.header("content-type").contains("json"), "{:?}", self.headers);
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn text_at(&self, pointer: &str) -> String {
        self.json()
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer}: {}", self.text()))
            .to_owned()
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let values: Vec<&str> =
            self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        assert!(values.len() <= 1, "{name} stands several times: {values:?}");
        values.first().copied().unwrap_or_default()
    }

    /// The pointers of a problem's broken rules.
    #[track_caller]
    pub(crate) fn pointers(&self) -> Vec<String> {
        let problem = self.json();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }
}

/// Goes on when a test says so. Whoever sleeps is woken by being looked at.
pub(crate) struct StandingClock(Arc<AtomicI64>);

impl StandingClock {
    pub(crate) fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_us(0)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let now = Arc::clone(&self.0);
        let until = now.load(Ordering::SeqCst) + i64::try_from(duration.as_millis()).unwrap();
        Box::pin(poll_fn(
            move |_| {
                if now.load(Ordering::SeqCst) < until { Poll::Pending } else { Poll::Ready(()) }
            },
        ))
    }

    fn give_way(&self) -> BoxFuture<'static, ()> {
        requeue()
    }
}

/// Not random, but never the same twice in a test: a counter through a mixing function (splitmix64).
struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut mixed = self.0.fetch_add(1, Ordering::SeqCst).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}
