//! Callers who send secrets where they do not belong: no error says one again.

use serde_json::{Value, json};
use signalpost_testkit::Request;

use super::house::{House, OPERATOR_KEY};

/// Where errors are told.
const ERRORS: &str = "errors";
/// What is sent by mistake.
const SLIP: &str = "canary-slip-e80b24d6f1";
const FORM: &str = "application/x-www-form-urlencoded";

/// What the callers have whose calls go wrong.
pub(super) struct Callers {
    pub(super) workspace: String,
    pub(super) chain: String,
    pub(super) webhook: String,
    pub(super) api_key: String,
    pub(super) session: (String, String),
}

pub(super) fn make(house: &mut House, callers: &Callers) {
    house.book.plant("what was sent by mistake", SLIP);
    wrong_bodies(house, callers);
    wrong_texts(house, callers);
    wrong_calls_of_customers(house, callers);
    wrong_credentials(house);
}

fn wrong_bodies(house: &mut House, callers: &Callers) {
    let Callers { workspace, webhook, chain, .. } = callers;
    let webhooks = format!("/v1/workspaces/{workspace}/webhooks");
    let with = |name: &str, value: Value| {
        let mut body = json!({"url": "https://example.com"});
        body[name] = value;
        body
    };
    let of_webhook = [
        json!(SLIP),
        json!([SLIP]),
        json!({"url": format!("https://user:{SLIP}@example.com/")}),
        json!({"url": {"https": SLIP}}),
        with("secret", json!(SLIP)),
        with("secret", json!(format!("whsec_{SLIP}"))),
        with("secret", json!({"whsec": SLIP})),
        with("headers", json!(SLIP)),
        with("headers", json!({"x-a": format!("{SLIP}\n")})),
        with("headers", json!({"x-a": [SLIP]})),
        with("headers", json!({"host": SLIP})),
        with("basic_auth", json!(SLIP)),
        with("basic_auth", json!({"username": "a:b", "password": SLIP})),
        with("basic_auth", json!({"username": "a", "password": format!("{SLIP}\u{0}")})),
        with("basic_auth", json!({"username": "a", "password": [SLIP]})),
        with("active", json!(SLIP)),
        with("metadata", json!({"a": {"b": SLIP}})),
        with("name", json!({"b": SLIP})),
        with("unknown", json!(SLIP)),
    ];
    let rotate = format!("{webhooks}/{webhook}/rotate-secret");
    let users = format!("/v1/workspaces/{chain}/credentials");
    let beside = [
        ("/v1/keys", json!({"scopes": SLIP})),
        ("/v1/keys", json!({"scopes": [SLIP.len()], "workspace": [SLIP]})),
        (&rotate, json!({"secret": SLIP})),
        (&rotate, json!({"overlap_s": SLIP})),
        (&users, json!({"password": [SLIP]})),
        (&users, json!({"password": SLIP.repeat(20)})),
        (&users, json!({"password": SLIP, "rights": ["none"]})),
    ];
    let all = of_webhook
        .iter()
        .map(|body| (webhooks.as_str(), body))
        .chain(beside.iter().map(|(path, body)| (*path, body)));
    for (path, body) in all {
        let answer = house.operator(ERRORS, "POST", path, body);
        assert!((400..500).contains(&answer.status), "{path} {body}: {}", answer.text());
    }
}

/// What is no JSON, is called something else, or stands in a query or a header.
fn wrong_texts(house: &mut House, callers: &Callers) {
    let path = format!("/v1/workspaces/{}/webhooks", callers.workspace);
    let own = |request: Request| request.header("authorization", &format!("Bearer {OPERATOR_KEY}"));
    let with_body = |media_type: &str, body: String| {
        let mut request = own(Request::new("POST", &path)).header("content-type", media_type);
        request.body = body.into_bytes();
        request
    };
    let requests = [
        with_body("application/json", format!("{{\"secret\":\"{SLIP}")),
        with_body("application/json", format!("{{\"secret\":{SLIP}}}")),
        with_body("application/json", SLIP.to_owned()),
        with_body("text/plain", SLIP.to_owned()),
        with_body(SLIP, "{}".to_owned()),
        own(Request::new("GET", &format!("{path}?cursor={SLIP}"))),
        own(Request::new("GET", &format!("{path}?limit={SLIP}"))),
        own(Request::new("GET", &format!("{path}?api_key={SLIP}"))),
        own(Request::new("POST", &path))
            .header("idempotency-key", &format!("{SLIP} {SLIP}"))
            .json(&json!({})),
    ];
    for request in requests {
        let answer = house.send_operator(ERRORS, request);
        assert!((400..500).contains(&answer.status), "{}", answer.text());
    }
}

fn wrong_calls_of_customers(house: &mut House, callers: &Callers) {
    let (user, session_key) = &callers.session;
    let of_chain = |method: &str, call: &str, form: String| {
        let mut request = Request::new(method, &format!("/internal/{call}"))
            .header("x-spaaza-session-user-id", user)
            .header("x-spaaza-session-key", session_key)
            .header("content-type", FORM);
        request.body = form.into_bytes();
        request
    };
    let whole =
        format!("chain_id={}&event_name=shopper.created&type=https&url=https%3A%2F%2Fa.b", callers.chain);
    let key = &callers.api_key;
    let of_agent = |body: Value| Request::new("POST", "/v1/webhooks").header("x-api-key", key).json(&body);
    let login = |body: Value| Request::new("POST", "/auth/login").json(&body);
    let requests = [
        of_chain("POST", "add-webhook", format!("{whole}&identifier_secret={SLIP}%00")),
        of_chain("POST", "add-webhook", format!("{whole}&identifier_secret={}", SLIP.repeat(20))),
        of_chain("POST", "add-webhook", format!("{whole}&type={SLIP}&identifier_secret={SLIP}")),
        of_chain("POST", "add-webhook", format!("chain_id={SLIP}")),
        of_chain("PUT", "alter-webhook", format!("id={SLIP}&chain_id=1&active={SLIP}")),
        of_chain("GET", &format!("get-webhook?id={SLIP}&identifier_secret={SLIP}"), String::new()),
        of_agent(json!(SLIP)),
        of_agent(json!({"name": [SLIP], "url": format!("https://u:{SLIP}@a.b")})),
        of_agent(json!({"secret": SLIP})),
        login(json!(SLIP)),
        login(json!({"username": "ann", "password": format!("{SLIP}\u{0}")})),
        login(json!({"username": "ann", "password": [SLIP]})),
        login(json!({"username": "nobody", "password": SLIP})),
        Request::new("POST", &format!("/auth/login?username=ann&password={SLIP}")),
    ];
    for request in requests {
        let answer = house.send_public(ERRORS, request.clone());
        assert!((400..500).contains(&answer.status), "{request:?}: {}", answer.text());
    }
}

fn wrong_credentials(house: &mut House) {
    for key in [SLIP.to_owned(), SLIP.repeat(100)] {
        let bearer = format!("Bearer {key}");
        let operator = Request::new("GET", "/v1/workspaces").header("authorization", &bearer);
        assert_eq!(house.send_operator(ERRORS, operator).status, 401);
        for path in [
            "/v1/webhooks",
            "/api/public/v1/webhooks",
            "/api/partner/v1/webhook-endpoints",
            "/internal/get-webhooks",
        ] {
            let request = Request::new("GET", path)
                .header("authorization", &bearer)
                .header("x-api-key", &key)
                .header("x-spaaza-session-user-id", "1")
                .header("x-spaaza-session-key", &key);
            assert_eq!(house.send_public(ERRORS, request).status, 401, "{path}");
        }
    }
}
