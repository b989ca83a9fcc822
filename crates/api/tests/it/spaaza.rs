//! Spaaza's calls, as contracted.

use http::Method;
use serde_json::{Value, json};

use crate::app::{Answer, App, Call};

pub(crate) const BASE: &str = "/internal";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A session of a user with rights on chains.
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) key: String,
}

/// An app with a chain, and a user who may do everything in it.
pub(crate) struct Customer {
    pub(crate) app: App,
    pub(crate) chain: String,
    pub(crate) session: Session,
}

impl Customer {
    pub(crate) fn new() -> Self {
        Self::of(App::new())
    }

    pub(crate) fn of(app: App) -> Self {
        let chain = app.workspace("spaaza");
        let session = session(&app, &chain, &json!({"name": "Admin User"}));
        Self { app, chain, session }
    }

    /// Another user of the chain.
    pub(crate) fn user_with(&self, rights: &[&str]) -> Session {
        session(&self.app, &self.chain, &json!({"rights": rights}))
    }

    /// A chain on which the user has all rights too.
    pub(crate) fn other_chain(&self) -> String {
        let chain = self.app.workspace("spaaza");
        let user: u64 = self.session.user.parse().unwrap();
        granted(&self.app, &chain, &json!({"user_id": user})).expect(201);
        chain
    }

    /// A call with the session, without parameters.
    pub(crate) fn call(&self, method: Method, call: &str) -> Call<'_> {
        as_user(&self.session, self.app.public(method, &format!("{BASE}/{call}")))
    }

    pub(crate) fn get(&self, call: &str, query: &str) -> Answer {
        self.call(Method::GET, &format!("{call}?{query}")).send()
    }

    pub(crate) fn form(&self, method: Method, call: &str, form: &str) -> Answer {
        self.call(method, call).raw(FORM, form.to_owned()).send()
    }

    pub(crate) fn json(&self, method: Method, call: &str, body: &Value) -> Answer {
        self.call(method, call).json(body).send()
    }

    /// Adds a webhook of the chain.
    pub(crate) fn add(&self, change: impl Fn(&mut Value)) -> Answer {
        let chain: u64 = self.chain.parse().unwrap();
        let mut body = json!({
            "chain_id": chain, "event_name": "shopper.voucher-issued", "type": "https",
            "url": "https://example.com/webhooks/spaaza"
        });
        change(&mut body);
        self.json(Method::POST, "add-webhook", &body)
    }

    /// The id of a new webhook.
    pub(crate) fn added(&self) -> u64 {
        id_at(self.add(|_| ()).expect(200), "/results/webhook/id")
    }

    /// Id and value of a new signature.
    pub(crate) fn signature(&self) -> (u64, String) {
        let made = self.form(Method::POST, "add-webhook-signature", &format!("chain_id={}", self.chain));
        let id = id_at(made.expect(200), "/results/webhook_signature/id");
        (id, made.text_at("/results/webhook_signature/value"))
    }

    pub(crate) fn alter(&self, webhook: u64, form: &str) -> Answer {
        let whole = format!("id={webhook}&chain_id={}&{form}", self.chain);
        self.form(Method::PUT, "alter-webhook", &whole)
    }

    pub(crate) fn webhook(&self, id: u64) -> Value {
        self.get("get-webhook", &format!("id={id}")).expect(200).json()["results"]["webhook"].clone()
    }
}

pub(crate) fn granted(app: &App, chain: &str, right: &Value) -> Answer {
    app.operator(Method::POST, &format!("/v1/workspaces/{chain}/credentials")).json(right).send()
}

pub(crate) fn session(app: &App, chain: &str, right: &Value) -> Session {
    let made = granted(app, chain, right);
    made.expect(201);
    Session { user: made.json()["user_id"].to_string(), key: made.text_at("/session_key") }
}

pub(crate) fn as_user<'a>(session: &Session, call: Call<'a>) -> Call<'a> {
    call.header("x-spaaza-session-user-id", &session.user).header("x-spaaza-session-key", &session.key)
}

#[track_caller]
pub(crate) fn id_at(answer: &Answer, pointer: &str) -> u64 {
    answer.json().pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{}", answer.text()))
}

#[test]
fn a_new_webhook_is_answered_with_the_documented_fields_in_their_order() {
    let customer = Customer::new();
    let made = customer.add(|_| ());
    let id = id_at(made.expect(200), "/results/webhook/id");
    assert_eq!(
        made.text(),
        format!(
            "{{\"result\":{{\"code\":1,\"status\":\"ok\"}},\"results\":{{\"webhook\":{{\"active\":true,\
             \"applies_legacy_hmac\":false,\"campaign_id\":null,\"created_date\":\"2026-05-05T10:06:46+00:00\",\
             \"event_name\":\"shopper.voucher-issued\",\"event_trigger\":null,\"filter\":null,\"id\":{id},\
             \"identifier_key\":null,\"identifier_secret\":null,\"is_default\":false,\
             \"last_modified_date\":\"2026-05-05T10:06:46+00:00\",\"payload_spaaza_api_version\":\"1.4.8\",\
             \"send_from\":null,\"task_id\":null,\"type\":\"https\",\"url\":\"https://example.com/webhooks/spaaza\",\
             \"webhook_signature\":null}},\"result_type\":\"add-webhook\"}}}}"
        )
    );
    assert_eq!((made.header("content-type"), made.header("cache-control")), ("application/json", "no-store"));
}

#[test]
fn everything_that_is_given_is_kept_and_shown_secrets_included() {
    let customer = Customer::new();
    let (signature, value) = customer.signature();
    let made = customer.add(|body| {
        body["active"] = json!(false);
        body["filter"] = json!("data.voucher_amount > 10");
        body["identifier_key"] = json!("user-1");
        body["identifier_secret"] = json!("s3cret: ü");
        body["webhook_signature_id"] = json!(signature);
        body["payload_spaaza_api_version"] = json!("1.4.9");
        body["campaign_id"] = json!(77);
    });
    let id = id_at(made.expect(200), "/results/webhook/id");
    let shown = customer.webhook(id);
    assert_eq!(shown, made.json()["results"]["webhook"]);
    let chain: u64 = customer.chain.parse().unwrap();
    for (name, expected) in [
        ("active", json!(false)),
        ("filter", json!("data.voucher_amount > 10")),
        ("identifier_key", json!("user-1")),
        ("identifier_secret", json!("s3cret: ü")),
        ("payload_spaaza_api_version", json!("1.4.9")),
        ("campaign_id", json!(77)),
        (
            "webhook_signature",
            json!({
                "active": true, "chain": {"id": chain, "name": "Acme"}, "created_date": "2026-05-05T10:06:46+00:00",
                "deleted": false, "id": signature, "last_modified_date": "2026-05-05T10:06:46+00:00", "value": value
            }),
        ),
    ] {
        assert_eq!(shown[name], expected, "{name}");
    }
    assert!(value.len() == 32 && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
}

#[test]
fn form_json_and_query_say_the_same() {
    let customer = Customer::new();
    let chain = &customer.chain;
    let form = format!(
        "chain_id={chain}&event_name=shopper.opted-in&type=https&url=https%3A%2F%2Fexample.com%2Fa+b"
    );
    let form = form.replace("a+b", "ab");
    let by_query = customer.call(Method::POST, &format!("add-webhook?{form}&colour=red")).send();
    let by_form = customer.form(Method::POST, "add-webhook", &form);
    let by_both = customer
        .call(Method::POST, &format!("add-webhook?{form}&active=nonsense&filter=7"))
        .raw(FORM, "active=1&filter=")
        .send();
    let by_json = customer.json(
        Method::POST,
        "add-webhook",
        &json!({"chain_id": chain, "event_name": "shopper.opted-in", "type": "https", "url": "https://example.com/ab",
                "filter": null, "active": "true"}),
    );
    let mut shown = Vec::new();
    for made in [&by_query, &by_form, &by_both, &by_json] {
        let mut webhook = made.expect(200).json()["results"]["webhook"].take();
        webhook["id"] = json!(0);
        shown.push(webhook);
    }
    assert!(shown.iter().all(|webhook| *webhook == shown[0]), "{shown:?}");
    for (place, made) in [by_query, by_form, by_both].iter().enumerate() {
        let id = id_at(made, "/results/webhook/id");
        let deleted = match place {
            0 => customer.call(Method::DELETE, &format!("delete-webhook?id={id}&chain_id={chain}")).send(),
            1 => customer.form(Method::DELETE, "delete-webhook", &format!("id={id}&chain_id={chain}")),
            _ => customer.json(Method::DELETE, "delete-webhook", &json!({"id": id, "chain_id": chain})),
        };
        deleted.expect(200);
    }
    let left = customer.call(Method::GET, "get-webhooks").json(&json!({"chain_id": chain})).send();
    assert_eq!(left.expect(200).json()["results"]["webhooks"].as_array().unwrap().len(), 1);
}

#[test]
fn altering_changes_what_is_passed_and_takes_away_what_is_empty() {
    let customer = Customer::new();
    let (signature, _) = customer.signature();
    let made = customer.add(|body| {
        body["filter"] = json!("data.a > 1");
        body["identifier_key"] = json!("u");
        body["identifier_secret"] = json!("p");
        body["webhook_signature_id"] = json!(signature);
        body["campaign_id"] = json!(7);
    });
    let id = id_at(made.expect(200), "/results/webhook/id");
    let before = customer.webhook(id);
    customer.app.clock.advance_ms(2_000);
    let changes = [
        ("url=https%3A%2F%2Fexample.com%2Fother", "url", json!("https://example.com/other")),
        ("event_name=shopper.opted-in", "event_name", json!("shopper.opted-in")),
        ("active=false", "active", json!(false)),
        ("active=1", "active", json!(true)),
        ("filter=data.a+%3C+3", "filter", json!("data.a < 3")),
        ("identifier_key=v", "identifier_key", json!("v")),
        ("identifier_key=", "identifier_key", json!(null)),
        ("identifier_secret=q", "identifier_secret", json!("q")),
        ("identifier_secret=", "identifier_secret", json!(null)),
        ("filter=", "filter", json!(null)),
        ("campaign_id=8", "campaign_id", json!(8)),
        ("campaign_id=", "campaign_id", json!(null)),
        ("payload_spaaza_api_version=1.5.0", "payload_spaaza_api_version", json!("1.5.0")),
        ("payload_spaaza_api_version=", "payload_spaaza_api_version", json!("1.4.8")),
        ("webhook_signature_id=0", "webhook_signature", json!(null)),
    ];
    let mut expected = before.clone();
    expected["last_modified_date"] = json!("2026-05-05T10:06:48+00:00");
    for (form, name, value) in changes {
        let altered = customer.alter(id, form);
        expected[name] = value;
        assert_eq!(altered.expect(200).json()["results"]["webhook"], expected, "{form}");
        assert_eq!(customer.webhook(id), expected, "{form}");
    }
    let again = customer.alter(id, &format!("webhook_signature_id={signature}"));
    assert_eq!(
        again.expect(200).json()["results"]["webhook"]["webhook_signature"],
        before["webhook_signature"]
    );
    let chain: u64 = customer.chain.parse().unwrap();
    for nothing in [json!(null), json!(""), json!(0), json!("0")] {
        customer.alter(id, &format!("webhook_signature_id={signature}")).expect(200);
        let body = json!({"id": id, "chain_id": chain, "webhook_signature_id": nothing});
        let altered = customer.json(Method::PUT, "alter-webhook", &body);
        assert_eq!(
            altered.expect(200).json()["results"]["webhook"]["webhook_signature"],
            json!(null),
            "{nothing}"
        );
    }
}

#[test]
fn a_deleted_webhook_is_shown_once_more_with_who_did_it_and_is_gone() {
    let customer = Customer::new();
    let id = customer.added();
    customer.app.clock.advance_ms(60_000);
    let (chain, user) = (&customer.chain, &customer.session.user);
    let form = format!("id={id}&chain_id={chain}");
    let deleted = customer.form(Method::DELETE, "delete-webhook", &form);
    assert_eq!(
        deleted.expect(200).text(),
        format!(
            "{{\"result\":{{\"code\":1,\"status\":\"ok\"}},\"results\":{{\"webhook\":{{\"active\":false,\
             \"applies_legacy_hmac\":false,\"campaign_id\":null,\"created_date\":\"2026-05-05T10:06:46+00:00\",\
             \"deleted\":true,\"deleted_by\":{{\"name\":\"Admin User\",\"user_id\":{user}}},\
             \"event_name\":\"shopper.voucher-issued\",\"event_trigger\":null,\"filter\":null,\"id\":{id},\
             \"identifier_key\":null,\"identifier_secret\":null,\"is_default\":false,\
             \"last_modified_date\":\"2026-05-05T10:07:46+00:00\",\"payload_spaaza_api_version\":\"1.4.8\",\
             \"send_from\":null,\"task_id\":null,\"type\":\"https\",\"url\":\"https://example.com/webhooks/spaaza\",\
             \"webhook_signature\":null}},\"result_type\":\"delete-webhook\"}}}}"
        )
    );
    for answer in [
        customer.get("get-webhook", &format!("id={id}")),
        customer.alter(id, "active=1"),
        customer.form(Method::DELETE, "delete-webhook", &form),
    ] {
        assert_eq!(answer.expect(400).json()["error"]["code"], 495);
    }
    let listed = customer.get("get-webhooks", &format!("chain_id={chain}"));
    assert_eq!(listed.expect(200).json()["results"], json!({"webhooks": [], "result_type": "get-webhooks"}));
}

#[test]
fn lists_hold_everything_of_the_chain_in_the_order_of_ids() {
    let customer = Customer::new();
    let other = customer.other_chain();
    let ids: Vec<u64> = (0..260).map(|_| customer.added()).collect();
    customer.alter(ids[1], "active=0").expect(200);
    let foreign =
        format!("chain_id={other}&event_name=shopper.created&type=https&url=https%3A%2F%2Fexample.com");
    customer.form(Method::POST, "add-webhook", &foreign).expect(200);
    let listed = |query: &str| {
        let answer = customer.get("get-webhooks", &format!("chain_id={}{query}", customer.chain));
        let webhooks = answer.expect(200).json()["results"]["webhooks"].as_array().unwrap().clone();
        webhooks.iter().map(|webhook| webhook["id"].as_u64().unwrap()).collect::<Vec<u64>>()
    };
    for all in ["", "&exclude_inactive=false", "&exclude_inactive=0", "&exclude_inactive="] {
        assert_eq!(listed(all), ids, "{all}");
    }
    let active: Vec<u64> = ids.iter().copied().filter(|id| *id != ids[1]).collect();
    assert_eq!(listed("&exclude_inactive=true"), active);

    let (one, two) = (customer.signature(), customer.signature());
    let signatures = customer.get("get-webhook-signatures", &format!("chain_id={}", customer.chain));
    let shown = signatures.expect(200).json()["results"].clone();
    assert_eq!(shown["result_type"], "get-webhook-signatures");
    let pairs: Vec<(u64, String)> =
        shown["webhook_signatures"].as_array().unwrap().iter().map(pair).collect();
    assert_eq!(pairs, [one, two]);
    let none = customer.get("get-webhook-signatures", &format!("chain_id={other}&exclude_inactive=1"));
    assert_eq!(none.expect(200).json()["results"]["webhook_signatures"], json!([]));
}

fn pair(signature: &Value) -> (u64, String) {
    (signature["id"].as_u64().unwrap(), signature["value"].as_str().unwrap().to_owned())
}

#[test]
fn a_deleted_signature_leaves_its_webhooks_alive_and_unsigned() {
    let customer = Customer::new();
    let (signature, value) = customer.signature();
    let made = customer.add(|body| body["webhook_signature_id"] = json!(signature));
    let id = id_at(made.expect(200), "/results/webhook/id");
    assert_eq!(customer.webhook(id)["webhook_signature"]["value"], json!(value));
    customer.app.clock.advance_ms(5_000);
    let deleted = customer.form(Method::DELETE, "delete-webhook-signature", &format!("id={signature}"));
    let shown = &deleted.expect(200).json()["results"];
    let chain: u64 = customer.chain.parse().unwrap();
    assert_eq!(
        *shown,
        json!({
            "webhook_signature": {
                "active": false, "chain": {"id": chain, "name": "Acme"}, "created_date": "2026-05-05T10:06:46+00:00",
                "deleted": true, "id": signature, "last_modified_date": "2026-05-05T10:06:51+00:00", "value": value
            },
            "result_type": "delete-webhook-signature"
        })
    );
    let webhook = customer.webhook(id);
    assert_eq!((&webhook["active"], &webhook["webhook_signature"]), (&json!(true), &json!(null)));
    for answer in [
        customer.get("get-webhook-signature", &format!("id={signature}")),
        customer.form(Method::DELETE, "delete-webhook-signature", &format!("id={signature}")),
        customer.alter(id, &format!("webhook_signature_id={signature}")),
    ] {
        assert_eq!(answer.expect(404).json()["error"]["code"], 528);
    }
}

#[test]
fn a_login_opens_a_session_and_ends_the_one_before() {
    let app = App::new();
    let chain = app.workspace("spaaza");
    let new = json!({"name": "Ann", "username": "ann@example.com", "password": "ein Kamel: ü, €"});
    let made = granted(&app, &chain, &new);
    made.expect(201);
    let first = Session { user: made.json()["user_id"].to_string(), key: made.text_at("/session_key") };
    let works = |session: &Session| {
        let path = format!("{BASE}/get-webhooks?chain_id={chain}");
        as_user(session, app.public(Method::GET, &path)).send().status.as_u16()
    };
    assert_eq!(works(&first), 200);
    let form = "username=ann%40example.com&password=ein+Kamel%3A+%C3%BC%2C+%E2%82%AC";
    let logged_in = app.public(Method::POST, "/auth/login").raw(FORM, form).send();
    let results = logged_in.expect(200).json()["results"].clone();
    let user: u64 = first.user.parse().unwrap();
    let key = logged_in.text_at("/results/session_info/session_key");
    assert_eq!(
        results,
        json!({
            "session_info": {
                "session_auth_method": "password", "session_expires_date": "2026-05-19 10:06:46", "session_key": key,
                "session_key_validity": "336", "session_user_id": user, "session_username": "ann@example.com"
            },
            "user_info": {"full_name": "Ann", "user_id": user, "username": "ann@example.com"},
            "result_type": "login"
        })
    );
    assert_eq!(logged_in.header("cache-control"), "no-store");
    assert!(key.len() == 64 && key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    let second = Session { user: first.user.clone(), key };
    assert_eq!((works(&first), works(&second)), (401, 200));
    app.clock.advance_ms(336 * 3_600 * 1_000 - 1);
    assert_eq!(works(&second), 200);
    app.clock.advance_ms(1);
    assert_eq!(works(&second), 401);
}
